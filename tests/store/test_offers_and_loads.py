"""Members are reserved and counted exactly, whoever asks at the same time, and nobody waits long for a Redis that is away."""

import asyncio
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from routing.call.effects import Offer, Withdraw
from routing.call.questions import Loads, UserLoad
from store import live
from store.answers import RedisAnswers
from store.user_calls import Conversation, Conversations, LoadStore
from tests.store.redis_server import RedisServer

TEN = tuple(str(extension) for extension in range(210, 220))
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


async def test_fifty_calls_at_once_are_offered_to_ten_members_five_each(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("store.answers.LIMIT_S", 10.0)        # whoever waits longer goes without a place, however busy the machine
    async with live.connect(redis_server.url) as one, live.connect(redis_server.url) as other:
        services = [RedisAnswers(one), RedisAnswers(other)]
        chosen = await asyncio.gather(*(services[i % 2].answer("acme", f"{i}.1", Offer(TEN, 20), "1.1/") for i in range(50)))
        assert Counter(chosen) == dict.fromkeys(range(10), 5)
        assert await services[0].answer("rossi", "1.1", Offer(TEN, 20), "1.1/") == 0


async def test_offer_ends_when_it_is_taken_back_when_the_next_begins_and_by_itself(redis_server: RedisServer) -> None:
    async with live.connect(redis_server.url) as redis:
        answers = RedisAnswers(redis)
        assert await answers.answer("acme", "1", Offer(("201", "202"), 20), "1.1/") == 0
        assert await answers.answer("acme", "2", Offer(("201", "202"), 20), "1.1/") == 1
        assert await answers.answer("acme", "1", Offer(("203",), 20, "201"), "1.1/") == 0       # goes on to the next: 201 is free
        assert await answers.answer("acme", "3", Offer(("201", "202"), 1), "1.1/") == 0
        assert await answers.answer("acme", "2", Withdraw("202"), "1.1/") is True             # leaves: 202 is free
        assert await answers.answer("acme", "4", Offer(("201", "202"), 20), "1.1/") == 1
        await asyncio.sleep(1.1)
        assert await answers.answer("acme", "5", Offer(("201", "202"), 20), "1.1/") == 0        # the offer to 201 has expired


def talked(call: str, extension: str, seconds: float, *rung: str, day: str = "2026-11-23") -> Conversations:
    had = Conversation(extension, NOON, NOON + timedelta(seconds=seconds))
    return Conversations("acme", call, day, (had,), frozenset(rung))


async def test_call_that_is_told_twice_counts_once(redis_server: RedisServer) -> None:
    async with live.connect(redis_server.url) as redis:
        loads = LoadStore(redis)
        await asyncio.gather(*(loads.count([talked("1", "201", 60), talked("2", "201", 5.5), talked("3", "202", 1)]) for _ in range(10)))
        await loads.count([talked("4", "201", 30, day="2026-11-22")])
        asked = Loads(("201", "202", "203"), "2026-11-23")
        assert await RedisAnswers(redis).answer("acme", "1", asked, "1.1/") == (
            UserLoad(2, 65, NOON.timestamp() + 60), UserLoad(1, 1, NOON.timestamp() + 1), UserLoad())
        assert await RedisAnswers(redis).answer("rossi", "1", asked, "1.1/") == (UserLoad(), UserLoad(), UserLoad())


async def test_call_that_has_ended_is_offered_to_nobody_any_more(redis_server: RedisServer) -> None:
    async with live.connect(redis_server.url) as redis:
        answers = RedisAnswers(redis)
        await answers.answer("acme", "1", Offer(("201", "202"), 20), "1.1/")
        await LoadStore(redis).count([talked("1", "203", 1, "201")])
        assert await answers.answer("acme", "2", Offer(("201", "202"), 20), "1.1/") == 0


async def test_redis_that_hangs_holds_a_call_up_once_and_calls_ring_different_members_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A server that accepts and says nothing."""
    monkeypatch.setattr("store.answers.LIMIT_S", 0.2)
    asked: list[bytes] = []

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            while some := await reader.read(10_000):
                asked.append(some)

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        redis = live.connect(f"redis://127.0.0.1:{port}")
        answers = RedisAnswers(redis)
        assert await answers.answer("acme", "1", Offer(TEN, 20), "1.1/") == 0
        assert len(asked) == 1
        assert await answers.answer("acme", "1", Loads(TEN, "2026-11-23"), "1.1/") == (UserLoad(),) * 10
        assert [await answers.answer("acme", f"{i}", Offer(TEN, 20), "1.1/") for i in range(2, 12)] == [*range(1, 10), 0]
        assert await answers.answer("acme", "1", Offer(("201",), 20, "210"), "1.1/") == 0
        assert await answers.answer("acme", "12", Offer(TEN, 20), "1.1/") == 0       # 210 has one as everybody
        assert await answers.answer("rossi", "1", Offer(TEN, 20), "1.1/") == 0
        assert len(asked) == 1
        await redis.aclose()
