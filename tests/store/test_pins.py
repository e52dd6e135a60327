"""PINs of callers: few tries over all calls, and none while nobody can count them."""

import asyncio
from dataclasses import replace

from structlog.testing import capture_logs

from routing.call.effects import CheckPin, PinIs, TryRoomPin
from store.answers import RedisAnswers
from store.pins import MAX_ROOM_TRIES, MAX_TRIES, TRIES, room_key
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


ROOM_WRONG, ROOM_RIGHT = TryRoomPin("board", inside=False, right=False), TryRoomPin("board", inside=False, right=True)


async def test_room_takes_so_many_wrong_pins_over_all_calls_at_once_and_then_for_an_hour_none(redis_server: RedisServer) -> None:
    async with redis_server.client() as redis:
        answers = RedisAnswers(redis)

        async def may(tenant: str, asked: TryRoomPin) -> object:
            return await answers.answer(tenant, "1.1", asked, "1.1/")

        assert await may("acme", ROOM_RIGHT)
        with capture_logs() as logs:
            found = await asyncio.gather(*(may("acme", ROOM_WRONG) for _ in range(50)))
        assert found.count(True) == MAX_ROOM_TRIES
        assert logs[0] == {
            "event": "conference_pin_guessing_blocked", "log_level": "warning", "tenant": "acme", "call": "1.1",
            "room": "board"}
        assert not await may("acme", ROOM_RIGHT)
        assert 3500 < await redis.ttl(room_key("acme", "board", inside=False)) <= 3600
        assert await may("acme", replace(ROOM_RIGHT, inside=True))
        assert await may("acme", replace(ROOM_RIGHT, room="sales"))
        assert await may("rossi", ROOM_RIGHT)


async def test_right_pin_of_a_room_gives_no_tries_back(redis_server: RedisServer) -> None:
    async with redis_server.client() as redis:
        answers = RedisAnswers(redis)
        for _ in range(MAX_ROOM_TRIES):
            assert await answers.answer("acme", "1.1", ROOM_WRONG, "1.1/")
            await answers.answer("acme", "1.1", ROOM_RIGHT, "1.1/")
        assert not await answers.answer("acme", "1.1", ROOM_WRONG, "1.1/")


async def test_room_lets_in_while_redis_is_away(redis_server: RedisServer) -> None:
    await redis_server.stop()
    async with redis_server.client() as redis:
        assert await RedisAnswers(redis).answer("acme", "1.1", ROOM_RIGHT, "1.1/")
