"""Calls with the outside are counted exactly, whoever begins at the same time and whoever dies."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agi.line_keeper import LineKeeper
from routing.admission import Caps, Limit, Usage, reached
from routing.questions import Admit, CheckPin, Country, PinIs, PinOf
from store import lines as module
from store import live
from store.answers import LIMIT_S, RedisAnswers
from store.lines import Lines, lines_key, outside_key
from store.loads import Conversations, Loads
from store.pins import MAX_TRIES
from tests.store.redis_server import RedisServer

DAY = "2026-11-25"
EIGHT = Caps(lines=8)


@pytest.fixture
async def redis_server() -> AsyncIterator[RedisServer]:
    server = RedisServer()
    await server.start()
    yield server
    await server.remove()


async def test_of_fifty_calls_at_once_exactly_as_many_are_let_in_as_there_are_lines(redis_server: RedisServer) -> None:
    async with live.connect(redis_server.url) as one, live.connect(redis_server.url) as other:
        services = [Lines(one), Lines(other)]
        asked = [
            services[i % 2].admit("acme", f"{i}.1", DAY, EIGHT, "201" if i % 3 else "", outgoing=bool(i % 3), anyway=False)
            for i in range(50)]
        assert Counter(await asyncio.gather(*asked)) == {Limit.NONE: 8, Limit.LINES: 42}
        assert await RedisAnswers(one).answer("rossi", "1.1", Admit(EIGHT, DAY), "1.1/") is Limit.NONE


async def test_call_that_is_asked_about_again_takes_no_second_line(redis_server: RedisServer) -> None:
    async with live.connect(redis_server.url) as redis:
        lines = Lines(redis)
        for _ in range(3):
            assert await lines.admit("acme", "1.1", DAY, Caps(lines=1), "201", outgoing=True, anyway=False) is Limit.NONE
        assert await lines.admit("acme", "2.1", DAY, Caps(lines=1), "201", outgoing=True, anyway=False) is Limit.LINES


async def test_emergency_call_counts_and_nothing_refuses_it(redis_server: RedisServer) -> None:
    async with live.connect(redis_server.url) as redis:
        lines = Lines(redis)
        for call in ("1.1", "2.1"):
            assert await lines.admit("acme", call, DAY, Caps(lines=1), "", outgoing=False, anyway=True) is Limit.NONE
        assert await redis.zcard(lines_key("acme")) == 2


async def test_line_is_free_when_the_call_is_over_and_its_minutes_count_once(redis_server: RedisServer) -> None:
    async with live.connect(redis_server.url) as redis:
        lines, loads = Lines(redis), Loads(redis)
        limits = Caps(lines=1, user_minutes=10, tenant_minutes=15)
        for call, ended_s in (("1.1", 599), ("2.1", 1)):
            assert await lines.admit("acme", call, DAY, limits, "201", outgoing=True, anyway=False) is Limit.NONE
            for _ in range(2):
                await loads.count([Conversations("acme", call, DAY, (), frozenset(), ended_s)])
        assert await redis.hgetall(outside_key("acme", DAY)) == {"201": "600", "": "600"}
        assert await lines.admit("acme", "3.1", DAY, limits, "201", outgoing=True, anyway=False) is Limit.USER_MINUTES
        assert list(await lines.stopped()) == ["acme/201"]
        assert await lines.admit("acme", "4.1", DAY, limits, "202", outgoing=True, anyway=False) is Limit.NONE
        assert await lines.admit("acme", "5.1", "2026-11-26", limits, "201", outgoing=True, anyway=False) is Limit.STOPPED


async def test_what_one_user_may_at_most_stops_no_call_that_is_nobodys(redis_server: RedisServer) -> None:
    """An element's numbers outside are called for no user."""
    async with live.connect(redis_server.url) as redis:
        lines = Lines(redis)
        limits = Caps(user_calls=4, tenant_calls=60, user_minutes=600, tenant_minutes=6000)
        await redis.hset(outside_key("acme", DAY), mapping={"201": 310 * 60, "202": 310 * 60, "": 620 * 60})
        for call in range(6):
            assert await lines.admit("acme", f"{call}.1", DAY, limits, "", outgoing=True, anyway=False) is Limit.NONE
        assert await lines.admit("acme", "9.1", DAY, limits, "201", outgoing=True, anyway=False) is Limit.NONE
        assert await lines.stopped() == {}


async def test_release_ends_the_stop_and_the_day_begins_anew(redis_server: RedisServer) -> None:
    async with live.connect(redis_server.url) as redis:
        lines = Lines(redis)
        await redis.hset(outside_key("acme", DAY), mapping={"201": 600, "": 600})
        limits = Caps(user_minutes=10)
        assert await lines.admit("acme", "1.1", DAY, limits, "201", outgoing=True, anyway=False) is Limit.USER_MINUTES
        assert await lines.release("acme", "201", DAY)
        assert await lines.admit("acme", "1.1", DAY, limits, "201", outgoing=True, anyway=False) is Limit.NONE
        assert not await lines.release("acme", "201", DAY)


async def test_place_of_a_call_whose_end_nobody_told_is_free_after_its_lease(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LEASE_S", 1)
    async with live.connect(redis_server.url) as redis:
        lines = Lines(redis)
        assert await lines.admit("acme", "1.1", DAY, Caps(lines=1), "201", outgoing=True, anyway=False) is Limit.NONE
        began = time.monotonic()
        while await lines.admit("acme", "2.1", DAY, Caps(lines=1), "201", outgoing=True, anyway=False) is not Limit.NONE:
            assert time.monotonic() - began < 10
            await asyncio.sleep(0.05)
        assert time.monotonic() - began > 0.5


async def test_call_in_progress_keeps_its_place_as_long_as_it_lasts(
    redis_server: RedisServer,
) -> None:
    async with live.connect(redis_server.url) as redis:
        lines = Lines(redis)
        assert await lines.admit("acme", "1.1", DAY, Caps(lines=1), "201", outgoing=True, anyway=False) is Limit.NONE
        await redis.zadd(lines_key("acme"), {"1.1/201": 1})       # as if it had begun long ago
        up = {"1.1": live.LiveCall("1.1", "acme", "201", "600100200", datetime.now(UTC)).to_json()}
        keeper = asyncio.create_task(LineKeeper(lines, up).run())
        try:
            async with asyncio.timeout(10):
                while await redis.zscore(lines_key("acme"), "1.1/201") == 1:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        finally:
            keeper.cancel()
        assert await lines.admit("acme", "2.1", DAY, Caps(lines=1), "201", outgoing=True, anyway=False) is Limit.LINES


async def test_nobody_waits_for_a_redis_that_is_away_and_no_call_is_refused(redis_server: RedisServer) -> None:
    async with live.connect(redis_server.url) as redis:
        answers = RedisAnswers(redis)
        await redis_server.stop()
        began = time.monotonic()
        assert await answers.answer("acme", "1.1", Admit(Caps(lines=1), DAY), "1.1/") is Limit.NONE
        assert await answers.answer("acme", "1.1", Country("DE"), "1.1/") is False
        assert await answers.check_pin("acme", CheckPin("201", "4821"), "4821") is PinIs.LOCKED
        assert time.monotonic() - began < 3 * LIMIT_S + 1


async def test_country_is_known_once_somebody_of_the_tenant_has_confirmed_it(redis_server: RedisServer) -> None:
    async with live.connect(redis_server.url) as redis:
        answers = RedisAnswers(redis)
        assert not await answers.answer("acme", "1.1", Country("DE"), "1.1/")
        await answers.answer("acme", "1.1", Country("DE", confirmed=True), "1.1/")
        assert await answers.answer("acme", "2.1", Country("DE"), "2.1/")
        assert not await answers.answer("rossi", "2.1", Country("DE"), "2.1/")


async def test_wrong_pins_of_permissions_lock_no_mobile_out(redis_server: RedisServer) -> None:
    async with live.connect(redis_server.url) as redis:
        answers = RedisAnswers(redis)
        for _ in range(MAX_TRIES + 1):
            found = await answers.check_pin("acme", CheckPin("201", "0000", PinOf.PERMISSIONS), "4821")
        assert found is PinIs.LOCKED
        assert await answers.check_pin("acme", CheckPin("201", "4821", PinOf.MOBILE), "4821") is PinIs.RIGHT


async def test_redis_and_the_simulator_refuse_the_same_calls(redis_server: RedisServer) -> None:
    """Whatever is taken, and whatever the limits are."""
    users = st.sampled_from(["", "201", "202"])
    small = st.integers(0, 3)
    cases: list[tuple[Caps, Usage, str, bool]] = []

    @settings(max_examples=150, deadline=None, database=None)
    @given(st.builds(Caps, small, small, small, small, small), st.dictionaries(users, small),
           st.dictionaries(st.sampled_from(["201", "202"]), small), st.frozensets(users, max_size=1), small, users, st.booleans())
    def collect(
        limits: Caps, calls: dict[str, int], minutes: dict[str, int], stopped: frozenset[str], inside: int, user: str, outgoing: bool,
    ) -> None:
        cases.append((limits, Usage(inside + sum(calls.values()), calls, minutes, stopped), user, outgoing))

    collect()
    async with live.connect(redis_server.url) as redis:
        lines = Lines(redis)
        for limits, usage, user, outgoing in cases:
            await redis.flushall()
            outgoing_calls = [f"{i}.{caller}/{caller}" for caller, many in usage.calls.items() for i in range(many)]
            inside = [f"{i}.9" for i in range(usage.lines - len(outgoing_calls))]
            if places := outgoing_calls + inside:
                await redis.zadd(lines_key("acme"), dict.fromkeys(places, (time.time() + 60) * 1000))
            used = {caller: minutes * 60 for caller, minutes in usage.minutes.items()}
            await redis.hset(outside_key("acme", DAY), mapping=used | {"": sum(used.values())})
            for whose in usage.stopped:
                await lines.stop("acme", whose, "test")
            found = await lines.admit("acme", "5.5", DAY, limits, user, outgoing=outgoing, anyway=False)
            assert found is reached(limits, usage, user, outgoing=outgoing), (limits, usage, user, outgoing)
