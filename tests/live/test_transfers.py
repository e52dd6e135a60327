"""Transfers by keys and by REFER, from each side: who is rung, what is heard, what the record says."""

import asyncio
import os
import signal

import pytest

from routing.call.facts import DeviceState
from runtime.process import Process
from tests.agents.audio import likeness
from tests.live.firm import OUTSIDE, TO_ANNA, TO_LINE, TO_SALES, Path, firm, path
from tests.live.pbx import Pbx
from tests.live.test_codes import ALIKE, sound

pytestmark = pytest.mark.live


def by(who: str, to: str, *more: tuple[str, str], does: str = "transfers to") -> Path:
    """A caller from outside reached 201, who passed the call on."""
    return [("start", "to +48248710011"), ("201", "rings desk"), ("start", f"{who} {does} {to}"), *(more or [(to, "rings desk")])]


async def test_called_user_transfers_by_keys(pbx: Pbx) -> None:
    async with firm(pbx, "201", "203") as it:
        await it.dials("outside", TO_ANNA, answers="201")
        await it["201"].press("##203#")
        assert it.number in await it.answers("203")
        await it.talk("outside", "203")
        await it["201"].until("CALL_CLOSED", unless="")
        await it["outside"].hang_up()
        assert path(await it.record()) == by("201", "203")


async def test_calling_user_transfers_by_keys(pbx: Pbx) -> None:
    async with firm(pbx, "201", "202", "203", outside=False) as it:
        await it.dials("201", "202", answers="202")
        await it["201"].press("##203#")
        assert "202" in await it.answers("203")
        await it.talk("202", "203")
        await it["201"].until("CALL_CLOSED", unless="")
        await it["202"].hang_up()
        found = path(await it.record("201"))
        found.remove(("202", "the conversation is over"))       # told by another channel, now before and now after the transfer
        assert found == [("start", "201 dials 202"), ("202", "rings desk"), ("start", "201 transfers to 203"), ("203", "rings desk")]


async def test_called_user_asks_before_transferring(pbx: Pbx) -> None:
    async with firm(pbx, "201", "203") as it:
        await it.dials("outside", TO_ANNA, answers="201")
        await it["201"].press("*2203#")
        assert "201" in await it.answers("203")
        await it.talk("201", "203")
        await it["201"].hang_up()
        await it.talk("outside", "203")
        await it["outside"].hang_up()
        assert path(await it.record()) == by("201", "203", does="dials")


async def test_calling_user_asks_before_transferring(pbx: Pbx) -> None:
    async with firm(pbx, "201", "202", "203", outside=False) as it:
        await it.dials("201", "202", answers="202")
        await it["201"].press("*2203#")
        assert "201" in await it.answers("203")
        await it.talk("201", "203")
        await it["201"].hang_up()
        await it.talk("202", "203")
        await it["202"].hang_up()
        await it.record("201")


async def test_who_asks_goes_back_to_the_caller(pbx: Pbx) -> None:
    async with firm(pbx, "201", "203") as it:
        await it.dials("outside", TO_ANNA, answers="201")
        await it["201"].press("*2203#")
        await it.answers("203")
        await it.talk("201", "203")
        await it["201"].press("*1")
        await it["203"].until("CALL_CLOSED", unless="")
        await it.talk("outside", "201")
        await it["outside"].hang_up()
        await it.record()


async def test_who_asks_hangs_up_while_the_other_rings_and_the_caller_is_connected(pbx: Pbx) -> None:
    async with firm(pbx, "201", "203") as it:
        await it.dials("outside", TO_ANNA, answers="201")
        await it["201"].press("*2203#")
        await it["203"].until("CALL_INCOMING")
        await it["201"].hang_up()
        await it["201"].until("CALL_CLOSED", unless="")
        await it["203"].accept()
        await it.talk("outside", "203")
        await it["outside"].hang_up()
        # Whether the end of the conversation is told to a channel of its own depends on which of them ends first.
        assert path(await it.record())[:4] == by("201", "203", does="dials")


@pytest.mark.parametrize("caller", ["outside", "202"])
async def test_called_user_transfers_by_refer(pbx: Pbx, caller: str) -> None:
    async with firm(pbx, "201", "202", "203") as it:
        await it.dials(caller, TO_ANNA if caller == "outside" else "201", answers="201")
        await it["201"].transfer("203", pbx.server)
        assert (it.number if caller == "outside" else "202") in await it.answers("203")
        await it.talk(caller, "203")
        await it[caller].hang_up()
        await it.record(it.number if caller == "outside" else "202")


async def test_calling_user_transfers_by_refer(pbx: Pbx) -> None:
    async with firm(pbx, "201", "202", "203", outside=False) as it:
        await it.dials("201", "202", answers="202")
        await it["201"].transfer("203", pbx.server)
        assert "202" in await it.answers("203")
        await it.talk("202", "203")
        await it["203"].hang_up()
        await it.record("201")


@pytest.mark.parametrize("number", [TO_SALES, TO_LINE])
@pytest.mark.parametrize("keys", ["##203#", "*2203#", "refer"])
async def test_call_of_a_group_or_a_queue_is_transferred(pbx: Pbx, number: str, keys: str) -> None:
    async with firm(pbx, "204", "203") as it:
        await it.dials("outside", number)
        await it.answers("204")
        await it.talk("outside", "204")
        await (it["204"].transfer("203", pbx.server) if keys == "refer" else it["204"].press(keys))
        peer = await it.answers("203")
        if keys.startswith("*"):
            await it.talk("204", "203")
            await it["204"].hang_up()
        else:
            assert it.number in peer
        await it.talk("outside", "203")
        await it["outside"].hang_up()
        await it.record()


async def test_call_is_transferred_to_a_group(pbx: Pbx) -> None:
    async with firm(pbx, "201", "204") as it:
        await it.dials("outside", TO_ANNA, answers="201")
        await it["201"].press("##300#")
        assert it.number in await it.answers("204")
        await it.talk("outside", "204")
        await it["204"].hang_up()
        assert ("start", "201 transfers to 300") in path(await it.record())


async def test_call_is_transferred_to_an_announcement(pbx: Pbx) -> None:
    async with firm(pbx, "201") as it:
        await it.dials("outside", TO_ANNA, answers="201")
        await it["201"].transfer("302", pbx.server)
        await it["outside"].until("CALL_CLOSED", unless="")
        assert [node for node, _ in path(await it.record())][-3:] == ["news", "nobody", "nobody"]


async def test_call_is_transferred_to_a_number_outside(pbx: Pbx) -> None:
    async with firm(pbx, "201", "202", number=OUTSIDE) as it:
        await it.dials("202", "201", answers="201")
        await it["201"].press("##401#")
        await it.answers("outside")
        await it.talk("202", "outside")
        await it["202"].hang_up()
        assert ("start", "201 transfers to 401") in path(await it.record("202"))


@pytest.mark.parametrize("target", ["799123456", "0048799123456", "500990990", "299", "*97"])
@pytest.mark.parametrize("code", ["##", "*2"])
async def test_refused_target_leaves_the_call_where_it_is(pbx: Pbx, code: str, target: str) -> None:
    async with firm(pbx, "201") as it:
        await it.dials("outside", TO_ANNA, answers="201")
        await it["201"].press(f"{code}{target}#")
        await it.hears_nobody("201")
        await it.talk("outside", "201")
        await it["outside"].hang_up()
        assert path(await it.record()) == by("201", target)[:2]


@pytest.mark.parametrize("keys", ["##203#", "*2203#", "*3"])
@pytest.mark.parametrize("service", ["hangs", "is down"])
async def test_without_the_decision_service_who_transfers_hears_so_and_both_talk_on(pbx: Pbx, keys: str, service: str) -> None:
    pid = pbx.runtime.pid_of(Process.AGI)
    assert pid
    async with firm(pbx, "201", "203") as it:
        await it.dials("outside", TO_ANNA, answers="201")
        if service == "hangs":
            os.kill(pid, signal.SIGSTOP)
        else:
            await asyncio.to_thread(pbx.runtime.stop_process, Process.AGI, kill=True)
        try:
            await it["201"].press(keys)
            await it.hears_nobody("201")
            await it.talk("outside", "201")
        finally:
            if service == "hangs":
                os.kill(pid, signal.SIGCONT)
            else:
                await asyncio.to_thread(pbx.runtime.start_process, Process.AGI)
        assert likeness(it["201"].heard(), sound(pbx, "swap", "sys_transfer_failed")[:-800]) > ALIKE
        assert not [event for event in it["203"].events if event.kind == "CALL_INCOMING"]
        await it["outside"].hang_up()
        assert path(await it.record()) == by("201", "203")[:2]


async def test_who_has_no_other_phone_to_move_the_call_to_hears_so_and_both_talk_on(pbx: Pbx) -> None:
    async with firm(pbx, "201") as it:
        await it.dials("outside", TO_ANNA, answers="201")
        await it["201"].press("*5")
        await it.hears_nobody("201")
        await it.talk("outside", "201")
        assert likeness(it["201"].heard(), sound(pbx, "swap", "sys_nowhere_to_move")[:-800]) > ALIKE
        await it["outside"].hang_up()
        assert path(await it.record()) == by("201", "")[:2]


async def test_code_to_move_a_call_is_a_key_like_others_for_a_caller_from_outside(pbx: Pbx) -> None:
    async with firm(pbx, "201") as it:
        await it.dials("outside", TO_ANNA, answers="201")
        await it["outside"].press("*5")
        for key in "*5":
            assert (await it["201"].until("CALL_DTMF_START")).detail == key
        await it.talk("outside", "201")
        await it["outside"].hang_up()
        assert path(await it.record()) == by("201", "")[:2]


@pytest.mark.parametrize("target", ["799123456", "299"])
async def test_call_referred_to_a_refused_target_comes_back_to_who_sent_it(pbx: Pbx, target: str) -> None:
    async with firm(pbx, "201") as it:
        await it.dials("outside", TO_ANNA, answers="201")
        await it["201"].transfer(target, pbx.server)
        assert it.number in await it.answers("201")
        await it.talk("outside", "201")
        await it["outside"].hang_up()
        assert path(await it.record())[-1] == ("201", "the call comes back and rings")


@pytest.mark.parametrize("keys", ["##203#", "*2203#", "#203", "D203#"])
async def test_keys_of_a_caller_from_outside_transfer_nothing(pbx: Pbx, keys: str) -> None:
    async with firm(pbx, "201", "203") as it:
        await it.dials("outside", TO_ANNA, answers="201")
        await it["outside"].press(keys)
        for key in keys:
            assert (await it["201"].until("CALL_DTMF_START")).detail == key
        await it.talk("outside", "201")
        assert pbx.state_of("swap-203-desk") == DeviceState.IDLE
        await it["outside"].hang_up()
        assert path(await it.record()) == by("201", "203")[:2]


async def test_keys_of_a_number_outside_transfer_nothing(pbx: Pbx) -> None:
    async with firm(pbx, "202", "203", number=OUTSIDE) as it:
        await it.dials("202", "401", answers="outside")
        await it["outside"].press("##203#*2203#")
        for key in "##203#*2203#":
            assert (await it["202"].until("CALL_DTMF_START")).detail == key
        await it.talk("202", "outside")
        assert pbx.state_of("swap-203-desk") == DeviceState.IDLE
        await it["202"].hang_up()
        await it.record("202")


async def test_transfer_stays_in_its_tenant(pbx: Pbx) -> None:
    async with firm(pbx, "203") as other, firm(pbx, "201", "203", tenant="swapb") as it:
        await it.dials("outside", TO_ANNA.replace("4824871001", "4824871002"), answers="201")
        await it["201"].press("##203#")
        await it.answers("203")
        await it.talk("outside", "203")
        await it["203"].transfer("201", pbx.server)
        await it.answers("201")
        assert pbx.state_of("swap-203-desk") == DeviceState.IDLE
        assert not [event for event in other["203"].events if event.kind == "CALL_INCOMING"]
        await it["outside"].hang_up()
