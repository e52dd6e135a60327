"""For all tests: no example of a property is too slow, since how long one takes says how busy the machine is; a Redis; and a
network for each worker of pytest-xdist, so that live tests of two modules never meet."""

import ctypes
import os
import signal
import subprocess
from collections.abc import AsyncIterator

import pytest
from hypothesis import settings

from tests.store.redis_server import RedisServer

settings.register_profile("centralka", deadline=None)
settings.load_profile("centralka")

CLONE_NEWNET = 0x40000000      # sched.h


def pytest_configure(config: pytest.Config) -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)       # fixtures end what they started
    if not hasattr(config, "workerinput"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET):
        raise pytest.UsageError(f"no network of its own for a test worker, run as root: {os.strerror(ctypes.get_errno())}")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


@pytest.fixture
async def redis_server() -> AsyncIterator[RedisServer]:
    server = RedisServer()
    await server.start()
    yield server
    await server.remove()
