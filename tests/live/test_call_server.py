"""A real call that a tenant's real service decides, and one while that service is away."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from routing.call.call_server import CallServerReply
from routing.call.english import in_english
from routing.call.facts import DeviceState
from routing.call.state import Origin
from simulator.script import Script
from simulator.simulate import simulate
from sipp import Answer, AwaitHangUp, Callee, SendHangUp
from tests.agi.service import http, read_request
from tests.live.calling import dials
from tests.live.pbx import TRUNK, Pbx, path_of
from tests.live.test_outside import CARRIER, carrier, header

pytestmark = pytest.mark.live

NUMBER = "48221234574"
REPLY = {"text": "Dzień dobry, łączymy", "go_to": "201", "show": {"customer": "Kowalska 17"}}


def simulated(pbx: Pbx, servers: dict[str, CallServerReply]) -> list[tuple[str, str]]:
    states = {user: DeviceState.IDLE if user == "201" else DeviceState.UNAVAILABLE for user in pbx.tenants["acme"].users}
    script = Script(Origin.TRUNK, NUMBER, datetime.now(UTC), states=states, call_servers=servers)
    return [(visit.node, in_english(visit.why)) for visit in simulate(pbx.tenants["acme"], script).path]


async def test_call_hears_what_the_service_says_and_goes_where_it_says(pbx: Pbx) -> None:
    """The service answers after 1.9 s, longer than which a decision alone would be waited for together with what follows."""
    caller = pbx.outside_caller()
    asked: list[dict[str, str]] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(json.loads((await read_request(reader)).body))
        await asyncio.sleep(1.9)
        writer.write(http(json.dumps(REPLY).encode()))
        writer.close()

    server = await asyncio.start_server(answer, "127.77.9.1", 8099)
    async with server, pbx.cast() as cast:
        await pbx.phone(cast, "acme-201-desk", Callee(then=Answer(ending=SendHangUp(200))))
        await cast.call(dials(NUMBER, caller, ending=AwaitHangUp()), at=TRUNK["acme"])
    call = await pbx.record(caller)
    assert call.answered_by == "201"
    assert path_of(call) == simulated(pbx, {"crm": CallServerReply.model_validate(REPLY)})
    assert [(one["tenant"], one["caller"], one["dialled"]) for one in asked] == [("acme", caller.number, "+48221234574")]


async def test_service_sends_the_call_to_a_number_outside_once_its_words_are_heard(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    reply = {"text": "Łączymy z serwisem", "go_to": "+48587000009"}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(http(json.dumps(reply).encode()))
        writer.close()

    server = await asyncio.start_server(answer, "127.77.9.1", 8099)
    async with server, pbx.cast() as cast:
        await carrier(pbx, cast, Callee(then=Answer(ending=SendHangUp(300))))
        await cast.call(dials(NUMBER, caller, ending=AwaitHangUp()), at=TRUNK["acme"])
    seen = cast.results[CARRIER]
    assert seen.received("INVITE")[0].first_line.startswith("INVITE sip:+48587000009@")
    assert f"sip:{caller.number}@" in header(seen, "From")
    assert header(seen, "P-Asserted-Identity") == "<tel:+48221234567>"
    call = await pbx.record(caller)
    assert call.answered_by == "acme-trunk-carrier"
    assert path_of(call) == simulated(pbx, {"crm": CallServerReply.model_validate(reply)})


async def test_call_whose_service_is_away_is_told_so_and_goes_on(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast() as cast:
        await cast.call(dials(NUMBER, caller, ending=AwaitHangUp()), at=TRUNK["acme"])
    path = path_of(await pbx.record(caller))
    assert path == simulated(pbx, {})
    assert path[1] == ("crm", "no connection, on to bye")
