"""A user with several devices and a mobile: one answers, and the others show no missed call."""

import asyncio
import re

import pytest

from sipp import Address, Answer, AwaitHangUp, Callee, Cast, Ring, SendHangUp, Silence, keys
from tests.live.calling import dials
from tests.live.pbx import Pbx, until
from tests.live.test_groups import is_told_elsewhere

pytestmark = pytest.mark.live

TRUNK = "127.77.0.35"
CARRIER = Address(TRUNK, 5080)
DIRECT, LINE = "48225000001", "48225000002"
TALKS = Answer(ring_ms=3000, ending=SendHangUp(200))
CONFIRMS = Answer(media=(Silence(1500), *keys("1"), Silence(1000)), ending=SendHangUp(500))


async def carrier(pbx: Pbx, cast: Cast, then: Answer | Ring) -> None:
    """Anna's mobile, behind the trunk, once Asterisk knows that the carrier is there."""
    await cast.callee(Callee(then=then), at=CARRIER)
    await asyncio.to_thread(pbx.runtime.asterisk_cli, "pjsip qualify homes-trunk-carrier")
    await until(
        lambda: re.search(rf"{CARRIER.host}:\S+ +\S+ +Avail", pbx.runtime.asterisk_cli("pjsip show contacts")),
        "Asterisk knows that the carrier is there")


async def test_phones_and_the_mobile_show_no_missed_call_when_one_phone_answers(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast() as cast:
        await pbx.phone(cast, "homes-201-desk", Callee(then=TALKS))
        others = [await pbx.phone(cast, f"homes-201-{device}", Callee(then=Ring())) for device in ("dect", "browser")]
        await carrier(pbx, cast, Ring())
        await cast.call(dials(DIRECT, caller, ending=AwaitHangUp()), at=TRUNK)
    assert all(is_told_elsewhere(cast, phone) for phone in others)
    (cancel,) = cast.results[CARRIER].received("CANCEL")
    assert "Reason: SIP;cause=200" in cancel.text
    assert (await pbx.record(caller, "homes")).answered_by == "201"
    await pbx.nothing_is_left()


async def test_phones_show_no_missed_call_when_the_mobile_takes_it(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast() as cast:
        phones = [await pbx.phone(cast, f"homes-201-{device}", Callee(then=Ring())) for device in ("desk", "dect", "browser")]
        await carrier(pbx, cast, CONFIRMS)
        await cast.call(dials(DIRECT, caller, ending=AwaitHangUp()), at=TRUNK)
    assert [is_told_elsewhere(cast, phone) for phone in phones] == [True] * 3
    assert (await pbx.record(caller, "homes")).answered_by == "homes-trunk-carrier"
    await pbx.nothing_is_left()


async def test_agents_phones_show_no_missed_call_when_the_mobile_takes_it_from_the_queue(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast() as cast:
        phones = [await pbx.phone(cast, f"homes-201-{device}", Callee(then=Ring())) for device in ("desk", "browser")]
        unrung = await pbx.phone(cast, "homes-201-dect", Callee(then=Ring()), calls=0)
        await carrier(pbx, cast, CONFIRMS)
        await cast.call(dials(LINE, caller, ending=AwaitHangUp()), at=TRUNK)
    assert [is_told_elsewhere(cast, phone) for phone in phones] == [True] * 2
    assert not cast.results[unrung.local].received("INVITE")
    (invite,) = cast.results[CARRIER].received("INVITE")
    assert "sip:+48225000001@" in invite.text.partition("From:")[2].splitlines()[0]
    assert (await pbx.record(caller, "homes")).answered_by == "homes-trunk-carrier"
    await pbx.nothing_is_left()
