"""PINs of callers: few tries over all calls, and none while nobody can count them."""

import asyncio

from routing.questions import CheckPin, PinIs
from store.answers import RedisAnswers
from store.pins import MAX_TRIES, TRIES
from tests.store.redis_server import RedisServer
from tests.store.test_switches import redis_server

__all__ = ["redis_server"]
RIGHT, WRONG = CheckPin("201", "471147"), CheckPin("201", "471148")


async def test_right_pin_is_right_until_too_many_wrong_ones_were_tried_and_then_for_an_hour_no_more(redis_server: RedisServer) -> None:
    async with redis_server.client() as redis:
        answers = RedisAnswers(redis)
        assert await answers.check_pin("acme", RIGHT, "471147") is PinIs.RIGHT
        tried = [await answers.check_pin("acme", WRONG, "471147") for _ in range(MAX_TRIES + 1)]
        assert tried == [PinIs.WRONG] * MAX_TRIES + [PinIs.LOCKED]
        assert await answers.check_pin("acme", RIGHT, "471147") is PinIs.LOCKED
        assert 3500 < await redis.ttl(f"{TRIES}acme/201") <= 3600
        assert await answers.check_pin("rossi", RIGHT, "471147") is PinIs.RIGHT


async def test_a_right_pin_begins_the_count_anew(redis_server: RedisServer) -> None:
    async with redis_server.client() as redis:
        answers = RedisAnswers(redis)
        for _ in range(3):
            for _ in range(MAX_TRIES - 1):
                assert await answers.check_pin("acme", WRONG, "471147") is PinIs.WRONG
            assert await answers.check_pin("acme", RIGHT, "471147") is PinIs.RIGHT


async def test_calls_at_once_have_no_more_tries_than_one_after_another(redis_server: RedisServer) -> None:
    async with redis_server.client() as redis:
        answers = RedisAnswers(redis)
        found = await asyncio.gather(*(answers.check_pin("acme", WRONG, "471147") for _ in range(50)))
        assert found.count(PinIs.WRONG) == MAX_TRIES


async def test_user_without_a_pin_has_no_right_one(redis_server: RedisServer) -> None:
    async with redis_server.client() as redis:
        assert await RedisAnswers(redis).check_pin("acme", CheckPin("201", ""), "") is PinIs.WRONG


async def test_no_pin_is_accepted_while_redis_is_away(redis_server: RedisServer) -> None:
    await redis_server.stop()
    async with redis_server.client() as redis:
        assert await RedisAnswers(redis).check_pin("acme", RIGHT, "471147") is PinIs.LOCKED
