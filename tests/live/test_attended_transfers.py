"""A telephone's own attended transfer: it holds the call, asks, and joins the two by REFER with Replaces, or earlier, while the
other still rings. One who transfers so to where no transfer may go has the call back."""

import pytest

from tests.live.firm import OUTSIDE, TO_ANNA, firm, path
from tests.live.pbx import Pbx

pytestmark = pytest.mark.live

SIDES = [("202", "201"), ("201", "202")]                    # who calls whom; 201 transfers
DIRECT = "587000011"                                        # that number, dialled by hand
BARRED = {"0048799123456": "+48799123456", "500990990": "+48500990990"}      # dialled, called


@pytest.mark.parametrize(("target", "whom"), [("203", "203"), ("300", "204"), ("301", "204"), ("401", "outside"), (DIRECT, "outside")])
@pytest.mark.parametrize(("caller", "called"), SIDES)
async def test_telephone_asks_and_joins_the_two(pbx: Pbx, caller: str, called: str, target: str, whom: str) -> None:
    async with firm(pbx, "201", "202", "203", "204", number=OUTSIDE) as it:
        await it.dials(caller, called, answers=called)
        await it.completes("201", target, await it.consults("201", target, whom))
        await it.talk("202", whom)
        if whom != "outside":
            await it.is_shown(whom, "202")
        await it["202"].hang_up()
        call = await it.record(caller)
        assert ("start", f"201 dials {target}") in path(call)
        assert {"swap-201-desk", "swap-202-desk"} < await it.legs(call)


@pytest.mark.parametrize(("target", "whom"), [("203", "203"), ("300", "204"), ("401", "outside"), (DIRECT, "outside")])
@pytest.mark.parametrize(("caller", "called"), SIDES)
async def test_telephone_joins_the_two_while_the_other_rings(pbx: Pbx, caller: str, called: str, target: str, whom: str) -> None:
    async with firm(pbx, "201", "202", "203", "204", number=OUTSIDE) as it:
        await it.dials(caller, called, answers=called)
        await it.completes("201", target, await it.consults("201", target, whom, answers=False))
        await it["201"].until("CALL_CLOSED", unless="")
        await it[whom].accept()
        await it.talk("202", whom)
        if whom != "outside":
            await it.is_shown(whom, "202")
        await it["202"].hang_up()
        call = await it.record(caller)
        assert ("start", f"201 dials {target}") in path(call)
        assert {"swap-201-desk", "swap-202-desk"} < await it.legs(call)


async def test_caller_from_outside_is_joined_with_a_colleague(pbx: Pbx) -> None:
    async with firm(pbx, "201", "203") as it:
        await it.dials("outside", TO_ANNA, answers="201")
        await it.completes("201", "203", await it.consults("201", "203", "203"))
        await it.talk("outside", "203")
        await it.is_shown("203", it.number)
        await it["outside"].hang_up()
        assert await it.legs(await it.record()) == {"swap-trunk-carrier", "swap-201-desk", "swap-203-desk"}


async def test_call_takes_the_place_of_who_listens_to_an_announcement(pbx: Pbx) -> None:
    async with firm(pbx, "201") as it:
        await it.dials("outside", TO_ANNA, answers="201")
        await it.completes("201", "302", await it.consults("201", "302"))
        await it["201"].until("CALL_CLOSED", unless="")
        await it["outside"].until("CALL_CLOSED", unless="")
        assert [node for node, _ in path(await it.record())] == ["start", "201", "start", "news", "news", "nobody", "nobody"]


@pytest.mark.parametrize(("caller", "called"), SIDES)
@pytest.mark.parametrize("dialled", BARRED)
@pytest.mark.parametrize("when", ["talks", "rings", "talks to it first"])
async def test_call_that_is_joined_with_a_barred_number_comes_back(pbx: Pbx, caller: str, called: str, dialled: str, when: str) -> None:
    async with firm(pbx, "201", "202", number=BARRED[dialled], reachable=True) as it:
        await it.dials(caller, called, answers=called)
        first = it["201"].newest_call()
        second = await it.consults("201", dialled, "outside", answers=when != "rings")
        if when == "talks to it first":
            await it["201"].transfer_to_dialog(called, pbx.server, first)
        else:
            await it.completes("201", dialled, second)
        if when == "rings":
            await it["201"].until("CALL_CLOSED", unless="")
            await it["outside"].accept()
        assert "202" in await it.answers("201")
        await it["outside"].until("CALL_CLOSED", unless="")
        await it.talk("201", "202")
        await it["202"].hang_up()
        call = await it.record(caller)
        assert ("201", "the call comes back and rings") in path(call)
        assert any(why.startswith(f"201 transfers to {BARRED[dialled]}, which") for _, why in path(call))


async def test_who_dials_a_barred_number_talks_there(pbx: Pbx) -> None:
    async with firm(pbx, "201", number="+48799123456", reachable=True) as it:
        await it.dials("201", "0048799123456", answers="outside")
        await it["201"].hang_up()
        await it.record("201")
