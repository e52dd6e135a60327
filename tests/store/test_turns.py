"""Turns are counted once each, whoever asks at the same time, and go on while Redis is away."""

import asyncio

import pytest

from routing.call.effects import Turn
from store import answers as store_answers
from store import live
from store.answers import RedisAnswers
from tests.store.redis_server import RedisServer


async def test_fifty_calls_at_once_have_fifty_turns_and_a_restart_goes_on_from_there(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(store_answers, "LIMIT_S", 20)      # a busy machine takes its time
    async with live.connect(redis_server.url) as one, live.connect(redis_server.url) as other:
        services = [RedisAnswers(one), RedisAnswers(other)]
        taken = await asyncio.gather(*(services[i % 2].answer("acme", "1.1", Turn("sales"), f"1.{i}/") for i in range(50)))
        assert sorted(map(str, taken)) == sorted(map(str, range(50)))
        assert await services[0].answer("rossi", "1.1", Turn("sales"), "1.1/") == 0
    async with live.connect(redis_server.url) as after:
        assert await RedisAnswers(after).answer("acme", "1.1", Turn("sales"), "1.50/") == 50


async def test_decision_that_asks_again_has_the_turn_that_it_had(redis_server: RedisServer) -> None:
    async with live.connect(redis_server.url) as redis:
        answers = RedisAnswers(redis)
        asked = [await answers.answer("acme", "1.1", Turn("sales"), decision) for decision in ("1.1/", "1.1/", "1.2/")]
        assert [turn - asked[0] for turn in asked if isinstance(turn, int)] == [0, 0, 1]


async def test_turns_go_on_without_redis(redis_server: RedisServer) -> None:
    await redis_server.stop()
    async with live.connect(redis_server.url) as redis:
        answers = RedisAnswers(redis)
        first = await answers.answer("acme", "1.1", Turn("sales"), "1.1/")
        assert isinstance(first, int)
        assert await answers.answer("acme", "1.1", Turn("sales"), "1.1/") == first + 1
