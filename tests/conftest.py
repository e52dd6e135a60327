"""For all tests: no example of a property is too slow, since how long one takes says how busy the machine is; and a Redis."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import settings

from tests.store.redis_server import RedisServer

settings.register_profile("centralka", deadline=None)
settings.load_profile("centralka")


@pytest.fixture
async def redis_server() -> AsyncIterator[RedisServer]:
    server = RedisServer()
    await server.start()
    yield server
    await server.remove()
