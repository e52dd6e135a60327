"""A conversation moves from one of the user's phones to another, and nobody else's does."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from routing.call.facts import DeviceState
from sipp import Answer, AwaitHangUp, Call, Callee, Caller, Ear, Refuse, Ring, SendHangUp, Silence, Tone, keys
from tests.agents import baresip
from tests.agents.audio import dominant_frequency, tone
from tests.live.calling import dials
from tests.live.pbx import Pbx, path_of, until
from tests.live.test_devices import CARRIER, CONFIRMS, DIRECT, TRUNK, carrier

pytestmark = pytest.mark.live

MOVE, JAN = "*71", "48225000003"
AT_DECT = "127.77.8.61"


async def until_bridged(pbx: Pbx) -> None:
    """Until two talk with each other; a phone is in use a little earlier."""
    async def are_bridged() -> bool:
        listed = await asyncio.to_thread(pbx.runtime.asterisk_cli, "core show channels concise")
        bridges = [line.split("!")[-2] for line in listed.splitlines() if line.count("!") > 10]
        return any(bridge and bridges.count(bridge) == 2 for bridge in bridges)

    await until(are_bridged, "two channels are bridged")


def moves(pbx: Pbx, endpoint: str, *media: object, ending: object = None) -> Call:
    """This phone dials the code."""
    me = pbx.account(endpoint)
    return Call(number=MOVE, caller=Caller(me.user), account=me, media=tuple(media), ending=ending or SendHangUp(300))      # type: ignore[arg-type]


async def test_call_moves_to_the_phone_that_dials_the_code_and_both_hear_each_other(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    began = datetime.now(UTC)
    async with pbx.cast() as cast, Ear(TRUNK) as at_caller, Ear(AT_DECT) as at_dect:
        desk = await pbx.phone(cast, "homes-201-desk", Callee(then=Answer(ring_ms=100, ending=AwaitHangUp())))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(cast.call(
                dials(DIRECT, caller, Tone(440, 6000), ending=AwaitHangUp()), at=TRUNK, ear=at_caller))
            await until_bridged(pbx)
            await cast.call(moves(pbx, "homes-201-dect", Silence(200), Tone(1000, 2500)), at=AT_DECT, ear=at_dect)
        assert at_dect.share_of_tone(440) > 0.6
        assert at_caller.share_of_tone(1000) > 0.3
    assert cast.results[desk.local].received("BYE")
    await pbx.nothing_is_left()
    record = await pbx.record(caller, "homes")
    assert record.answered_by == "201"
    assert ("start", "201 takes over its own call") in path_of(record)
    assert len(await pbx.since("homes", began)) == 1


async def hears(phone: baresip.Phone, hz: float) -> None:
    async def is_heard() -> bool:
        return abs(dominant_frequency(await phone.hear(0.3)) - hz) < 20

    await until(is_heard, f"{phone.host} hears {hz} Hz")


async def speaking(pbx: Pbx, stack: AsyncExitStack, endpoint: str, hz: float) -> baresip.Phone:
    """A registered phone that speaks. Not SIPp, which takes no second INVITE by which a phone is told whom it now talks with."""
    phone = await stack.enter_async_context(baresip.phone(pbx.new_address().host, speaks=tone(hz, 60)))
    await phone.register(endpoint, pbx.secrets.sip[endpoint], pbx.server)
    await pbx.until_state(endpoint, DeviceState.IDLE)
    return phone


async def test_call_that_the_user_made_moves_too(pbx: Pbx) -> None:
    began = datetime.now(UTC)
    async with AsyncExitStack() as stack:
        desk, dect, jan = [await speaking(pbx, stack, endpoint, hz) for endpoint, hz in (
            ("homes-201-desk", 700), ("homes-201-dect", 1000), ("homes-202-desk", 440))]
        await desk.dial("202", pbx.server)
        await jan.until("CALL_INCOMING", unless="")
        await jan.accept()
        await hears(desk, 440)
        await dect.dial(MOVE, pbx.server)
        await hears(dect, 440)
        await hears(jan, 1000)
        await desk.until("CALL_CLOSED", unless="")
        await jan.hang_up()
        await pbx.nothing_is_left()
    (call,) = await pbx.since("homes", began)
    assert (call.caller, call.dialled, call.answered_by) == ("201", "202", "202")


async def test_call_moves_from_the_mobile_to_a_phone(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    stays = replace(CONFIRMS, media=(*CONFIRMS.media, Silence(8000)), ending=AwaitHangUp())
    async with pbx.cast() as cast, Ear(TRUNK) as at_caller, Ear(AT_DECT) as at_dect:
        await pbx.phone(cast, "homes-201-desk", Callee(then=Ring()))
        await carrier(pbx, cast, stays)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(cast.call(
                dials(DIRECT, caller, Tone(440, 12000), ending=AwaitHangUp()), at=TRUNK, ear=at_caller))
            await until_bridged(pbx)
            await cast.call(moves(pbx, "homes-201-dect", Silence(200), Tone(1000, 2500)), at=AT_DECT, ear=at_dect)
        assert at_dect.share_of_tone(440) > 0.6
        assert at_caller.share_of_tone(1000) > 0.2
    assert cast.results[CARRIER].received("BYE")
    await pbx.nothing_is_left()


async def test_nobody_takes_over_the_call_of_a_colleague(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast() as cast, Ear("127.77.8.64") as at_jan:
        desk = await pbx.phone(cast, "homes-201-desk", Callee(then=Answer(ring_ms=100, ending=AwaitHangUp())))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(cast.call(dials(DIRECT, caller, Tone(440, 5000), ending=SendHangUp(200)), at=TRUNK))
            await until_bridged(pbx)
            await cast.call(moves(pbx, "homes-202-dect", ending=AwaitHangUp()), at="127.77.8.64", ear=at_jan)
            assert not cast.results.get(desk.local)
        assert at_jan.share_of_tone(440) < 0.05
    (record,) = await pbx.records("202", "homes", at_least=1)
    assert path_of(record) == pbx.simulated(MOVE, tenant="homes", extension="202")


async def test_code_keyed_in_the_conversation_rings_the_other_phones_and_who_answers_goes_on(pbx: Pbx) -> None:
    number, began = pbx.outside_caller().number, datetime.now(UTC)
    async with AsyncExitStack() as stack:
        desk, dect = [await speaking(pbx, stack, f"homes-202-{device}", hz) for device, hz in (("desk", 700), ("dect", 1000))]
        outside = await stack.enter_async_context(baresip.phone(TRUNK, speaks=tone(440, 60)))
        await outside.use(number, pbx.server)
        await outside.dial(JAN, pbx.server)
        await desk.until("CALL_INCOMING", unless="")
        await desk.accept()
        await hears(desk, 440)
        await desk.press("*5")
        await dect.until("CALL_INCOMING", unless="")
        await hears(outside, 700)
        await dect.accept()
        await hears(dect, 440)
        await hears(outside, 1000)
        await desk.until("CALL_CLOSED", unless="")
        await outside.hang_up()
        await pbx.nothing_is_left()
    (call,) = await pbx.since("homes", began)
    assert (call.caller, call.answered_by) == (number, "202")


async def test_conversation_stays_where_it_is_when_no_other_phone_takes_it(pbx: Pbx) -> None:
    keying = Answer(ring_ms=100, media=(Silence(1000), *keys("*5"), Silence(4000)), ending=SendHangUp(200))
    async with pbx.cast() as cast:
        await pbx.phone(cast, "homes-202-desk", Callee(then=keying))
        await pbx.phone(cast, "homes-202-dect", Callee(then=Refuse(486, "Busy Here")))
        await cast.call(dials(JAN, pbx.outside_caller(), Tone(440, 5000), ending=AwaitHangUp()), at=TRUNK)
    await pbx.nothing_is_left()
