"""A conversation moves from one of the user's phones to another, and nobody else's does."""

import asyncio
from dataclasses import replace

import pytest

from routing.facts import DeviceState
from sipp import Address, Answer, AwaitHangUp, Call, Callee, Caller, Ear, HangUp, Ring, Silence, Tone
from tests.live.pbx import Pbx, path_of
from tests.live.test_calls import dials
from tests.live.test_devices import CARRIER, CONFIRMS, DIRECT, TRUNK, carrier

pytestmark = pytest.mark.live

IN_USE = DeviceState.IN_USE
MOVE = "*71"
AT_DECT = "127.77.8.61"


def moves(pbx: Pbx, endpoint: str, *media: object, ending: object = None) -> Call:
    """This phone dials the code."""
    me = pbx.account(endpoint)
    return Call(number=MOVE, caller=Caller(me.user), account=me, media=tuple(media), ending=ending or HangUp(300))      # type: ignore[arg-type]


async def test_call_moves_to_the_phone_that_dials_the_code_and_both_hear_each_other(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast() as cast, Ear(TRUNK) as at_caller, Ear(AT_DECT) as at_dect:
        desk = await pbx.phone(cast, "homes-201-desk", Callee(then=Answer(ring_ms=100, ending=AwaitHangUp())))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(cast.call(
                dials(DIRECT, caller, Tone(440, 6000), ending=AwaitHangUp()), at=TRUNK, ear=at_caller))
            await pbx.until_state("homes-201-desk", IN_USE)
            await cast.call(moves(pbx, "homes-201-dect", Silence(200), Tone(1000, 2500)), at=AT_DECT, ear=at_dect)
        assert at_dect.share_of_tone(440) > 0.6
        assert at_caller.share_of_tone(1000) > 0.3
    assert cast.results[desk.local].received("BYE")
    await pbx.nothing_is_left()
    record = await pbx.record(caller, "homes")
    assert record.answered_by == "201"


async def test_call_that_the_user_made_moves_too(pbx: Pbx) -> None:
    me = pbx.account("homes-201-desk")
    async with pbx.cast() as cast, Ear("127.77.8.62") as at_jan, Ear(AT_DECT) as at_dect:
        await cast.callee(
            Callee(then=Answer(media=(Tone(440, 6000),), ending=AwaitHangUp())), at=Address("127.77.8.62"),
            account=pbx.account("homes-202-desk"), ear=at_jan)
        await pbx.until_state("homes-202-desk", DeviceState.IDLE)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(cast.call(
                Call(number="202", caller=Caller(me.user), account=me, media=(Silence(6000),), ending=AwaitHangUp()), at="127.77.8.63"))
            await pbx.until_state("homes-202-desk", IN_USE)
            await cast.call(moves(pbx, "homes-201-dect", Silence(200), Tone(1000, 2500)), at=AT_DECT, ear=at_dect)
        assert at_dect.share_of_tone(440) > 0.6
        assert at_jan.share_of_tone(1000) > 0.3
    await pbx.nothing_is_left()


async def test_call_moves_from_the_mobile_to_a_phone(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    stays = replace(CONFIRMS, media=(*CONFIRMS.media, Silence(8000)), ending=AwaitHangUp())
    async with pbx.cast() as cast, Ear(TRUNK) as at_caller, Ear(AT_DECT) as at_dect:
        await pbx.phone(cast, "homes-201-desk", Callee(then=Ring()))
        await carrier(pbx, cast, stays)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(cast.call(
                dials(DIRECT, caller, Tone(440, 12000), ending=AwaitHangUp()), at=TRUNK, ear=at_caller))
            await pbx.until_state("homes-201-desk", DeviceState.RINGING)
            await pbx.until_state("homes-201-desk", DeviceState.IDLE)
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
            tasks.create_task(cast.call(dials(DIRECT, caller, Tone(440, 5000), ending=HangUp(200)), at=TRUNK))
            await pbx.until_state("homes-201-desk", IN_USE)
            await cast.call(moves(pbx, "homes-202-dect", ending=AwaitHangUp()), at="127.77.8.64", ear=at_jan)
            assert not cast.results.get(desk.local)
        assert at_jan.share_of_tone(440) < 0.05
    (record,) = await pbx.records("202", "homes", at_least=1)
    assert path_of(record) == pbx.simulated(MOVE, tenant="homes", extension="202")
