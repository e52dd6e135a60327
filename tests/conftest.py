"""For all tests: profiles of hypothesis; a Redis of each worker; and a network for each worker of pytest-xdist, so that live
tests of two modules never meet."""

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
import structlog

from tests.examples import register_profiles
from tests.store.redis_server import RedisServer

register_profiles()

CLONE_NEWNET = 0x40000000      # sched.h
LIMITS = {
    "agi.fastagi": ("MAX_WAIT_S",), "agi.speech": ("LIMIT_S",), "agi.understanding": ("LIMIT_S",),
    "ami.calendar_addresses": ("LIMIT_S",), "ami.records.ended_calls": ("LIMIT_S",), "provision.https": ("HANDSHAKE_S", "REQUEST_S"),
    "store.answers": ("LIMIT_S", "LINE_LIMIT_S"), "store.live": ("LIMIT_S",), "store.switches": ("LIMIT_S",),
}
"""Of the product, by module: the time that it gives others of a healthy machine."""
BUSY = 20


def pytest_configure(config: pytest.Config) -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)       # fixtures end what they started
    # structlog's own default draws each traceback with rich, which takes seconds.
    structlog.configure(processors=[
        structlog.contextvars.merge_contextvars, structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)])
    if not hasattr(config, "workerinput"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET):
        raise pytest.UsageError(f"no network of its own for a test worker, run as root: {os.strerror(ctypes.get_errno())}")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


@pytest.fixture(autouse=True)
def _limits_of_a_busy_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that is about one of these limits sets it."""
    for module, names in LIMITS.items():
        for name in names if module in sys.modules else ():
            monkeypatch.setattr(sys.modules[module], name, getattr(sys.modules[module], name) * BUSY)


@pytest.fixture(scope="session")
def _redis_of_this_worker() -> Iterator[RedisServer]:
    server = RedisServer()
    yield server
    asyncio.run(server.remove())


@pytest.fixture
async def redis_server(_redis_of_this_worker: RedisServer) -> RedisServer:
    """It runs and is empty."""
    await _redis_of_this_worker.start()
    await _redis_of_this_worker.clear()
    return _redis_of_this_worker
