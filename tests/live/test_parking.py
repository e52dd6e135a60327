"""Parking on real phones: calls wait in slots, any phone of the tenant fetches them, and they go back with a mark."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from routing.call.facts import DeviceState
from tests.agents.audio import likeness
from tests.live.firm import TO_ANNA, Firm, firm, path
from tests.live.pbx import Pbx, until
from tests.live.test_codes import ALIKE, sound
from tests.live.test_lamps import bodies, watching

pytestmark = pytest.mark.live


async def parked(it: Firm, slot: str) -> None:
    async def is_so() -> bool:
        return f"Space               :  {slot}" in await asyncio.to_thread(it.pbx.runtime.asterisk_cli, "parking show swap-desk")

    await until(is_so, f"{slot} is taken")


@pytest.mark.parametrize(("how", "slot"), [("*3", "701"), ("##700#", "701"), ("##702#", "702"), ("refer 700", "701"), ("refer 703", "703")])
async def test_call_is_parked_and_fetched_by_another_phone(pbx: Pbx, how: str, slot: str) -> None:
    async with firm(pbx, "201", "203") as it, watching(pbx, slot, told=3, by="swap-202-desk") as watch:
        await it.dials("outside", TO_ANNA, answers="201")
        refer, _, target = how.partition(" ")
        await (it["201"].transfer(target, pbx.server) if target else it["201"].press(refer))
        await parked(it, slot)
        await it["203"].dial(slot, pbx.server)
        await it["203"].until("CALL_ESTABLISHED")
        await it.talk("outside", "203")
        await it["outside"].hang_up()
        call = await it.record()
        told = await bodies(watch)
    assert ["confirmed" in body for body in told] == [False, True, False]
    assert ("203", "takes what is parked") not in path(call)
    assert any(why.startswith("is parked") for _, why in path(call))


@asynccontextmanager
async def taken(it: Firm, *slots: str) -> AsyncIterator[None]:
    """Slots where calls of nobody wait meanwhile."""
    ask = it.pbx.runtime.asterisk_cli
    await asyncio.to_thread(ask, "module load res_clioriginate.so")      # only tests use it
    for slot in slots:
        await asyncio.to_thread(ask, f"dialplan add extension {slot},1,Set(PARKINGEXTEN={slot}) into parkers replace")
        await asyncio.to_thread(ask, f"dialplan add extension {slot},2,Park(swap-desk,st(60)) into parkers replace")
        await asyncio.to_thread(ask, f"channel originate Local/{slot}@parkers/n application Wait 60")
        await parked(it, slot)
    try:
        yield
    finally:
        for line in (await asyncio.to_thread(ask, "core show channels concise")).splitlines():
            if "@parkers-" in line:
                await asyncio.to_thread(ask, f"channel request hangup {line.partition('!')[0]}")


@pytest.mark.parametrize(("keys", "slots"), [
    ("*3", ("701", "702", "703")), ("##700#", ("701", "702", "703")), ("*2700#", ("701", "702", "703")), ("##702#", ("702",))])
async def test_call_stays_where_it_is_and_who_parks_hears_so_where_no_slot_is_free(
    pbx: Pbx, keys: str, slots: tuple[str, ...],
) -> None:
    async with firm(pbx, "201") as it, taken(it, *slots):
        await it.dials("outside", TO_ANNA, answers="201")
        await it["201"].press(keys)
        await it.hears_nobody("201")
        await it.talk("outside", "201")
        await it["outside"].hang_up()
        call = await it.record_only()
    assert path(call) == [("start", "to +48248710011"), ("201", "rings desk")]


@pytest.mark.parametrize(("target", "slots"), [("700", ("701", "702", "703")), ("703", ("703",))])
async def test_call_that_is_referred_to_no_free_slot_comes_back(pbx: Pbx, target: str, slots: tuple[str, ...]) -> None:
    async with firm(pbx, "201") as it, taken(it, *slots):
        await it.dials("outside", TO_ANNA, answers="201")
        await it["201"].transfer(target, pbx.server)
        assert it.number in await it.answers("201")
        await it.talk("outside", "201")
        await it["outside"].hang_up()
        call = await it.record_only()
    assert path(call)[-1][1] == "no slot is free, back to 201"


async def test_two_who_park_themselves_at_once_are_told_slots_of_their_own(pbx: Pbx) -> None:
    async with firm(pbx, "201", "203", "204", outside=False) as it:
        for user in ("203", "204"):
            await it[user].dial("700", pbx.server)
        await asyncio.gather(parked(it, "701"), parked(it, "702"))

        def slot_of(user: str) -> str:
            return max(("701", "702"), key=lambda slot: likeness(it[user].heard(), sound(pbx, "swap", f"sys_digit_{slot[2]}")[:-800]))

        assert {slot_of("203"), slot_of("204")} == {"701", "702"}
        for user in ("203", "204"):
            await it["201"].dial(slot_of(user), pbx.server)
            await it["201"].until("CALL_ESTABLISHED")
            await it.talk("201", user)
            await it[user].hang_up()
            await it["201"].until("CALL_CLOSED", unless="")
        await pbx.nothing_is_left()


async def test_of_two_who_park_themselves_at_once_in_the_last_slot_one_goes_on_to_where_the_lot_says(pbx: Pbx) -> None:
    async with firm(pbx, "203", "204", outside=False) as it, taken(it, "701", "702"):
        for user in ("203", "204"):
            await it[user].dial("700", pbx.server)
        await parked(it, "703")
        ends = [asyncio.ensure_future(it[user].until("CALL_CLOSED", unless="", within_s=20)) for user in ("203", "204")]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        refused = next(user for user, end in zip(("203", "204"), ends, strict=True) if end.done())
        call = await it.record_only(refused)
        for user in ("203", "204"):
            await it[user].hang_up()
        await asyncio.wait(ends)
    assert ("desk", "no slot is free, on to news") in path(call)


async def test_of_two_conversations_that_are_parked_at_once_in_the_last_slot_one_stays_where_it_is(pbx: Pbx) -> None:
    async with firm(pbx, "201", "202", "203", "204", outside=False) as it, taken(it, "701", "702"):
        await it.dials("202", "201", answers="201")
        await it.dials("204", "203", answers="203")
        await asyncio.gather(it["201"].press("*3"), it["203"].press("*3"))
        await parked(it, "703")
        listed = await asyncio.to_thread(pbx.runtime.asterisk_cli, "parking show swap-desk")
        one, other = ("202", "204") if "swap-202-desk" in listed else ("204", "202")
        asks = {"202": "201", "204": "203"}
        await it[asks[one]].until("CALL_CLOSED", unless="")
        await it.talk(other, asks[other])
        assert likeness(it[asks[other]].heard(), sound(pbx, "swap", "sys_parking_full")[:-800]) > ALIKE
        await it[asks[one]].dial("703", pbx.server)
        await it[asks[one]].until("CALL_ESTABLISHED")
        await it.talk(one, asks[one])
        for user in (one, other):
            await it[user].hang_up()
            await it[asks[user]].until("CALL_CLOSED", unless="")
        call = await it.record_only(other)
    assert path(call)[:2] == [("start", f"{other} dials {asks[other]}"), (asks[other], "rings desk")]
    assert not [why for _, why in path(call) if "park" in why]


async def test_parked_call_that_nobody_fetches_goes_back_with_a_mark_and_then_on(pbx: Pbx) -> None:
    async with firm(pbx, "201") as it:
        await it.dials("outside", TO_ANNA, answers="201")
        await it["201"].transfer("701", pbx.server)
        await parked(it, "701")
        await pbx.until_state("swap-201-desk", DeviceState.RINGING)
        await it["outside"].until("CALL_CLOSED", unless="", within_s=25)
        call = await it.record()
    assert [why for _, why in path(call)][3:6] == [
        "is parked in 701", "nobody fetches it, back to 201", "rings 201"]
    assert path(call)[6] == ("701", "201 does not take it, on to news")


async def test_nothing_is_fetched_from_an_empty_slot_or_another_tenants(pbx: Pbx) -> None:
    async with firm(pbx, "201") as it, firm(pbx, "203", tenant="swapb", outside=False) as other:
        await it.dials("outside", TO_ANNA, answers="201")
        await it["201"].transfer("702", pbx.server)
        await parked(it, "702")
        await other["203"].dial("702", pbx.server)
        await other["203"].until("CALL_CLOSED", unless="")
        await pbx.until_state("swap-201-desk", DeviceState.RINGING)
        await it.answers("201")
        await it.talk("outside", "201")
        await it["outside"].hang_up()
        await it.record()
