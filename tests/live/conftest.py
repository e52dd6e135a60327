"""One instance for all live tests of a worker: its own directory and loopback address, started once, stopped and removed at the end."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.live import shared_carriers
from tests.live.pbx import ADDRESS, TENANTS, Pbx
from tests.live.started_instance import settings_at, started_instance

SETTINGS = {
    **settings_at(ADDRESS),
    "CENTRALKA_SIP_TLS_PORT": "5061",
    "CENTRALKA_CALL_SERVER_NETWORKS": "127.77.9.1/32",
}


@pytest.fixture(scope="session")
def running() -> Iterator[Pbx]:
    with started_instance("livetests", SETTINGS, TENANTS) as pbx:
        yield pbx


@pytest.fixture(scope="session")
def carriers_pbx() -> Iterator[Pbx]:
    """An instance of tenants that share carriers."""
    with started_instance("livecarriers", settings_at(shared_carriers.HERE), shared_carriers.TENANTS) as pbx:
        yield pbx


@pytest.fixture
def pbx(running: Pbx) -> Iterator[Pbx]:
    """The instance, with all its processes up. What users have set meanwhile is set no more afterwards, also when a test failed."""
    yield running
    asyncio.run(running.put_settings_back())
