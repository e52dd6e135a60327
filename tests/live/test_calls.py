"""What callers and phones experience: trunk, menu, group, colleague, voicemail; each path as the simulator foretells it."""

import asyncio
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from confgen.publish.publishing import read_current
from confgen.publish.sip_database import FILE, write_mailboxes
from routing.call.facts import DeviceState
from sipp import (
    Address,
    Answer,
    AwaitHangUp,
    Call,
    Callee,
    Caller,
    Cancel,
    Ear,
    Refuse,
    Refused,
    Ring,
    SendHangUp,
    Silence,
    Tone,
    keys,
    run,
)
from store.records import Outcome
from tests.live.calling import DIRECT, IDLE, MAIN, dials
from tests.live.pbx import TRUNK, Pbx, path_of, until

pytestmark = pytest.mark.live


@pytest.mark.docker
async def test_caller_presses_a_key_and_both_sides_hear_each_other(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast() as cast, Ear(TRUNK["acme"]) as at_caller, Ear("127.77.8.1") as at_phone:
        await cast.callee(
            Callee(then=Answer(ring_ms=100, media=(Tone(1000, 2500),), ending=AwaitHangUp())),
            at=Address("127.77.8.1"), account=pbx.account("acme-201-desk"), ear=at_phone)
        await pbx.until_state("acme-201-desk", IDLE)
        media = (Silence(400), *keys("1"), Silence(600), Tone(440, 2500))
        await cast.call(dials(MAIN["acme"], caller, *media), at=TRUNK["acme"], ear=at_caller)
        assert at_phone.share_of_tone(440) > 0.8
        assert at_caller.share_of_tone(1000) > 0.3        # the prompt is heard before
    call = await pbx.record(caller)
    assert (call.outcome, call.answered_by, call.dialled) == (Outcome.ANSWERED, "201", MAIN["acme"])
    assert path_of(call) == pbx.simulated(MAIN["acme"], "1", x201=IDLE)[:-1]     # the caller hung up
    await pbx.nothing_is_left()


async def test_flow_goes_on_after_the_phone_hangs_up(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast() as cast:
        await pbx.phone(cast, "acme-201-desk", Callee(then=Answer(ending=SendHangUp(300))))
        await cast.call(dials(DIRECT["acme"], caller, ending=AwaitHangUp()), at=TRUNK["acme"])
    assert path_of(await pbx.record(caller)) == pbx.simulated(DIRECT["acme"], x201=IDLE)


@pytest.mark.parametrize("pressed", [(), ("9", "8")])
@pytest.mark.docker
async def test_no_key_twice_and_a_wrong_key_twice_reach_a_human(pbx: Pbx, pressed: tuple[str, ...]) -> None:
    caller = pbx.outside_caller()
    media = [part for key in pressed for part in (Silence(1200), *keys(key))]
    async with pbx.cast() as cast:
        await pbx.phone(cast, "acme-201-desk", Callee(then=Answer(ending=SendHangUp(300))))
        await cast.call(dials(MAIN["acme"], caller, *media, Silence(4500), ending=AwaitHangUp()), at=TRUNK["acme"])
    call = await pbx.record(caller)
    assert call.answered_by == "201"
    assert path_of(call) == pbx.simulated(MAIN["acme"], *pressed, x201=IDLE)


@pytest.mark.parametrize(("key", "extension"), [("*", "201"), ("#", "202")])
async def test_star_and_hash_are_keys_like_any_other(pbx: Pbx, key: str, extension: str) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast() as cast:
        await pbx.phone(cast, f"acme-{extension}-desk", Callee(then=Answer(ending=SendHangUp(200))))
        await cast.call(
            dials(MAIN["acme"], caller, Silence(400), *keys(key), Silence(2000), ending=AwaitHangUp()), at=TRUNK["acme"])
    call = await pbx.record(caller)
    assert call.answered_by == extension
    assert path_of(call) == pbx.simulated(MAIN["acme"], key, x201=IDLE, x202=IDLE)


async def test_all_phones_of_a_group_ring_and_one_answer_ends_the_ringing_of_the_others(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast() as cast:
        await pbx.phone(cast, "acme-202-desk", Callee(then=Ring()))
        await pbx.phone(cast, "acme-201-dect", Callee(then=Ring()))
        await pbx.phone(cast, "acme-201-desk", Callee(then=Answer(ring_ms=400, ending=SendHangUp(200))))
        await cast.call(
            dials(MAIN["acme"], caller, Silence(400), *keys("1"), Silence(2500), ending=AwaitHangUp()), at=TRUNK["acme"])
    call = await pbx.record(caller)
    assert call.answered_by == "201"
    assert path_of(call) == pbx.simulated(MAIN["acme"], "1", x201=IDLE, x202=IDLE)


@pytest.mark.docker
async def test_ordered_group_goes_on_to_the_next_member_when_the_first_is_silent(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast() as cast:
        await pbx.phone(cast, "acme-202-desk", Callee(then=Ring()))
        await pbx.phone(cast, "acme-201-desk", Callee(then=Answer(ending=SendHangUp(200))))
        await cast.call(
            dials(MAIN["acme"], caller, Silence(400), *keys("2"), Silence(5000), ending=AwaitHangUp()), at=TRUNK["acme"])
    assert path_of(await pbx.record(caller)) == pbx.simulated(MAIN["acme"], "2", x201=IDLE, x202=IDLE, silent=("202",))


@pytest.mark.parametrize(("number", "pressed", "understood", "answers"), [
    ("48221234570", ("202",), ("202",), "202"),                # an internal number in a menu
    ("48221234570", ("2", ""), ("2",), "201"),                 # the menu's key, although numbers begin with it
    ("48221234571", ("202",), ("202",), "202"),
    ("48221234571", ("999", "202"), ("9", "202"), "202"),      # nobody's number, told at its first key, and another try
    ("48221234572", ("669#",), ("669",), "202"),               # Nowak
])
@pytest.mark.docker
async def test_caller_reaches_whom_they_key(
    pbx: Pbx, number: str, pressed: tuple[str, ...], understood: tuple[str, ...], answers: str,
) -> None:
    caller = pbx.outside_caller()
    media = [part for word in pressed for part in (Silence(800), *keys(word), Silence(2500))]
    async with pbx.cast() as cast:
        await pbx.phone(cast, f"acme-{answers}-desk", Callee(then=Answer(ending=SendHangUp(200))))
        await cast.call(dials(number, caller, *media, Silence(1500), ending=AwaitHangUp()), at=TRUNK["acme"])
    call = await pbx.record(caller)
    assert call.answered_by == answers
    assert path_of(call) == pbx.simulated(number, *understood, x201=IDLE, x202=IDLE)


async def test_member_in_a_call_is_passed_over(pbx: Pbx) -> None:
    first, second = pbx.outside_caller(), pbx.outside_caller()
    async with pbx.cast() as cast:
        await pbx.phone(cast, "acme-202-desk", Callee(then=Answer()))
        await pbx.phone(cast, "acme-201-desk", Callee(then=Answer(ending=SendHangUp(200))))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(cast.call(
                dials(MAIN["acme"], first, Silence(400), *keys("#"), Silence(4000), ending=SendHangUp(1500)), at=TRUNK["acme"]))
            await pbx.until_state("acme-202-desk", DeviceState.IN_USE)
            await cast.call(
                dials(MAIN["acme"], second, Silence(400), *keys("2"), Silence(1500), ending=AwaitHangUp()), at=TRUNK["acme"])
    assert path_of(await pbx.record(second)) == pbx.simulated(
        MAIN["acme"], "2", x201=IDLE, x202=DeviceState.IN_USE)


async def test_outside_hours_the_caller_hears_why_not(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    await run(dials("48221234569", caller, ending=AwaitHangUp()), local=TRUNK["acme"], server=pbx.server)
    call = await pbx.record(caller)
    assert [entry.node for entry in call.path] == ["start", "always_closed", "night", "night", "bye", "bye"]
    assert path_of(call)[2:] == pbx.simulated("48221234569")[2:]        # the second names the minute


@pytest.mark.parametrize("tenant", ["acme", "rossi"])
@pytest.mark.docker
async def test_same_extension_in_two_tenants_rings_only_its_own(pbx: Pbx, tenant: str) -> None:
    other = {"acme": "rossi", "rossi": "acme"}[tenant]
    me = pbx.account(f"{tenant}-202-desk")
    caller, began = pbx.outside_caller(), datetime.now(UTC)
    async with pbx.cast() as cast:
        await pbx.phone(cast, f"{tenant}-201-desk", Callee(then=Answer(ending=SendHangUp(200))), calls=2)
        await pbx.phone(cast, f"{other}-201-desk", Callee(then=Ring()), calls=0)
        await cast.call(Call(number="201", caller=Caller(me.user), account=me, ending=AwaitHangUp()), at="127.77.8.2")
        await cast.call(dials(DIRECT[tenant], caller, ending=AwaitHangUp()), at=TRUNK[tenant])
        # The same public number on the other tenant's trunk is nobody's.
        await cast.call(dials(DIRECT[tenant], caller, ending=Refused(404)), at=TRUNK[other])
    inside = await pbx.record("202", tenant, since=began)
    assert path_of(inside) == pbx.simulated("201", tenant=tenant, extension="202", x201=IDLE)
    own, others = await pbx.record(caller, tenant), await pbx.record(caller, other)
    assert (own.answered_by, others.outcome) == ("201", Outcome.UNANSWERED)
    assert path_of(own) == pbx.simulated(DIRECT[tenant], tenant=tenant, x201=IDLE)
    assert path_of(others) == pbx.simulated(DIRECT[tenant], tenant=other)


@pytest.mark.parametrize("number", ["90", "*5", "0000612345678", "2011", "20"])
@pytest.mark.docker
async def test_digits_that_are_nothing_get_an_announcement_and_404(pbx: Pbx, number: str) -> None:
    me, began = pbx.account("acme-202-desk"), datetime.now(UTC)
    async with Ear("127.77.8.3") as ear:
        result = await run(
            Call(number=number, caller=Caller(me.user), account=me, ending=Refused(404)), local="127.77.8.3",
            server=pbx.server, ear=ear)
        assert result.received("SIP/2.0 183")
        assert len(ear.packets) > 20
    assert path_of(await pbx.record("202", since=began)) == pbx.simulated(number, extension="202")


@pytest.mark.parametrize(("then", "code", "silent", "state"), [
    (Refuse(486, "Busy Here"), 486, (), DeviceState.BUSY), (Ring(), 480, ("203",), IDLE)])
async def test_caller_of_a_colleague_without_mailbox_hears_why_and_gets_the_code(
    pbx: Pbx, then: Refuse | Ring, code: int, silent: tuple[str, ...], state: DeviceState,
) -> None:
    me, began = pbx.account("acme-202-desk"), datetime.now(UTC)
    async with pbx.cast() as cast, Ear("127.77.8.5") as ear:
        await pbx.phone(cast, "acme-203-desk", Callee(then=then))
        await cast.call(Call(number="203", caller=Caller(me.user), account=me, ending=Refused(code)), at="127.77.8.5", ear=ear)
        assert len(ear.packets) > 10
    assert path_of(await pbx.record("202", since=began)) == pbx.simulated("203", extension="202", silent=silent, x203=state)


@pytest.mark.docker
async def test_message_is_left_and_heard_from_the_phone(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    await run(
        dials(DIRECT["acme"], caller, Silence(2500), Tone(700, 4000), ending=SendHangUp(200)), local=TRUNK["acme"],
        server=pbx.server)
    call = await pbx.record(caller)
    assert call.outcome is Outcome.VOICEMAIL
    assert path_of(call) == pbx.simulated(DIRECT["acme"])[:-1]
    me, began = pbx.account("acme-201-desk"), datetime.now(UTC)
    box = pbx.settings.home / "spool" / "voicemail" / "acme" / "201" / "INBOX"
    await until(lambda: list(box.glob("msg*.wav")), "the message is in the mailbox")
    async with Ear("127.77.8.6") as ear:
        await run(
            Call(number="*97", caller=Caller(me.user), account=me, media=(Silence(1500), *keys("1"), Silence(12_000)),
                 ending=SendHangUp(0)),
            local="127.77.8.6", server=pbx.server, ear=ear)
        assert ear.share_of_tone(700) > 0.1
    assert path_of(await pbx.record("201", since=began)) == pbx.simulated("*97", extension="201")[:-1]
    await pbx.nothing_is_left()


@pytest.mark.parametrize("moment", ["menu", "ringing", "talking"])
async def test_caller_who_hangs_up_leaves_nothing_behind(pbx: Pbx, moment: str) -> None:
    caller = pbx.outside_caller()
    before = pbx.log_size()
    async with pbx.cast() as cast:
        match moment:
            case "menu":
                await cast.call(dials(MAIN["acme"], caller, ending=SendHangUp(300)), at=TRUNK["acme"])
            case "ringing":
                await pbx.phone(cast, "acme-201-desk", Callee(then=Ring()))
                await cast.call(dials(DIRECT["acme"], caller, ending=Cancel(300)), at=TRUNK["acme"])
            case _:
                await pbx.phone(cast, "acme-201-desk", Callee(then=Answer()))
                await cast.call(dials(DIRECT["acme"], caller, ending=SendHangUp(300)), at=TRUNK["acme"])
    await pbx.record(caller)
    await pbx.nothing_is_left()
    wrong = [line for line in pbx.log_since(before).splitlines() if "ERROR" in line and "201-dect" not in line]
    assert not wrong


async def test_call_that_happened_is_explained_with_its_path_legs_and_picture(pbx: Pbx, tmp_path: Path) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast() as cast:
        await pbx.phone(cast, "acme-202-desk", Callee(then=Ring()))
        await pbx.phone(cast, "acme-201-desk", Callee(then=Answer(ending=SendHangUp(200))))
        await cast.call(
            dials(MAIN["acme"], caller, Silence(400), *keys("1"), Silence(2500), ending=AwaitHangUp()), at=TRUNK["acme"])
    call = await pbx.record(caller)
    shown = pbx.centralka("calls", "acme", "--last", "50")
    assert f"[{call.linkedid}]" in "".join(shown.split())
    picture = tmp_path / "call.svg"
    told = " ".join(pbx.centralka("explain", call.linkedid, "--picture", str(picture)).split())
    for node, why in pbx.simulated(MAIN["acme"], "1", x201=IDLE, x202=IDLE):
        assert f"{node} {why}" in told
    assert "ends: answered by 201" in told
    explained = json.loads(pbx.centralka("explain", call.linkedid, "--json"))
    assert [(entry["node"], entry["why"]) for entry in explained["path"]] == path_of(call)
    legs = {leg["endpoint"]: leg for leg in explained["legs"]}
    assert {"acme-trunk-carrier", "acme-201-desk", "acme-202-desk"} <= set(legs)
    assert legs["acme-201-desk"]["answered_at"]
    assert not legs["acme-202-desk"]["answered_at"]
    assert "key 1, on to sales" in picture.read_text()


async def test_pin_that_its_owner_changes_by_phone_outlives_the_next_change(pbx: Pbx) -> None:
    database = pbx.settings.home / FILE

    def pin() -> str:
        with closing(sqlite3.connect(database)) as opened:
            (found,) = opened.execute("SELECT password FROM voicemail WHERE context = 'acme' AND mailbox = '202'").fetchone()
        return str(found)

    me = pbx.account("acme-202-desk")
    pressed = (Silence(2500), *keys("0"), Silence(1000), *keys("5"), Silence(1500), *keys("7391#"), Silence(2500), *keys("7391#"))
    await run(
        Call(number="*97", caller=Caller(me.user), account=me, media=(*pressed, Silence(2000)), ending=SendHangUp(0)),
        local="127.77.8.7", server=pbx.server)
    await until(lambda: pin() == "7391", "the PIN is changed")
    write_mailboxes(pbx.settings.home, read_current(pbx.settings.home))
    assert pin() == "7391"
