"""A switch, a caller and today's date change where a call goes, as the simulator foretells."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import redis

from centralka.cli.configuration import load_tenants, tenant_files
from routing.call.english import in_english
from routing.call.facts import DeviceState
from routing.call.state import Origin
from routing.tenant.tenant import Tenant
from simulator.script import Script
from simulator.simulate import simulate
from sipp import AwaitHangUp, Call, Caller, SendHangUp, Silence, run
from store.records import CallRecord as Record
from tests.agi.service import http, serving
from tests.live.calling import dials
from tests.live.pbx import TENANTS, TRUNK, Pbx, path_of, until

pytestmark = pytest.mark.live

DOOR = "48221234579"
SECTIONS = """switches:
  dusk: {extension: "555", positions: ['off', 'on']}
lists:
  vip: ["+4860099*"]
calendars:
  party: {file: party.ics}
conditions:
  door:
    rules:
      - {when: {switches: {dusk: on}}, to: bye}
      - {when: {caller: {kinds: [anonymous]}}, to: night}
      - {when: {caller: {lists: [vip]}, calendars: [party]}, to: mail}
      - {when: {users: {"201": do_not_disturb}}, to: night}
    otherwise: bye
numbers:
  "+48221234579": {to: door}
"""


@pytest.fixture
def acme(pbx: Pbx, tmp_path: Path) -> Iterator[Tenant]:
    """Acme with a door, published; afterwards what was published before."""
    tenants = tmp_path / "tenants"
    shutil.copytree(TENANTS, tenants)
    file = tenants / "acme.yaml"
    file.write_text(file.read_text().replace("numbers:\n", SECTIONS, 1))
    today = datetime.now(ZoneInfo("Europe/Warsaw"))
    (tenants / "party.ics").write_text("\r\n".join((
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", "BEGIN:VEVENT", "UID:1", "DTSTAMP:20260101T000000Z",
        f"DTSTART;VALUE=DATE:{today:%Y%m%d}", "RRULE:FREQ=DAILY;COUNT=2", "SUMMARY:Święto firmy", "END:VEVENT", "END:VCALENDAR", "")))
    pbx.runtime.apply(tenants)
    yield load_tenants(tenant_files([file]))[0]
    try:
        pbx.centralka("switch", "acme", "dusk", "off")
    finally:
        pbx.runtime.apply(TENANTS)


async def call_door(pbx: Pbx, caller: Caller) -> None:
    async with pbx.cast() as cast:
        await cast.call(dials(DOOR, caller, Silence(300), ending=AwaitHangUp()), at=TRUNK["acme"])


def foretold(tenant: Tenant, caller: Caller, moment: datetime | None = None, **facts: object) -> list[tuple[str, str]]:
    away = dict.fromkeys(tenant.users, DeviceState.UNAVAILABLE)
    script = Script(Origin.TRUNK, DOOR, moment or datetime.now(UTC), caller=caller.number, states=away)
    return [(visit.node, in_english(visit.why)) for visit in simulate(tenant, replace(script, **facts)).path]  # type: ignore[arg-type]


async def test_command_and_phone_move_a_switch_and_the_next_call_goes_elsewhere(pbx: Pbx, acme: Tenant) -> None:
    async def says(position: str) -> Record:
        caller = pbx.outside_caller()
        await call_door(pbx, caller)
        record = await pbx.record(caller)
        assert path_of(record) == foretold(acme, caller, switches={"dusk": position})
        return record

    assert pbx.centralka("switch", "acme") == "dusk: off\n"
    before = await says("off")
    assert in_english(before.path[1].why).startswith("no rule holds")
    assert pbx.centralka("switch", "acme", "dusk", "on") == "dusk: on\n"
    assert in_english((await says("on")).path[1].why) == "rule 1: switch dusk is on, on to bye"
    began = datetime.now(UTC)
    me = pbx.account("acme-202-desk")
    await run(Call(number="555", caller=Caller(me.user), account=me, ending=AwaitHangUp()), local="127.77.9.61", server=pbx.server)
    assert pbx.centralka("switch", "acme") == "dusk: off\n"
    flip = Script(Origin.PHONE, "555", datetime.now(UTC), "202", switches={"dusk": "on"})
    record = await pbx.record("202", since=began)
    assert path_of(record) == [(visit.node, in_english(visit.why)) for visit in simulate(acme, flip).path]
    await says("off")


async def test_hidden_number_is_known_as_hidden(pbx: Pbx, acme: Tenant) -> None:
    caller, began = Caller("anonymous"), datetime.now(UTC)
    await call_door(pbx, caller)
    record = await pbx.record(caller, since=began)
    assert path_of(record) == foretold(acme, caller)
    assert in_english(record.path[1].why) == "rule 2: the caller's number is hidden, on to night"


async def test_day_of_a_calendar_and_a_list_of_callers(pbx: Pbx, acme: Tenant) -> None:
    caller = Caller(f"+4860099{datetime.now(UTC):%M%S}1")
    began = datetime.now(UTC)
    async with pbx.cast() as cast:
        await cast.call(dials(DOOR, caller, Silence(1500), ending=SendHangUp(1500)), at=TRUNK["acme"])
    record = await pbx.record(caller, since=began)
    expected = foretold(acme, caller, record.path[1].at)
    assert path_of(record)[:2] == expected[:2]
    assert "is Święto firmy (calendar party) and caller" in in_english(record.path[1].why)


async def test_setting_of_a_user_counts_for_the_next_call(pbx: Pbx, acme: Tenant) -> None:
    assert pbx.centralka("user", "acme", "201", "--dnd") == "201: do not disturb\n"
    caller = pbx.outside_caller()
    await call_door(pbx, caller)
    record = await pbx.record(caller)
    assert in_english(record.path[1].why) == "rule 4: 201 is do not disturb, on to night"
    assert pbx.centralka("user", "acme", "201", "--no-dnd") == "201: nothing is set\n"


async def test_calendar_at_an_address_is_fetched_and_changes_where_a_call_goes(pbx: Pbx, tmp_path: Path) -> None:
    today = datetime.now(ZoneInfo("Europe/Warsaw"))
    event = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", "BEGIN:VEVENT", "UID:1", "DTSTAMP:20260101T000000Z",
             f"DTSTART;VALUE=DATE:{today:%Y%m%d}", "DURATION:P2D", "SUMMARY:Inwentaryzacja", "END:VEVENT", "END:VCALENDAR", "")
    tenants = tmp_path / "tenants"
    shutil.copytree(TENANTS, tenants)
    file = tenants / "acme.yaml"
    async with serving(http("\r\n".join(event).encode()), address="127.77.9.1") as service:
        url = f"http://127.77.9.1:{service.port}/stock.ics"
        sections = (f"calendars:\n  stock: {{url: \"{url}\"}}\nconditions:\n  stocktaking:\n    rules:\n"
                    '      - {when: {calendars: [stock]}, to: bye}\n    otherwise: night\nnumbers:\n  "+48221234579": {to: stocktaking}\n')
        file.write_text(file.read_text().replace("numbers:\n", sections, 1))
        pbx.runtime.apply(tenants)
        try:
            with redis.Redis.from_url(pbx.settings.redis_url) as client:
                await until(lambda: client.hexists("centralka:calendars", "acme/stock"), "the calendar is fetched")
            caller = pbx.outside_caller()
            await run(dials(DOOR, caller), local=TRUNK["acme"], server=pbx.server)
            told = path_of(await pbx.record(caller))[1]
        finally:
            pbx.runtime.apply(TENANTS)
    assert told[0] == "stocktaking"
    assert told[1].endswith(" is Inwentaryzacja (calendar stock), on to bye")
