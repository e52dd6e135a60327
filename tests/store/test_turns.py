"""Turns are counted once each, whoever asks at the same time, and go on while Redis is away."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from store import live
from store.turns import Turns
from tests.store.redis_server import RedisServer


@pytest.fixture
async def redis_server() -> AsyncIterator[RedisServer]:
    server = RedisServer()
    await server.start()
    yield server
    await server.remove()


async def test_fifty_calls_at_once_have_fifty_turns_and_a_restart_goes_on_from_there(redis_server: RedisServer) -> None:
    async with live.connect(redis_server.url) as one, live.connect(redis_server.url) as other:
        services = [Turns(one), Turns(other)]
        taken = await asyncio.gather(*(services[i % 2].take("acme", "sales") for i in range(50)))
        assert sorted(taken) == list(range(50))
        assert await services[0].take("rossi", "sales") == 0
    async with live.connect(redis_server.url) as after:
        assert await Turns(after).take("acme", "sales") == 50


async def test_turns_go_on_without_redis(redis_server: RedisServer) -> None:
    await redis_server.stop()
    async with live.connect(redis_server.url) as redis:
        turns = Turns(redis)
        first = await turns.take("acme", "sales")
        assert await turns.take("acme", "sales") == first + 1
