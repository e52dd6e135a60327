"""Groups on real phones: who rings, who does not, what the others see, and where the call goes when nobody takes it."""

import asyncio

import pytest

from routing.call.english import in_english
from routing.call.facts import DeviceState
from sipp import Answer, AwaitHangUp, Callee, Caller, Cancel, Cast, Ear, Load, Refuse, Ring, SendHangUp, Silence, Sipp
from tests.live.calling import dials
from tests.live.pbx import TRUNK, Pbx, path_of

pytestmark = pytest.mark.live

IDLE, IN_USE = DeviceState.IDLE, DeviceState.IN_USE
TURNS, LONGEST_IDLE, EXITS, TOGETHER, IN_ORDER, STAGGERED, MUSIC, DIRECT = (f"4822300000{n}" for n in range(1, 9))


async def call(pbx: Pbx, cast: Cast, number: str, caller: Caller, ending: object = None) -> None:
    await cast.call(dials(number, caller, ending=ending or AwaitHangUp()), at=TRUNK["hunt"])


def is_told_elsewhere(cast: Cast, phone: Sipp) -> bool:
    """Whether the one call that this phone lost was taken by somebody else, as RFC 3326 says it."""
    (cancel,) = cast.results[phone.local].received("CANCEL")
    return "Reason: SIP;cause=200" in cancel.text.replace("; ", ";")


@pytest.mark.parametrize("number", [TURNS, LONGEST_IDLE])
async def test_fifty_calls_at_once_to_ten_phones_are_five_for_each(pbx: Pbx, number: str) -> None:
    async with pbx.cast(limit_s=60) as cast:
        for extension in range(210, 220):
            await pbx.phone(cast, f"hunt-{extension}-desk", Callee(then=Answer()), calls=5)
        await cast.call(
            dials(number, pbx.outside_caller(), ending=SendHangUp(4000)), at=TRUNK["hunt"],
            load=Load(calls=50, per_s=50, at_once=50))
    await pbx.nothing_is_left()


async def test_next_call_goes_to_whoever_talked_longest_ago(pbx: Pbx) -> None:
    callers = [pbx.outside_caller() for _ in range(12)]
    answered = []
    async with pbx.cast(limit_s=90) as cast:
        for extension in range(210, 220):
            await pbx.phone(cast, f"hunt-{extension}-desk", Callee(then=Answer(ending=SendHangUp(50))), calls=None)
        for caller in callers:
            await call(pbx, cast, LONGEST_IDLE, caller)
            answered.append((await pbx.record(caller, "hunt")).answered_by)
    assert sorted(answered[:10]) == [str(extension) for extension in range(210, 220)]
    assert answered[10:] == answered[:2]


async def test_each_of_the_three_exits_is_taken_when_it_is_due(pbx: Pbx) -> None:
    nobody, everybody, empty, first = (pbx.outside_caller() for _ in range(4))
    async with pbx.cast() as cast:
        await call(pbx, cast, EXITS, empty)
        await pbx.phone(cast, "hunt-220-desk", Callee(then=Ring()))
        await pbx.phone(cast, "hunt-221-desk", Callee(then=Refuse(486, "Busy Here")))
        await call(pbx, cast, EXITS, nobody)
    async with pbx.cast() as cast:
        await pbx.phone(cast, "hunt-220-desk", Callee(then=Answer()))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(cast.call(dials(DIRECT, first, Silence(3000), ending=SendHangUp(500)), at=TRUNK["hunt"]))
            await pbx.until_state("hunt-220-desk", IN_USE)
            await call(pbx, cast, EXITS, everybody)
    assert path_of(await pbx.record(empty, "hunt")) == pbx.simulated(EXITS, tenant="hunt")
    assert [(entry.node, in_english(entry.why)) for entry in (await pbx.record(nobody, "hunt")).path][1:4] == [
        ("exits", "rings 220"), ("exits", "noanswer, rings 221"), ("exits", "busy, nobody is left, on to nobody")]
    assert path_of(await pbx.record(everybody, "hunt")) == pbx.simulated(EXITS, tenant="hunt", x220=IN_USE)


async def test_phones_of_the_others_show_no_missed_call_when_one_answers(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast() as cast:
        other = await pbx.phone(cast, "hunt-220-desk", Callee(then=Ring()))
        await pbx.phone(cast, "hunt-221-desk", Callee(then=Answer(ring_ms=400, ending=SendHangUp(100))))
        await call(pbx, cast, TOGETHER, caller)
    assert is_told_elsewhere(cast, other)
    assert path_of(await pbx.record(caller, "hunt")) == pbx.simulated(
        TOGETHER, tenant="hunt", x220=IDLE, x221=IDLE, silent=("220",))


async def test_phone_whose_call_goes_on_to_the_next_member_shows_no_missed_call_but_the_last_does(pbx: Pbx) -> None:
    async with pbx.cast() as cast:
        first = await pbx.phone(cast, "hunt-220-desk", Callee(then=Ring()))
        last = await pbx.phone(cast, "hunt-221-desk", Callee(then=Ring()))
        await call(pbx, cast, IN_ORDER, pbx.outside_caller())
    assert is_told_elsewhere(cast, first)
    assert not is_told_elsewhere(cast, last)


async def test_everybody_missed_a_call_that_the_caller_gave_up(pbx: Pbx) -> None:
    async with pbx.cast() as cast:
        phones = [await pbx.phone(cast, f"hunt-{extension}-desk", Callee(then=Ring())) for extension in (220, 221)]
        await call(pbx, cast, TOGETHER, pbx.outside_caller(), Cancel(500))
    assert [is_told_elsewhere(cast, phone) for phone in phones] == [False, False]


async def test_member_with_a_delay_rings_later_and_takes_the_call(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast() as cast:
        first = await pbx.phone(cast, "hunt-220-desk", Callee(then=Ring()))
        await pbx.phone(cast, "hunt-221-desk", Callee(then=Answer(ring_ms=200, ending=SendHangUp(200))))
        await call(pbx, cast, STAGGERED, caller)
    assert is_told_elsewhere(cast, first)
    record = await pbx.record(caller, "hunt")
    assert record.answered_by == "221"
    assert record.answered_at is not None
    assert 2 <= (record.answered_at - record.started_at).total_seconds() < 4
    assert path_of(record) == pbx.simulated(STAGGERED, tenant="hunt", x220=IDLE, x221=IDLE, silent=("220",))
    await pbx.nothing_is_left()


async def test_member_with_a_delay_is_told_too_that_another_took_the_call(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast() as cast:
        await pbx.phone(cast, "hunt-220-desk", Callee(then=Answer(ring_ms=3000, ending=SendHangUp(200))))
        late = await pbx.phone(cast, "hunt-221-desk", Callee(then=Ring()))
        await call(pbx, cast, STAGGERED, caller)
    assert is_told_elsewhere(cast, late)
    assert (await pbx.record(caller, "hunt")).answered_by == "220"


async def test_member_with_a_delay_is_not_rung_when_another_answers_before(pbx: Pbx) -> None:
    async with pbx.cast() as cast:
        await pbx.phone(cast, "hunt-220-desk", Callee(then=Answer(ring_ms=200, ending=SendHangUp(200))))
        await pbx.phone(cast, "hunt-221-desk", Callee(then=Ring()), calls=0)
        await call(pbx, cast, STAGGERED, pbx.outside_caller())
        await asyncio.sleep(2)
    await pbx.nothing_is_left()


async def test_caller_hears_the_prompt_and_then_the_music_of_the_group(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast() as cast, Ear(TRUNK["hunt"]) as ear:
        await pbx.phone(cast, "hunt-220-desk", Callee(then=Answer(ring_ms=3000, ending=SendHangUp(100))))
        before = pbx.log_size()
        await cast.call(dials(MUSIC, caller, Silence(4000), ending=AwaitHangUp()), at=TRUNK["hunt"], ear=ear)
        assert len(ear.packets) > 100
    assert path_of(await pbx.record(caller, "hunt")) == pbx.simulated(MUSIC, tenant="hunt", x220=IDLE)
    assert "Music class" not in pbx.log_since(before)
