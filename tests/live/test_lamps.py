"""Lamps, pickup, call waiting and what held callers hear, on real phones."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from routing.call.facts import DeviceState
from sipp import Call, Callee, Refuse, SendHangUp, Silence, Sipp, Subscribe, started
from tests.live.firm import TO_ANNA, TO_JAN, TO_SALES, firm, path
from tests.live.pbx import TRUNK, Pbx, until

pytestmark = pytest.mark.live

PIDF = "application/pidf+xml"


@asynccontextmanager
async def watching(pbx: Pbx, target: str, *, told: int, by: str = "swap-203-desk", **more: str) -> AsyncIterator[Sipp]:
    """A phone that is told so often of the target, once its subscription stands."""
    watch = Subscribe(account=pbx.account(by), target=target, notifies=told, **more)  # type: ignore[arg-type]
    async with started(watch, local=pbx.new_address().host, server=pbx.server, limit_s=40) as sipp:
        await sipp.received("NOTIFY")
        yield sipp


async def bodies(sipp: Sipp) -> list[str]:
    result = await sipp.result()
    assert not result.failure, result.failure
    return [message.text.partition("\r\n\r\n")[2] or message.text.partition("\n\n")[2] for message in result.received("NOTIFY")]


async def test_lamp_of_a_user_blinks_is_lit_and_goes_out(pbx: Pbx) -> None:
    async with firm(pbx, "201") as it, watching(pbx, "201", told=4) as watch:
        await it["outside"].dial(TO_ANNA, pbx.server)
        await pbx.until_state("swap-201-desk", DeviceState.RINGING)
        await it.answers("201")
        await pbx.until_state("swap-201-desk", DeviceState.IN_USE)
        await it["outside"].hang_up()
        told = await bodies(watch)
    states = [next(state for state in ("early", "confirmed", "terminated") if f"<state>{state}</state>" in body) for body in told]
    assert states == ["terminated", "early", "confirmed", "terminated"]


async def test_presence_of_a_user_is_told_as_pidf(pbx: Pbx) -> None:
    async with firm(pbx, "201") as it, watching(pbx, "201", told=2, event="presence", accept=PIDF) as watch:
        await it["outside"].dial(TO_ANNA, pbx.server)
        await pbx.until_state("swap-201-desk", DeviceState.RINGING)
        await it["outside"].hang_up()
        told = await bodies(watch)
    assert "presence" in told[0]
    assert told[0] != told[1]


async def test_lamp_of_a_switch_shows_that_it_was_moved(pbx: Pbx) -> None:
    pbx.centralka("switch", "swap", "mode", "day")
    async with watching(pbx, "*61", told=3) as watch:
        pbx.centralka("switch", "swap", "mode", "night")
        await until(lambda: "InUse" in pbx.runtime.asterisk_cli("core show hint *61"), "the lamp is lit")
        pbx.centralka("switch", "swap", "mode", "day")
        told = await bodies(watch)
    assert ["confirmed" in body for body in told] == [False, True, False]


async def test_lamp_of_an_agent_shows_a_pause(pbx: Pbx) -> None:
    async with watching(pbx, "*52204", told=3) as watch:
        pbx.centralka("user", "swap", "204", "--pause")
        await until(lambda: "InUse" in pbx.runtime.asterisk_cli("core show hint *52204"), "the lamp is lit")
        pbx.centralka("user", "swap", "204", "--no-pause")
        told = await bodies(watch)
    assert ["confirmed" in body for body in told] == [False, True, False]


@pytest.mark.parametrize("target", ["299", "swap-201-desk", "201@swap-lamps", "s"])
async def test_nobody_watches_what_is_no_lamp(pbx: Pbx, target: str) -> None:
    watch = Subscribe(account=pbx.account("swapb-203-desk"), target=target, expect=404, notifies=0)
    async with started(watch, local=pbx.new_address().host, server=pbx.server) as sipp:
        result = await sipp.result()
    assert not result.failure, result.failure


async def test_lamp_shows_its_own_tenant_only(pbx: Pbx) -> None:
    async with firm(pbx, "201") as it, watching(pbx, "201", told=1, by="swapb-203-desk") as watch:
        await it["outside"].dial(TO_ANNA, pbx.server)
        await it.answers("201")
        await pbx.until_state("swap-201-desk", DeviceState.IN_USE)
        await it["outside"].hang_up()
        told = await bodies(watch)
    assert len(told) == 1


async def test_lamp_for_messages_is_told_unasked(pbx: Pbx) -> None:
    caller, phone = pbx.outside_caller(), pbx.new_address()
    async with pbx.cast() as cast:
        await cast.callee(Callee(then=Refuse()), at=phone, account=pbx.account("swap-202-desk"), calls=None)
        await pbx.until_state("swap-202-desk", DeviceState.IDLE)
        await cast.call(Call(number=TO_JAN, caller=caller, media=(Silence(9000),), ending=SendHangUp()), at=TRUNK["swap"])
        box = pbx.settings.home / "spool" / "voicemail" / "swap" / "202" / "INBOX"
        await until(lambda: list(box.glob("msg*.wav")), "the message is in the mailbox")
        await pbx.nothing_is_left()
    told = [message.text for message in cast.results[phone].received("NOTIFY")]
    assert "Messages-Waiting: yes" in told[-1]


@pytest.mark.parametrize("code", ["*8", "**201"])
async def test_ringing_call_is_picked_up_within_the_group(pbx: Pbx, code: str) -> None:
    async with firm(pbx, "201", "202") as it:
        await it["outside"].dial(TO_ANNA, pbx.server)
        await pbx.until_state("swap-201-desk", DeviceState.RINGING)
        await it["202"].dial(code, pbx.server)
        await it["202"].until("CALL_ESTABLISHED")
        await it.talk("outside", "202")
        await pbx.until_state("swap-201-desk", DeviceState.IDLE)
        await it["outside"].hang_up()
        call = await it.record()
    assert call.answered_by == "202"


async def test_call_of_a_group_is_picked_up(pbx: Pbx) -> None:
    async with firm(pbx, "204", "203") as it:
        await it["outside"].dial(TO_SALES, pbx.server)
        await pbx.until_state("swap-204-desk", DeviceState.RINGING)
        await it["203"].dial("*8", pbx.server)
        await it["203"].until("CALL_ESTABLISHED")
        await it.talk("outside", "203")
        await it["outside"].hang_up()
        await it.record()


@pytest.mark.parametrize(("tenant", "who", "code"), [
    ("swap", "203", "*8"), ("swap", "203", "**201"), ("swapb", "202", "*8"), ("swapb", "202", "**201"), ("swap", "202", "**299")])
async def test_nobody_picks_up_outside_the_own_group_and_tenant(pbx: Pbx, tenant: str, who: str, code: str) -> None:
    async with firm(pbx, "201") as it, firm(pbx, who, tenant=tenant, outside=False) as other:
        await it["outside"].dial(TO_ANNA, pbx.server)
        await pbx.until_state("swap-201-desk", DeviceState.RINGING)
        await other[who].dial(code, pbx.server)
        await other[who].until("CALL_CLOSED", unless="")
        assert pbx.state_of("swap-201-desk") == DeviceState.RINGING
        await it.answers("201")
        await it.talk("outside", "201")
        await it["outside"].hang_up()
        await it.record_only()


async def test_user_without_call_waiting_is_busy_during_a_call(pbx: Pbx) -> None:
    async with firm(pbx, "203", "204") as it:
        await it.dials("203", "204", answers="204")
        await pbx.until_state("swap-204-desk", DeviceState.IN_USE)
        await it["outside"].dial(TO_SALES, pbx.server)
        await it["outside"].until("CALL_CLOSED", unless="")
        call = await it.record_only()
        assert not [event for event in it["204"].events[2:] if event.kind == "CALL_INCOMING"][1:]
        await it["203"].hang_up()
    assert any("takes no second one" in why or "busy" in why for _, why in path(call))


async def test_held_caller_hears_the_tenants_music(pbx: Pbx) -> None:
    async with firm(pbx, "201") as it:
        await it.dials("outside", TO_ANNA, answers="201")
        await it["201"].hold()
        await it.hears_nobody("outside")
        assert abs(await it["outside"].hear(2)).max() > 500
        await it["201"].resume()
        await it.hears("outside", "201")
        await it["outside"].hang_up()
        await it.record()
