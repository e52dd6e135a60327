"""One instance for all live tests of a worker: its own directory and loopback address, started once, stopped and removed at the end."""

import asyncio
import os
from collections.abc import Iterator

import pytest

from runtime.choose import open_runtime
from tests.live.pbx import ADDRESS, TENANTS, Pbx

SETTINGS = {
    "CENTRALKA_SIP_ADDRESS": ADDRESS,
    "CENTRALKA_AGI_ADDRESS": ADDRESS,
    "CENTRALKA_AMI_ADDRESS": ADDRESS,
    "CENTRALKA_PROVISION_ADDRESS": ADDRESS,
    "CENTRALKA_SIP_TLS_PORT": "5061",
    "CENTRALKA_CALL_SERVER_NETWORKS": "127.77.9.1/32",
}


@pytest.fixture(scope="session")
def running() -> Iterator[Pbx]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    runtime = open_runtime(os.environ.get("CENTRALKA_TEST_RUNTIME", "local"), f"livetests{worker}")
    runtime.remove()
    runtime.prepare(SETTINGS)
    runtime.apply(TENANTS)
    try:
        runtime.start()
        yield Pbx(runtime)
    finally:
        runtime.remove()


@pytest.fixture
def pbx(running: Pbx) -> Iterator[Pbx]:
    """The instance, with all its processes up. What users have set meanwhile is set no more afterwards, also when a test failed."""
    yield running
    asyncio.run(running.put_settings_back())
