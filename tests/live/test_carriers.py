"""Carriers that tenants share: the number dialled alone says whose call it is, from its first moment to its record.

North and South have the same extensions, and nothing of the one is ever the other's.
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from redis import Redis

from runtime.choose import open_runtime
from runtime.instance import centralka_command
from runtime.process import Process
from sipp import (
    Address,
    Answer,
    AwaitHangUp,
    Call,
    Callee,
    Caller,
    HangUp,
    Load,
    Refuse,
    Refused,
    run,
    started,
)
from store.lines import lines_key
from store.records import Call as Record
from tests.agents import baresip
from tests.agents.audio import tone
from tests.live.firm import firm, path, until_reachable
from tests.live.pbx import Pbx, path_of, until
from tests.live.test_moving import hears, speaking

pytestmark = pytest.mark.live

TENANTS = Path(__file__).parent / "carriers"
HERE, TELCO, SPARE, VOICE = "127.77.0.10", Address("127.77.0.150"), Address("127.77.0.151"), "127.77.0.9"
PREFIX = {"north": "666", "south": "777"}       # of their numbers, behind +4822
OUTSIDE = "587000001"
ANSWERS = Callee(then=Answer(ending=AwaitHangUp()))
SPELLINGS = ("+4822{}", "4822{}", "004822{}", "22{}", "{}")
VOICE_TENANT = """\
tenant: voice
name: A carrier where one registers
country: PL
language: pl
timezone: Europe/Warsaw
users:
  "501": {name: The platform, devices: [line], ring_s: 10}
  "502": {name: Somebody, devices: [phone]}
failover: {ring: ["502"]}
"""


@pytest.fixture(scope="module")
def pbx() -> Iterator[Pbx]:
    yield from started_instance("livecarriers", HERE, TENANTS)


def started_instance(name: str, at: str, tenants: Path) -> Iterator[Pbx]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    runtime = open_runtime(os.environ.get("CENTRALKA_TEST_RUNTIME", "local"), f"{name}{worker}")
    runtime.remove()
    runtime.prepare({f"CENTRALKA_{what}_ADDRESS": at for what in ("SIP", "AGI", "AMI", "PROVISION")})
    runtime.apply(tenants)
    try:
        runtime.start()
        yield Pbx(runtime, tenants)
    finally:
        runtime.remove()


def other(tenant: str) -> str:
    return "south" if tenant == "north" else "north"


def number(tenant: str, last: int, spelling: str = "4822{}") -> str:
    return spelling.format(f"{PREFIX[tenant]}00{last}")


def comes(to: str, caller: Caller, ending: HangUp | Refused | None = None) -> Call:
    return Call(number=to, caller=caller, ending=ending or HangUp(300))


def invite(text: str) -> dict[str, str]:
    lines = text.splitlines()
    return {"": lines[0], **dict(line.split(": ", 1) for line in lines[1:] if ": " in line)}


async def only_record(pbx: Pbx, tenant: str, began: datetime) -> Record:
    """The one call that there was since, which is this tenant's."""
    await pbx.nothing_is_left()
    await until_recorded(pbx, tenant, began)
    (record,) = await pbx.since(tenant, began)
    assert not await pbx.since(other(tenant), began)
    return record


async def until_recorded(pbx: Pbx, tenant: str, began: datetime, count: int = 1) -> None:
    async def are_there() -> bool:
        return len(await pbx.since(tenant, began)) >= count

    await until(are_there, f"{count} calls of {tenant} are recorded")


def lines(pbx: Pbx, tenant: str) -> set[str]:
    with Redis.from_url(pbx.settings.redis_url, decode_responses=True) as client:
        return set(client.zrange(lines_key(tenant), 0, -1))


async def until_free(pbx: Pbx) -> None:
    await until(lambda: not lines(pbx, "north") | lines(pbx, "south"), "all lines are free")


@pytest.mark.parametrize("tenant", PREFIX)
async def test_number_reaches_its_tenant_in_every_spelling(pbx: Pbx, tenant: str) -> None:
    began = datetime.now(UTC)
    for spelling in SPELLINGS:
        caller = pbx.outside_caller()
        await run(comes(number(tenant, "13", spelling), caller), local=TELCO.host, server=pbx.server)
        record = await pbx.record(caller, tenant)
        assert record.dialled == number(tenant, "13", "+4822{}")
        assert path_of(record)[:2] == pbx.simulated(record.dialled, tenant=tenant)[:2]
    assert len(await pbx.since(tenant, began)) == len(SPELLINGS)
    assert not await pbx.since(other(tenant), began)


async def test_carrier_without_a_country_is_understood_by_whole_numbers_alone(pbx: Pbx) -> None:
    for spelling, reached in zip(SPELLINGS, (True, True, True, False, False), strict=True):
        ending = HangUp(300) if reached else Refused(404)
        call = comes(number("south", "13", spelling), pbx.outside_caller(), ending)
        await run(call, local=SPARE.host, server=pbx.server)


@pytest.mark.parametrize("dialled", [
    "+48226660099", "226660099", "201", "700", "00", "+", "0", "+48226660013x", "22666+0013", "48226660013" * 3, "s", "platform",
    "unknown", "*71", "north", "+48 226660013"])
async def test_number_of_no_tenant_is_refused_and_leaves_no_trace_but_a_line_in_the_log(pbx: Pbx, dialled: str) -> None:
    began, size = datetime.now(UTC), pbx.log_size()
    await run(comes(dialled, pbx.outside_caller(), Refused(404)), local=TELCO.host, server=pbx.server)
    await until(lambda: "platform-trunk-telco" in pbx.log_since(size) or "rejected because" in pbx.log_since(size), "the log says so")
    await pbx.nothing_is_left()
    assert not await pbx.since("north", began) + await pbx.since("south", began)


async def test_no_header_chooses_the_tenant(pbx: Pbx) -> None:
    began = datetime.now(UTC)
    caller = Caller(number("south", "12", "+4822{}"), "south")
    await run(comes(number("north", "13"), caller), local=TELCO.host, server=pbx.server)
    assert (await only_record(pbx, "north", began)).caller == caller.number


@pytest.mark.parametrize("tenant", PREFIX)
async def test_call_from_outside_rings_the_extension_of_its_tenant_alone(pbx: Pbx, tenant: str) -> None:
    async with firm(pbx, "201", tenant=tenant) as it, firm(pbx, "201", tenant=other(tenant), outside=False) as others:
        await it.dials("outside", number(tenant, "12"), answers="201")
        await it["outside"].hang_up()
        record = await only_record(pbx, tenant, it.began)
        assert not [event for event in others["201"].events if event.kind == "CALL_INCOMING"]
    assert record.answered_by == "201"
    assert await it.legs(record) == {"platform-trunk-telco", f"{tenant}-201-desk"}


@pytest.mark.parametrize("tenant", PREFIX)
async def test_call_to_the_outside_is_its_tenants_and_shows_its_number(pbx: Pbx, tenant: str) -> None:
    async with firm(pbx, "201", tenant=tenant, number="+48" + OUTSIDE, reachable=True) as it:
        await it["201"].dial(OUTSIDE, pbx.server)
        assert number(tenant, "12", "+4822{}") in await it.answers("outside")
        await it.talk("201", "outside")
        await until(lambda: {place.split("/")[1] for place in lines(pbx, tenant)} == {"201"}, "201 has a line")
        assert not lines(pbx, other(tenant))
        await it["201"].hang_up()
        record = await only_record(pbx, tenant, it.began)
        assert f"P-Asserted-Identity: <tel:{number(tenant, '12', '+4822{}')}>" in it["outside"].log()
    assert await it.legs(record) == {"platform-trunk-telco", f"{tenant}-201-desk"}
    await until_free(pbx)


async def test_call_leaves_by_the_next_carrier_where_one_fails(pbx: Pbx) -> None:
    me, began = pbx.account("south-201-desk"), datetime.now(UTC)
    async with pbx.cast() as cast:
        for carrier, at, callee in (("telco", TELCO, Callee(then=Refuse(503, "Service Unavailable"))),
                                    ("spare", SPARE, Callee(then=Answer(ending=HangUp(300))))):
            await cast.callee(callee, at=at)
            await until_reachable(pbx, f"platform-trunk-{carrier}")
        call = Call(number=OUTSIDE, caller=Caller(me.user), account=me, ending=AwaitHangUp())
        await cast.call(call, at="127.77.8.71")
    whys = [why for node, why in path(await only_record(pbx, "south", began)) if node == "outgoing"]
    assert whys == [
        "calls +48587000001 (national) by first, shown as +48227770012",
        "trunk first fails, calls +48587000001 (national) by second, shown as +48227770012", "the conversation is over"]


@pytest.mark.parametrize("tenant", PREFIX)
async def test_emergency_call_leaves_by_the_next_carrier_with_its_tenants_number_while_no_service_decides(
    pbx: Pbx, tenant: str,
) -> None:
    me = pbx.account(f"{tenant}-201-desk")
    pbx.runtime.stop_process(Process.AGI, kill=True)
    try:
        async with pbx.cast() as cast:
            for carrier, at, callee in (("telco", TELCO, Callee(then=Refuse(503, "Service Unavailable"))),
                                        ("spare", SPARE, Callee(then=Answer(ending=HangUp(300))))):
                await cast.callee(callee, at=at)
                await until_reachable(pbx, f"platform-trunk-{carrier}")
            await cast.call(Call(number="112", caller=Caller(me.user), account=me, ending=AwaitHangUp()), at="127.77.8.72")
    finally:
        pbx.runtime.start_process(Process.AGI)
    (seen,) = cast.results[SPARE].received("INVITE")
    assert seen.text.startswith("INVITE sip:112@")
    assert f"sip:{number(tenant, '11', '+4822{}')}@" in invite(seen.text)["From"]


@pytest.mark.parametrize("tenant", PREFIX)
async def test_call_reaches_its_tenants_failover_while_no_service_runs(pbx: Pbx, tenant: str) -> None:
    began, caller = datetime.now(UTC), pbx.outside_caller()
    async with pbx.cast() as cast:
        await pbx.phone(cast, f"{tenant}-202-desk", Callee(then=Answer(ending=AwaitHangUp())))
        await pbx.phone(cast, f"{other(tenant)}-202-desk", Callee(then=Answer(ending=AwaitHangUp())), calls=0)
        for process in (Process.AGI, Process.AMI):
            pbx.runtime.stop_process(process, kill=True)
        try:
            await cast.call(comes(number(tenant, "12", "22{}"), caller, HangUp(500)), at=TELCO.host)
        finally:
            for process in (Process.AGI, Process.AMI):
                pbx.runtime.start_process(process)
    record = await only_record(pbx, tenant, began)
    assert (record.caller, record.answered_by) == (caller.number, "202")
    assert ("failover", "the decision service did not answer") in path_of(record)


@pytest.mark.parametrize("tenant", PREFIX)
async def test_who_was_called_transfers_by_keys_to_a_colleague_of_the_same_tenant(pbx: Pbx, tenant: str) -> None:
    async with firm(pbx, "201", "202", tenant=tenant) as it, firm(pbx, "202", tenant=other(tenant), outside=False) as others:
        await it.dials("outside", number(tenant, "12"), answers="201")
        await it["201"].press("##202#")
        await it.answers("202")
        await it.talk("outside", "202")
        await it["outside"].hang_up()
        record = await only_record(pbx, tenant, it.began)
        assert not [event for event in others["202"].events if event.kind == "CALL_INCOMING"]
    assert "201 transfers to 202" in [why for _, why in path(record)]


@pytest.mark.parametrize("tenant", PREFIX)
async def test_call_that_is_transferred_outside_takes_its_tenants_line(pbx: Pbx, tenant: str) -> None:
    async with firm(pbx, "201", "202", tenant=tenant, number="+48" + OUTSIDE, reachable=True) as it:
        await it.dials("202", "201", answers="201")
        await it["201"].press(f"##{OUTSIDE}#")
        assert number(tenant, "12", "+4822{}") in await it.answers("outside")
        await it.talk("202", "outside")
        await until(lambda: {place.split("/")[1] for place in lines(pbx, tenant)} == {"201"}, "201 pays for the line")
        assert not lines(pbx, other(tenant))
        await it["202"].hang_up()
        await only_record(pbx, tenant, it.began)
    await until_free(pbx)


@pytest.mark.parametrize("tenant", PREFIX)
async def test_outside_party_that_was_called_is_passed_on_and_stays_the_tenants(pbx: Pbx, tenant: str) -> None:
    async with firm(pbx, "201", "202", tenant=tenant, number="+48" + OUTSIDE, reachable=True) as it:
        await it.dials("201", OUTSIDE, answers="outside")
        await it["201"].press("##202#")
        await it.answers("202")
        await it.talk("outside", "202")
        await it["202"].hang_up()
        record = await only_record(pbx, tenant, it.began)
    assert "201 transfers to 202" in [why for _, why in path(record)]
    await until_free(pbx)


@pytest.mark.parametrize("tenant", PREFIX)
async def test_call_waits_in_its_tenants_slot_and_no_other_tenant_fetches_it(pbx: Pbx, tenant: str) -> None:
    async with firm(pbx, "201", "202", tenant=tenant) as it, firm(pbx, "202", tenant=other(tenant), outside=False) as others:
        await it.dials("outside", number(tenant, "12"), answers="201")
        await it["201"].press("*3")
        await until(lambda: "701" in pbx.runtime.asterisk_cli(f"parking show {tenant}-desk").partition("Parked Calls")[2], "701 is taken")
        await others["202"].dial("701", pbx.server)
        await others["202"].until("CALL_CLOSED", unless="")
        await it["202"].dial("701", pbx.server)
        await it["202"].until("CALL_ESTABLISHED")
        await it.talk("outside", "202")
        await it["outside"].hang_up()
        record = await it.record_only()
        await pbx.nothing_is_left()
    assert any(why.startswith("is parked") for _, why in path(record))
    assert await it.legs(record) >= {"platform-trunk-telco", f"{tenant}-201-desk", f"{tenant}-202-desk"}


async def test_each_tenant_has_its_own_lines_however_many_call_at_once(pbx: Pbx) -> None:
    await until_free(pbx)
    callers = {tenant: pbx.outside_caller() for tenant in PREFIX}
    async with AsyncExitStack() as stack:
        programs = [await stack.enter_async_context(started(
            comes(number(tenant, "13"), caller, HangUp(4000)), local=TELCO.host, server=pbx.server,
            load=Load(calls=20, per_s=200, at_once=20))) for tenant, caller in callers.items()]
        for program in programs:
            await program.result()
    for tenant, caller in callers.items():
        firsts = [path_of(call)[0][1] for call in await pbx.records(caller, tenant, at_least=20)]
        let_in = f"to {number(tenant, '13', '+4822{}')}"
        assert (len(firsts), firsts.count(let_in), firsts.count("all 3 lines are taken")) == (20, 3, 17)
    await until_free(pbx)


async def test_line_is_held_though_the_services_are_killed_and_free_afterwards(pbx: Pbx) -> None:
    async with firm(pbx, "201", tenant="south") as it:
        await it.dials("outside", number("south", "12"), answers="201")
        await until(lambda: len(lines(pbx, "south")) == 1, "the call has a line")
        for process in (Process.AGI, Process.AMI):
            pbx.runtime.stop_process(process, kill=True)
        for process in (Process.AGI, Process.AMI):
            pbx.runtime.start_process(process)
        assert len(lines(pbx, "south")) == 1
        await it.talk("outside", "201")
        await it["outside"].hang_up()
        assert (await only_record(pbx, "south", it.began)).path
    await until_free(pbx)


async def test_call_to_another_tenants_number_leaves_and_comes_back_as_a_call_of_its_own(pbx: Pbx) -> None:
    """The carrier, here, is a phone that takes the one call and another that makes the other."""
    began, me, to = datetime.now(UTC), pbx.account("north-201-desk"), number("south", "13", "22{}")
    async with pbx.cast() as cast:
        await cast.callee(ANSWERS, at=TELCO)
        await until_reachable(pbx, "platform-trunk-telco")
        outwards = asyncio.create_task(cast.call(
            Call(number=to, caller=Caller(me.user), account=me, ending=HangUp(3000)), at="127.77.8.73"))
        await until(lambda: lines(pbx, "north"), "north has a line")
        shown = Caller(number("north", "12", "+4822{}"))
        await cast.call(comes(number("south", "13", "+4822{}"), shown, HangUp(1000)), at=TELCO.host)
        assert len(lines(pbx, "north")) == 1
        await outwards
    assert cast.results[TELCO].received("INVITE")[0].text.startswith(f"INVITE sip:+48{to}@")
    await pbx.nothing_is_left()
    for tenant, caller in (("north", "201"), ("south", shown.number)):
        await until_recorded(pbx, tenant, began)
        assert [call.caller for call in await pbx.since(tenant, began)] == [caller]
    await until_free(pbx)


@asynccontextmanager
async def mobile(pbx: Pbx) -> AsyncIterator[baresip.Phone]:
    """Zofia's, who works for both firms."""
    async with baresip.phone(TELCO.host, speaks=tone(440, 60)) as phone:
        await phone.use("+48600711201", pbx.server)
        await until_reachable(pbx, "platform-trunk-telco")
        yield phone


async def asked(pbx: Pbx, tenant: str, prompt: str) -> None:
    async def is_asked() -> bool:
        channels = await asyncio.to_thread(pbx.runtime.asterisk_cli, "core show channels concise")
        return re.search(rf"!Read!\S*/sounds/{tenant}/{prompt}-", channels) is not None

    await until(is_asked, f"{prompt} of {tenant} is played")


@pytest.mark.parametrize("tenant", PREFIX)
async def test_user_on_the_mobile_is_known_by_the_tenant_whose_number_was_dialled(pbx: Pbx, tenant: str) -> None:
    began, pin = datetime.now(UTC), pbx.secrets.mobile_pins[f"{tenant}/203"]
    async with AsyncExitStack() as stack:
        anna, jan = [await speaking(pbx, stack, f"{tenant}-{user}-desk", hz) for user, hz in (("201", 700), ("202", 1000))]
        zofia = await stack.enter_async_context(mobile(pbx))
        await zofia.dial(number(tenant, "14"), pbx.server)
        await zofia.until("CALL_ESTABLISHED")
        await asked(pbx, tenant, "sys_mobile_pin")
        await zofia.press(f"{pin}#")
        await asked(pbx, tenant, "sys_mobile_number")
        await zofia.press("201#")
        assert "203@" in (await anna.until("CALL_INCOMING", unless="")).peer
        await anna.accept()
        await hears(anna, 440)
        await zofia.press("##202#")
        await jan.until("CALL_INCOMING", unless="")
        await jan.accept()
        await hears(anna, 1000)
        await anna.hang_up()
        record = await only_record(pbx, tenant, began)
    assert "203 transfers to 202" in [why for _, why in path(record)]


@pytest.mark.parametrize("tenant", PREFIX)
async def test_conversation_on_the_mobile_moves_to_the_desk_of_its_tenant_alone(pbx: Pbx, tenant: str) -> None:
    async with AsyncExitStack() as stack:
        zofia = await stack.enter_async_context(mobile(pbx))
        it = await stack.enter_async_context(firm(pbx, "202", tenant=tenant, outside=False))
        await it["202"].dial("203", pbx.server)
        await zofia.until("CALL_INCOMING", unless="")
        await zofia.accept()
        await zofia.until("CALL_ESTABLISHED", unless="")
        await confirms(pbx, zofia)
        await hears(it["202"], 440)
        desks = {each: await speaking(pbx, stack, f"{each}-203-desk", hz) for each, hz in ((other(tenant), 1600), (tenant, 1300))}
        await desks[other(tenant)].dial("*71", pbx.server)
        await desks[other(tenant)].until("CALL_CLOSED", unless="")
        await hears(it["202"], 440)
        await desks[tenant].dial("*71", pbx.server)
        await hears(it["202"], 1300)
        await zofia.until("CALL_CLOSED", unless="")
        await it["202"].hang_up()
        await pbx.nothing_is_left()


async def confirms(pbx: Pbx, phone: baresip.Phone) -> None:
    async def is_asked() -> bool:
        return "/sys_confirm-" in await asyncio.to_thread(pbx.runtime.asterisk_cli, "core show channels concise")

    await until(is_asked, "the key is asked for")
    await phone.press("1")


def ends_with_2(pbx: Pbx, *arguments: str) -> str:
    """What a command says that finds something wrong, such as a carrier or a phone that is not there."""
    done = subprocess.run(
        [*centralka_command(pbx.runtime.home), *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2, done.stderr
    return done.stdout


async def test_status_shows_the_carriers_and_which_of_them_does_not_answer(pbx: Pbx) -> None:
    async with pbx.cast() as cast:
        await cast.callee(ANSWERS, at=TELCO, calls=0)
        await until_reachable(pbx, "platform-trunk-telco")
        await asyncio.to_thread(pbx.runtime.asterisk_cli, "pjsip qualify platform-trunk-spare")
        await until(lambda: re.search(r"151:\S+ +\S+ +Unavail", pbx.runtime.asterisk_cli("pjsip show contacts")), "nobody is there")
        told = json.loads(await asyncio.to_thread(ends_with_2, pbx, "status", "--json"))
    assert {trunk["endpoint"]: trunk["kind"] for trunk in told["trunks"]} == {
        "platform-trunk-spare": "address", "platform-trunk-telco": "address"}
    assert told["wrong"] == ["trunk platform-trunk-spare: its carrier doesn't answer OPTIONS"]


@pytest.fixture
def changed(pbx: Pbx, tmp_path: Path) -> Iterator[Path]:
    """A copy of the tenants' files to change; what was published before is published again at the end."""
    copy = tmp_path / "tenants"
    shutil.copytree(TENANTS, copy)
    yield copy
    pbx.runtime.apply(TENANTS)


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


async def test_changed_carrier_and_new_number_are_applied_undone_and_kept_while_a_password_changes(pbx: Pbx, changed: Path) -> None:
    edit(changed / "platform.yaml", "127.77.0.151, qualify_s: 3600", "127.77.0.152, qualify_s: 3600, country: PL")
    said = " ".join((await asyncio.to_thread(pbx.runtime.apply, changed)).split())
    assert "Asterisk reloaded extensions, pjsip and confirmed" in said
    call = comes(number("south", "13", "22{}"), pbx.outside_caller())
    await run(call, local="127.77.0.152", server=pbx.server)
    edit(changed / "north.yaml", 'numbers:\n', 'numbers:\n  "+48226660019": {to: ask}\n')
    await asyncio.to_thread(pbx.runtime.apply, changed)
    await run(comes("226660019", pbx.outside_caller()), local=TELCO.host, server=pbx.server)
    await asyncio.to_thread(pbx.centralka, "rollback")
    await run(comes("226660019", pbx.outside_caller(), Refused(404)), local=TELCO.host, server=pbx.server)
    said = await asyncio.to_thread(ends_with_2, pbx, "rotate", "north", "201-desk", "--minutes", "0")
    assert "both are right" in " ".join(said.split())
    await run(call, local="127.77.0.152", server=pbx.server)


async def test_number_that_moves_to_another_tenant_reaches_that_one_at_once(pbx: Pbx, changed: Path) -> None:
    caller, moved = pbx.outside_caller(), '  "+48226660019": {to: ask}\n'
    edit(changed / "south.yaml", "numbers:\n", f"numbers:\n{moved}")
    await asyncio.to_thread(pbx.runtime.apply, changed)
    edit(changed / "south.yaml", moved, "")
    edit(changed / "north.yaml", "numbers:\n", f"numbers:\n{moved}")
    said = " ".join((await asyncio.to_thread(pbx.runtime.apply, changed)).split())
    assert "Asterisk reloaded extensions and confirmed" in said
    await run(comes("+48226660019", caller), local=TELCO.host, server=pbx.server)
    assert (await pbx.record(caller, "north")).dialled == "+48226660019"


@pytest.fixture
def voice(tmp_path: Path) -> Iterator[Pbx]:
    """A carrier where one registers: a second instance."""
    folder = tmp_path / "voice"
    folder.mkdir()
    (folder / "voice.yaml").write_text(VOICE_TENANT)
    yield from started_instance("livevoice", VOICE, folder)


async def test_carrier_where_we_register_calls_our_contact_and_the_number_stands_in_to(
    pbx: Pbx, changed: Path, voice: Pbx,
) -> None:
    line = f"  voice: {{kind: registration, server: {VOICE}, user: voice-501-line, country: PL, area_code: \"22\"}}\n"
    edit(changed / "platform.yaml", "carriers:\n", f"carriers:\n{line}")
    await asyncio.to_thread(pbx.centralka, "secret", "platform-trunk-voice", answer=voice.secrets.sip["voice-501-line"])
    await asyncio.to_thread(pbx.runtime.apply, changed)
    await until(lambda: "Registered" in pbx.runtime.asterisk_cli("pjsip show registrations"), "the carrier took the registration")
    registered = await asyncio.to_thread(voice.runtime.asterisk_cli, "database show registrar")
    (contact,) = re.findall(r'"uri":"(sip:platform@[^"]+)"', registered)
    _, line_of_it = contact.split(";")
    for to, whose in (("+48226660013", "north"), ("227770013", "south"), ("7770013", "south")):
        caller, began = pbx.outside_caller().number, datetime.now(UTC)
        assert await answer(contact, to, caller) == "200"
        record = await only_record(pbx, whose, began)
        assert (record.caller, record.dialled) == (caller, number(whose, "13", "+4822{}"))
        assert await answer(f"sip:{to}@{HERE};{line_of_it}", "platform", caller) == "200"
        await until_recorded(pbx, whose, began, 2)
    for to in ("platform", "201", "+48226660099", "+48226660013x", "", "x;y"):
        assert await answer(contact, to, "+48600711299") == "404"


class Carrier(asyncio.DatagramProtocol):
    """A carrier that writes its messages itself."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[str] = asyncio.Queue()

    def datagram_received(self, data: bytes, peer: tuple[str, int]) -> None:
        self.came.put_nowait(data.decode())


async def answer(uri: str, to: str, caller: str) -> str:
    """The final answer to an INVITE for this URI where To names another number; who is answered hangs up."""
    loop = asyncio.get_running_loop()
    transport, carrier = await loop.create_datagram_endpoint(Carrier, local_addr=(VOICE, 0))
    port, call = transport.get_extra_info("sockname")[1], uuid.uuid4().hex
    sdp = f"v=0\r\no=- 1 1 IN IP4 {VOICE}\r\ns=-\r\nc=IN IP4 {VOICE}\r\nt=0 0\r\nm=audio 30000 RTP/AVP 8\r\n"

    def send(method: str, to_tag: str, body: str = "") -> None:
        user = f"{to}@" if to else ""
        transport.sendto("\r\n".join([
            f"{method} {uri} SIP/2.0", f"Via: SIP/2.0/UDP {VOICE}:{port};branch=z9hG4bK{method}{call}",
            f"From: <sip:{caller}@{VOICE}>;tag=1", f"To: \"48226660013\" <sip:{user}{VOICE}>{to_tag}", f"Call-ID: {call}",
            f"CSeq: {2 if method == 'BYE' else 1} {method}", f"Contact: <sip:{VOICE}:{port}>", "Max-Forwards: 70",
            *(["Content-Type: application/sdp"] if body else []), f"Content-Length: {len(body)}", "", body]).encode(), (HERE, 5060))

    try:
        async with asyncio.timeout(15):
            send("INVITE", "", sdp)
            while (code := (text := await carrier.came.get()).split()[1]) < "200":
                pass
            (tag,) = re.findall(r"^To:.*(;tag=\S+)", text, re.MULTILINE)
            send("ACK", tag)
            if code == "200":
                send("BYE", tag)
                while "CSeq: 2 BYE" not in await carrier.came.get():
                    pass
        return code
    finally:
        transport.close()
