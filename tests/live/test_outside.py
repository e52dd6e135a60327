"""Calls that leave by a trunk: who is called, what the carrier is shown, and what becomes of a call nobody takes."""

import asyncio
import re

import pytest

from routing.call.facts import DeviceState
from sipp import (
    Address,
    Answer,
    AwaitHangUp,
    Call,
    Callee,
    Caller,
    Cast,
    Refuse,
    Refused,
    Result,
    Ring,
    SendHangUp,
    Silence,
    keys,
    run,
)
from store.records import Outcome
from tests.live.pbx import TRUNK, Pbx, path_of, until

pytestmark = pytest.mark.live

CARRIER = Address(TRUNK["acme"])
PARTNER, BRANCH = "48221234573", "401"


async def carrier(pbx: Pbx, cast: Cast, callee: Callee) -> None:
    """The carrier of acme's trunk, once Asterisk knows that it is there: it asks by itself every minute."""
    await cast.callee(callee, at=CARRIER)
    await asyncio.to_thread(pbx.runtime.asterisk_cli, "pjsip qualify acme-trunk-carrier")
    await until(
        lambda: re.search(rf"{CARRIER.host}:\S+ +\S+ +Avail", pbx.runtime.asterisk_cli("pjsip show contacts")),
        "Asterisk knows that the carrier is there")


def header(result: Result, name: str) -> str:
    """That of the one INVITE that came."""
    (invite,) = result.received("INVITE")
    return next(line.partition(":")[2].strip() for line in invite.text.splitlines() if line.startswith(f"{name}:"))


async def test_caller_from_outside_is_connected_through_the_trunk_and_shown_with_the_firm_vouching(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast() as cast:
        await carrier(pbx, cast, Callee(then=Answer(ending=SendHangUp(300))))
        await cast.call(Call(number=PARTNER, caller=caller, ending=AwaitHangUp()), at=TRUNK["acme"])
    seen = cast.results[CARRIER]
    assert seen.received("INVITE")[0].first_line.startswith("INVITE sip:+48587000002@")
    assert f"sip:{caller.number}@" in header(seen, "From")
    assert header(seen, "P-Asserted-Identity") == "<tel:+48221234567>"
    call = await pbx.record(caller)
    assert (call.outcome, call.answered_by) == (Outcome.ANSWERED, "acme-trunk-carrier")
    assert path_of(call) == pbx.simulated(PARTNER)
    await pbx.nothing_is_left()


async def test_colleague_calls_a_branch_and_is_shown_as_the_number_that_the_firm_chose(pbx: Pbx) -> None:
    me = pbx.account("acme-202-desk")
    async with pbx.cast() as cast:
        await carrier(pbx, cast, Callee(then=Answer(ending=SendHangUp(300))))
        call = Call(number=BRANCH, caller=Caller(me.user), account=me, ending=AwaitHangUp())
        await cast.call(call, at="127.77.8.12")
    seen = cast.results[CARRIER]
    assert seen.received("INVITE")[0].first_line.startswith("INVITE sip:+48587000001@")
    assert "sip:+48221234568@" in header(seen, "From")
    assert "202" not in header(seen, "From").partition("@")[0]
    assert header(seen, "P-Asserted-Identity") == "<tel:+48221234568>"


@pytest.mark.parametrize(("code", "state"), [(486, DeviceState.BUSY), (404, DeviceState.UNAVAILABLE)])
async def test_number_outside_that_refuses_sends_the_call_where_the_element_says(
    pbx: Pbx, code: int, state: DeviceState,
) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast() as cast:
        await carrier(pbx, cast, Callee(then=Refuse(code, "No")))
        await cast.call(Call(number=PARTNER, caller=caller, ending=SendHangUp(3000)), at=TRUNK["acme"])
    call = await pbx.record(caller)
    assert call.outcome is Outcome.VOICEMAIL
    assert path_of(call)[:4] == pbx.simulated(PARTNER, outside={"+48587000002": state})[:4]


async def test_caller_on_the_blacklist_is_told_and_refused(pbx: Pbx) -> None:
    caller = Caller("799100200")          # as a Polish carrier may write it
    call = Call(number=PARTNER, caller=caller, ending=Refused(403))
    await run(call, local=TRUNK["acme"], server=pbx.server)
    assert path_of(await pbx.record(caller))[0] == ("start", "+48799100200 is on the blacklist")


MOBILE, FORWARDING = "48221234575", "48221234576"


async def test_mobile_that_presses_the_key_gets_the_call(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast() as cast:
        await pbx.phone(cast, "acme-205-desk", Callee(then=Ring()))
        takes = Answer(media=(Silence(1500), *keys("1"), Silence(1000)), ending=SendHangUp(500))
        await carrier(pbx, cast, Callee(then=takes))
        await cast.call(Call(number=MOBILE, caller=caller, ending=AwaitHangUp()), at=TRUNK["acme"])
    seen = cast.results[CARRIER]
    assert seen.received("INVITE")[0].first_line.startswith("INVITE sip:+48600000205@")
    assert "sip:+48221234568@" in header(seen, "From")
    call = await pbx.record(caller)
    assert (call.outcome, call.answered_by) == (Outcome.ANSWERED, "acme-trunk-carrier")
    await pbx.nothing_is_left()


async def test_voicemail_of_a_mobile_does_not_swallow_the_call_and_the_desk_rings_on(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast() as cast:
        await pbx.phone(cast, "acme-205-desk", Callee(then=Answer(ring_ms=3000, ending=SendHangUp(300))))
        await carrier(pbx, cast, Callee(then=Answer()))
        await cast.call(Call(number=MOBILE, caller=caller, ending=AwaitHangUp()), at=TRUNK["acme"])
    call = await pbx.record(caller)
    assert (call.outcome, call.answered_by) == (Outcome.ANSWERED, "205")
    assert path_of(call)[:2] == pbx.simulated(MOBILE, x205=DeviceState.IDLE)[:2]


FIELD = "48221234590"


async def test_member_outside_sees_the_groups_number_and_gets_the_call_with_a_key_while_the_desk_rings(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast() as cast:
        await pbx.phone(cast, "acme-206-desk", Callee(then=Ring()))
        await carrier(pbx, cast, Callee(then=Answer(media=(Silence(1500), *keys("1"), Silence(1000)), ending=SendHangUp(500))))
        await cast.call(Call(number=FIELD, caller=caller, ending=AwaitHangUp()), at=TRUNK["acme"])
    seen = cast.results[CARRIER]
    assert seen.received("INVITE")[0].first_line.startswith("INVITE sip:+48600000333@")
    assert "sip:+48221234568@" in header(seen, "From")
    assert header(seen, "P-Asserted-Identity") == "<tel:+48221234568>"
    call = await pbx.record(caller)
    assert (call.outcome, call.answered_by) == (Outcome.ANSWERED, "acme-trunk-carrier")
    assert path_of(call) == pbx.simulated(FIELD, x206=DeviceState.IDLE, silent=("206",))
    await pbx.nothing_is_left()


async def test_member_outside_whose_voicemail_answers_leaves_the_call_to_the_desk(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast() as cast:
        await pbx.phone(cast, "acme-206-desk", Callee(then=Answer(ring_ms=4000, ending=SendHangUp(300))))
        await carrier(pbx, cast, Callee(then=Answer()))
        await cast.call(Call(number=FIELD, caller=caller, ending=AwaitHangUp()), at=TRUNK["acme"])
    assert (await pbx.record(caller)).answered_by == "206"


async def test_user_who_is_not_registered_is_reached_by_the_forward_outside(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast() as cast:
        await carrier(pbx, cast, Callee(then=Answer(ending=SendHangUp(300))))
        await cast.call(Call(number=FORWARDING, caller=caller, ending=AwaitHangUp()), at=TRUNK["acme"])
    assert f"sip:{caller.number}@" in header(cast.results[CARRIER], "From")
    assert header(cast.results[CARRIER], "Diversion") == "<tel:+48221234576>;reason=unavailable"
    assert path_of(await pbx.record(caller)) == pbx.simulated(FORWARDING)


async def test_phones_own_redirection_is_not_followed_past_the_rules(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast() as cast:
        await pbx.phone(cast, "acme-206-desk", Callee(then=Refuse(302, "Moved Temporarily\r\nContact: <sip:202@127.77.0.1>")))
        await pbx.phone(cast, "acme-202-desk", Callee(then=Ring()), calls=0)
        await cast.call(Call(number=FORWARDING, caller=caller, ending=SendHangUp(2000)), at=TRUNK["acme"])
    assert path_of(await pbx.record(caller))[:3] == pbx.simulated(FORWARDING, x206=DeviceState.BUSY)[:3]
