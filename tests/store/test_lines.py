"""Calls with the outside are counted exactly, whoever begins at the same time and whoever dies."""

import asyncio
import json
import time
from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ami.records.events import CelEvent
from ami.records.lines import LegsOutside, LineKeeper
from routing.call.admission import Caps, Limit, Usage, reached
from routing.call.effects import Admit, CheckPin, ConfirmCountry, PinIs
from routing.call.questions import KnownCountry, PinOf
from store import lines as module
from store import live
from store.answers import LIMIT_S, RedisAnswers
from store.lines import RENEW_S, Lines, Seen, lines_key, outside_key
from store.pins import MAX_TRIES
from store.user_calls import Conversations, LoadStore
from tests.examples import examples
from tests.store.redis_server import RedisServer

DAY = "2026-11-25"
EIGHT = Caps(lines=8)


async def admit(
    lines: Lines, call: str, limits: Caps, user: str = "201", *, number: str = "+48600100200", at: str = "", day: str = DAY,
) -> Limit:
    """A call of the user's, or with '' of the tenant's, to this number, which the channel of that name decides."""
    return await lines.admit("acme", call, at or f"{call}/", Admit(limits, day, user, outgoing=True, number=number))


async def admit_in(lines: Lines, call: str, limits: Caps) -> Limit:
    return await lines.admit("acme", call, f"{call}/", Admit(limits, DAY))


async def test_of_fifty_calls_at_once_exactly_as_many_are_let_in_as_there_are_lines(redis_server: RedisServer) -> None:
    async with live.connect(redis_server.url) as one, live.connect(redis_server.url) as other:
        services = [Lines(one), Lines(other)]
        asked = [
            admit(services[i % 2], f"{i}.1", EIGHT) if i % 3 else admit_in(services[i % 2], f"{i}.1", EIGHT) for i in range(50)]
        assert Counter(await asyncio.gather(*asked)) == {Limit.NONE: 8, Limit.LINES: 42}
        assert await RedisAnswers(one).answer("rossi", "1.1", Admit(EIGHT, DAY), "1.1/") is Limit.NONE


async def test_call_that_is_asked_about_again_takes_no_second_line(redis_server: RedisServer) -> None:
    async with live.connect(redis_server.url) as redis:
        lines = Lines(redis)
        for _ in range(3):
            assert await admit(lines, "1.1", Caps(lines=1)) is Limit.NONE
        assert await admit(lines, "2.1", Caps(lines=1)) is Limit.LINES


async def test_emergency_call_counts_and_nothing_refuses_it(redis_server: RedisServer) -> None:
    async with live.connect(redis_server.url) as redis:
        lines = Lines(redis)
        for call in ("1.1", "2.1"):
            assert await lines.admit("acme", call, f"{call}/", Admit(Caps(lines=1), DAY, anyway=True)) is Limit.NONE
        assert await redis.zcard(lines_key("acme")) == 2


async def test_line_is_free_when_the_call_is_over_and_its_minutes_count_once(redis_server: RedisServer) -> None:
    async with live.connect(redis_server.url) as redis:
        lines, loads = Lines(redis), LoadStore(redis)
        limits = Caps(lines=1, user_minutes=10, tenant_minutes=15)
        for call, ended_s in (("1.1", 599), ("2.1", 1)):
            assert await admit(lines, call, limits) is Limit.NONE
            for _ in range(2):
                await loads.count([Conversations("acme", call, DAY, (), frozenset(), {"201": ended_s})])
        assert await redis.hgetall(outside_key("acme", DAY)) == {"201": "600", "": "600"}
        assert await admit(lines, "3.1", limits) is Limit.USER_MINUTES
        assert list(await lines.stopped()) == ["acme/201"]
        assert await admit(lines, "4.1", limits, "202") is Limit.NONE
        assert await admit(lines, "5.1", limits, day="2026-11-26") is Limit.STOPPED


async def test_what_one_user_may_at_most_stops_no_call_that_is_nobodys(redis_server: RedisServer) -> None:
    """An element's numbers outside are called for no user."""
    async with live.connect(redis_server.url) as redis:
        lines = Lines(redis)
        limits = Caps(user_calls=4, tenant_calls=60, user_minutes=600, tenant_minutes=6000)
        await redis.hset(outside_key("acme", DAY), mapping={"201": 310 * 60, "202": 310 * 60, "": 620 * 60})
        for call in range(6):
            assert await admit(lines, f"{call}.1", limits, "") is Limit.NONE
        assert await admit(lines, "9.1", limits) is Limit.NONE
        assert await lines.stopped() == {}


async def test_release_ends_the_stop_and_the_day_begins_anew(redis_server: RedisServer) -> None:
    async with live.connect(redis_server.url) as redis:
        lines = Lines(redis)
        await redis.hset(outside_key("acme", DAY), mapping={"201": 600, "": 600})
        limits = Caps(user_minutes=10)
        assert await admit(lines, "1.1", limits) is Limit.USER_MINUTES
        assert await lines.release("acme", "201", DAY)
        assert await admit(lines, "1.1", limits) is Limit.NONE
        assert not await lines.release("acme", "201", DAY)


async def test_place_of_a_call_whose_end_nobody_told_is_free_after_its_lease(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LEASE_S", 1)
    async with live.connect(redis_server.url) as redis:
        lines = Lines(redis)
        assert await admit(lines, "1.1", Caps(lines=1)) is Limit.NONE
        began = time.monotonic()
        while await admit(lines, "2.1", Caps(lines=1)) is not Limit.NONE:
            assert time.monotonic() - began < 60
            await asyncio.sleep(0.05)
        assert time.monotonic() - began > 0.5


async def test_call_in_progress_keeps_its_place_as_long_as_it_lasts(
    redis_server: RedisServer,
) -> None:
    async with live.connect(redis_server.url) as redis:
        lines = Lines(redis)
        assert await admit(lines, "1.1", Caps(lines=1)) is Limit.NONE
        (place,) = await redis.zrange(lines_key("acme"), 0, -1)
        await redis.zadd(lines_key("acme"), {place: (time.time() - 60) * 1000})       # as if it had begun long ago
        assert await redis.zcount(lines_key("acme"), time.time() * 1000, "+inf") == 0
        legs = LegsOutside()
        legs.take(event("outside", "1.1", "1.2", extra="201|+48600100200"))
        await LineKeeper(lines, call_up(legs, "1.1")).renew_due()
        assert await admit(lines, "2.1", Caps(lines=1)) is Limit.LINES


def event(kind: str, call: str, channel: str, *, extra: str = "", at: datetime | None = None) -> CelEvent:
    told = json.dumps({"extra": extra}) if extra else ""
    return CelEvent(kind, at or datetime.now(UTC), call, channel, "PJSIP/acme-trunk-1", "acme", "", bool(extra), told)


def call_up(legs: LegsOutside, *calls: str, tenant: str = "acme") -> LegsOutside:
    for each in calls:
        legs.begin(each, tenant)
    return legs


async def test_number_that_only_rang_gives_its_line_back_when_the_call_goes_on(redis_server: RedisServer) -> None:
    """The same channel decides anew: its Dial() is over."""
    async with live.connect(redis_server.url) as redis:
        lines, two = Lines(redis), Caps(lines=2)
        assert await admit_in(lines, "1.1", two) is Limit.NONE
        assert await admit(lines, "1.1", two, number="+48600100201", at="1.1/201/dial/1/") is Limit.NONE
        assert await admit(lines, "1.1", two, number="+48600100202", at="1.1/201/dial/2/") is Limit.NONE
        assert await admit(lines, "2.1", two) is Limit.LINES


async def test_numbers_that_ring_together_hold_a_line_each_until_they_are_over(redis_server: RedisServer) -> None:
    async with live.connect(redis_server.url) as redis:
        lines, three, legs = Lines(redis), Caps(lines=3), LegsOutside()
        keeper = LineKeeper(lines, call_up(legs, "1.1"))
        assert await admit_in(lines, "1.1", three) is Limit.NONE
        for i in (1, 2):
            assert await admit(lines, "1.1", three, number=f"+4860010020{i}") is Limit.NONE
            legs.take(event("outside", "1.1", f"1.{i}", extra=f"201|+4860010020{i}"))
        assert await admit(lines, "1.1", three, number="+48600100203") is Limit.LINES
        legs.take(event("HANGUP", "1.1", "1.2"))
        await keeper.renew_due()
        assert await admit(lines, "2.1", three) is Limit.NONE
        await keeper.renew_due()
        assert await admit(lines, "3.1", three) is Limit.LINES


async def test_number_that_is_called_again_keeps_the_line_that_it_took_after_its_first_leg(redis_server: RedisServer) -> None:
    """A group's second round: what the keeper sees may be older."""
    async with live.connect(redis_server.url) as redis:
        lines, legs = Lines(redis), LegsOutside()
        legs.take(event("outside", "1.1", "1.2", extra="|+48600100200"))
        legs.take(event("HANGUP", "1.1", "1.2"))
        await asyncio.sleep(0.01)         # Redis counts in milliseconds
        assert await admit(lines, "1.1", Caps(lines=1), "") is Limit.NONE
        await LineKeeper(lines, call_up(legs, "1.1")).renew_due()
        assert await admit(lines, "2.1", Caps(lines=1), "") is Limit.LINES


async def test_call_that_joins_another_keeps_its_line_until_the_other_ends(redis_server: RedisServer) -> None:
    """An attended transfer: the consultation becomes part of the call."""
    async with live.connect(redis_server.url) as redis:
        lines, loads, legs = Lines(redis), LoadStore(redis), LegsOutside()
        assert await admit_in(lines, "1.1", Caps(lines=2)) is Limit.NONE
        assert await admit(lines, "2.1", Caps(lines=2)) is Limit.NONE
        legs.take(event("outside", "2.1", "2.2", extra="201|+48600100200"))
        legs.join("2.1", "1.1")
        await LineKeeper(lines, call_up(legs, "1.1")).renew_due()
        assert {place.split("/")[0] for place in await redis.zrange(lines_key("acme"), 0, -1)} == {"1.1"}
        assert await admit(lines, "3.1", Caps(user_calls=1)) is Limit.USER_CALLS
        assert await admit(lines, "3.1", Caps(lines=2), "202") is Limit.LINES
        await loads.count([Conversations("acme", "1.1", DAY, (), frozenset(), {"201": 7200})])
        assert await redis.zcard(lines_key("acme")) == 0
        assert await redis.hgetall(outside_key("acme", DAY)) == {"201": "7200", "": "7200"}


async def test_only_tenants_whose_calls_changed_or_whose_leases_run_out_are_looked_at(redis_server: RedisServer) -> None:
    """However many calls there are."""
    now, renewed = 1000.0, list[str]()
    async with live.connect(redis_server.url) as redis:
        lines, legs = Lines(redis), LegsOutside()

        class Counted(Lines):
            async def renew(self, tenant: str, seen: Seen) -> None:
                renewed.append(tenant)
                await super().renew(tenant, seen)

        async def tells() -> list[str]:
            renewed.clear()
            await keeper.renew_due()
            return sorted(renewed)

        keeper = LineKeeper(Counted(redis), legs, lambda: now)
        call_up(legs, "1.1", "1.2")
        call_up(legs, "2.1", tenant="rossi")
        assert await tells() == ["acme", "rossi"]
        assert await tells() == []
        legs.take(event("outside", "1.1", "1.3", extra="201|+48600100200"))
        now += 1
        assert await tells() == ["acme"]
        now += RENEW_S - 1
        assert await tells() == ["rossi"]
        await redis_server.stop()
        legs.take(event("HANGUP", "1.1", "1.3"))
        for _ in range(2):
            with pytest.raises(live.AWAY):
                await keeper.renew_due()
        await redis_server.start()
        assert await tells() == ["acme"]
        legs.forget("2.1")
        now += RENEW_S
        assert await tells() == ["acme"]
        assert await admit_in(lines, "3.1", Caps(lines=1)) is Limit.NONE       # nothing had taken a place


async def test_two_calls_from_outside_that_are_joined_hold_two_lines(redis_server: RedisServer) -> None:
    async with live.connect(redis_server.url) as redis:
        lines, legs = Lines(redis), LegsOutside()
        for call in ("1.1", "2.1"):
            assert await admit_in(lines, call, Caps(lines=2)) is Limit.NONE
        legs.join("2.1", "1.1")
        keeper = LineKeeper(lines, call_up(legs, "1.1"))
        for _ in range(2):
            await keeper.renew_due()
        assert await admit_in(lines, "3.1", Caps(lines=2)) is Limit.LINES
        assert await redis.zcard(lines_key("acme")) == 2


async def test_each_user_pays_for_the_time_of_the_own_legs(redis_server: RedisServer) -> None:
    async with live.connect(redis_server.url) as redis:
        talked = Conversations("acme", "1.1", DAY, (), frozenset(), {"201": 400, "202": 200, "": 60})
        for _ in range(2):
            await LoadStore(redis).count([talked])
        assert await redis.hgetall(outside_key("acme", DAY)) == {"201": "400", "202": "200", "": "660"}


async def test_leg_that_no_decision_counted_holds_a_line_as_soon_as_it_is_seen(redis_server: RedisServer) -> None:
    """Redis was away when it was called."""
    async with live.connect(redis_server.url) as redis:
        lines, legs = Lines(redis), LegsOutside()
        legs.take(event("outside", "1.1", "1.2", extra="201|+48600100200"))
        await LineKeeper(lines, call_up(legs, "1.1")).renew_due()
        assert await admit(lines, "2.1", Caps(user_calls=1)) is Limit.USER_CALLS


async def test_nobody_waits_for_a_redis_that_is_away_and_no_call_is_refused(redis_server: RedisServer) -> None:
    async with live.connect(redis_server.url) as redis:
        answers = RedisAnswers(redis)
        await redis_server.stop()
        began = time.monotonic()
        assert await answers.answer("acme", "1.1", Admit(Caps(lines=1), DAY), "1.1/") is Limit.NONE
        assert await answers.answer("acme", "1.1", KnownCountry("DE"), "1.1/") is False
        assert await answers.check_pin("acme", CheckPin("201", "4821"), "4821") is PinIs.LOCKED
        assert time.monotonic() - began < 3 * LIMIT_S + 20


async def test_country_is_known_once_somebody_of_the_tenant_has_confirmed_it(redis_server: RedisServer) -> None:
    async with live.connect(redis_server.url) as redis:
        answers = RedisAnswers(redis)
        assert not await answers.answer("acme", "1.1", KnownCountry("DE"), "1.1/")
        await answers.answer("acme", "1.1", ConfirmCountry("DE"), "1.1/")
        assert await answers.answer("acme", "2.1", KnownCountry("DE"), "2.1/")
        assert not await answers.answer("rossi", "2.1", KnownCountry("DE"), "2.1/")


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

    @settings(max_examples=examples(150), deadline=None, database=None)
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
            outgoing_calls = [f"{i}.{caller}/{caller}/112/{i}//1" for caller, many in usage.calls.items() for i in range(many)]
            inside = [f"{i}.9" for i in range(usage.lines - len(outgoing_calls))]
            if places := outgoing_calls + inside:
                await redis.zadd(lines_key("acme"), dict.fromkeys(places, (time.time() + 60) * 1000))
            used = {caller: minutes * 60 for caller, minutes in usage.minutes.items()}
            await redis.hset(outside_key("acme", DAY), mapping=used | {"": sum(used.values())})
            for whose in usage.stopped:
                await lines.stop("acme", whose, "test")
            found = await lines.admit("acme", "5.5", "5.5/", Admit(limits, DAY, user, outgoing, number="112"))
            assert found is reached(limits, usage, user, outgoing=outgoing), (limits, usage, user, outgoing)
