"""Calls from phones to the outside: what the carrier is sent, and which carrier."""

import asyncio
import json
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from redis import Redis

from runtime.instance import centralka_command
from runtime.process import Process
from sipp import Address, Answer, AwaitHangUp, Call, Callee, Caller, Cast, Load, Refuse, Refused, Result, SendHangUp, started
from store.lines import lines_key, outside_key
from tests.live.pbx import Pbx, path_of, until

pytestmark = pytest.mark.live

CARRIER, BACKUP, SHY = Address("127.77.0.41"), Address("127.77.0.42"), Address("127.77.0.43")
PHONE = "127.77.8.41"
ANSWERS = Callee(then=Answer(ending=SendHangUp(300)))
NUMBER = "587000001"


class OptionsOnly(asyncio.DatagramProtocol):
    """A carrier that is there, and answers no INVITE."""

    def __init__(self) -> None:
        self.invites = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, peer: tuple[str, int]) -> None:
        self.invites += data.startswith(b"INVITE ")
        if data.startswith(b"OPTIONS "):
            kept = [line for line in data.decode().split("\r\n") if re.match("(Via|From|To|Call-ID|CSeq):", line)]
            answer = "\r\n".join(["SIP/2.0 200 OK", *kept, "Content-Length: 0", "", ""])
            self._transport.sendto(answer.encode(), peer)      # type: ignore[attr-defined]


async def carrier(pbx: Pbx, cast: Cast, at: Address, trunk: str, callee: Callee) -> None:
    """Somebody behind the trunk, as soon as Asterisk knows."""
    await cast.callee(callee, at=at)
    await until_known(pbx, at, trunk)


async def until_known(pbx: Pbx, at: Address, trunk: str) -> None:
    await asyncio.to_thread(pbx.runtime.asterisk_cli, f"pjsip qualify out-trunk-{trunk}")
    await until(
        lambda: re.search(rf"{at.host}:\S+ +\S+ +Avail", pbx.runtime.asterisk_cli("pjsip show contacts")),
        f"Asterisk knows that {trunk} is there")


@asynccontextmanager
async def calling(pbx: Pbx, extension: str, number: str, **carriers: Callee) -> AsyncIterator[Cast]:
    """After the call of that user's phone."""
    me = pbx.account(f"out-{extension}-desk")
    async with pbx.cast() as cast:
        for trunk, callee in carriers.items():
            await carrier(pbx, cast, CARRIER if trunk == "carrier" else BACKUP, trunk, callee)
        await cast.call(Call(number=number, caller=Caller(me.user), account=me, ending=AwaitHangUp()), at=PHONE)
    yield cast


def invite(result: Result) -> str:
    """The one INVITE that came."""
    (received,) = result.received("INVITE")
    return received.text


def header(text: str, name: str) -> str:
    return next((line.partition(":")[2].strip() for line in text.splitlines() if line.startswith(f"{name}:")), "")


async def test_carrier_is_shown_the_users_own_number_and_it_vouches(pbx: Pbx) -> None:
    async with calling(pbx, "201", NUMBER, carrier=ANSWERS) as cast:
        seen = invite(cast.results[CARRIER])
    assert seen.startswith("INVITE sip:+48587000001@")
    assert "sip:+48225100002@" in header(seen, "From")
    assert header(seen, "P-Asserted-Identity") == "<tel:+48225100002>"
    assert not header(seen, "Privacy")
    await pbx.nothing_is_left()


async def test_hidden_number_is_told_to_the_carrier_alone(pbx: Pbx) -> None:
    async with calling(pbx, "202", NUMBER, carrier=ANSWERS) as cast:
        seen = invite(cast.results[CARRIER])
    assert "sip:anonymous@anonymous.invalid" in header(seen, "From")
    assert header(seen, "Privacy") == "id"
    assert header(seen, "P-Asserted-Identity") == "<tel:+48225100003>"
    assert "225100003" not in seen.replace(header(seen, "P-Asserted-Identity"), "")


async def test_carrier_that_is_silent_is_given_up_within_seconds_and_the_next_one_carries_the_call(pbx: Pbx) -> None:
    loop = asyncio.get_running_loop()
    transport, silent = await loop.create_datagram_endpoint(OptionsOnly, local_addr=(CARRIER.host, CARRIER.port))
    try:
        began = loop.time()
        await until_known(pbx, CARRIER, "carrier")
        async with calling(pbx, "201", NUMBER, backup=ANSWERS) as cast:
            assert len(cast.results[BACKUP].received("INVITE")) == 1
        assert silent.invites > 1, "the INVITE was sent again before it was given up"
        assert loop.time() - began < 20
    finally:
        transport.close()


async def test_carrier_that_is_never_asked_whether_it_is_there_carries_calls(pbx: Pbx) -> None:
    me = pbx.account("out-201-desk")
    async with pbx.cast() as cast:
        await cast.callee(ANSWERS, at=SHY)
        await cast.call(Call(number="800100100", caller=Caller(me.user), account=me, ending=AwaitHangUp()), at=PHONE)
    assert invite(cast.results[SHY]).startswith("INVITE sip:+48800100100@")
    assert not cast.results[SHY].received("OPTIONS")


async def test_busy_number_is_not_tried_by_another_carrier(pbx: Pbx) -> None:
    me = pbx.account("out-201-desk")
    async with pbx.cast() as cast:
        await carrier(pbx, cast, CARRIER, "carrier", Callee(then=Refuse(486, "Busy Here")))
        await cast.callee(ANSWERS, at=BACKUP, calls=0)
        await cast.call(Call(number=NUMBER, caller=Caller(me.user), account=me, ending=Refused(486)), at=PHONE)
    assert not cast.results[BACKUP].received("INVITE")


@pytest.mark.parametrize("dialled", ["112", "*67112", "+48112", "0048112", "*670048112"])
async def test_emergency_call_leaves_with_the_sites_number_while_no_service_decides(pbx: Pbx, dialled: str) -> None:
    pbx.runtime.stop_process(Process.AGI)
    try:
        refuses = Callee(then=Refuse(503, "Service Unavailable"))
        async with calling(pbx, "201", dialled, carrier=refuses, backup=ANSWERS) as cast:
            seen = invite(cast.results[BACKUP])
    finally:
        pbx.runtime.start_process(Process.AGI)
    assert seen.startswith("INVITE sip:112@")
    assert "sip:+48125100009@" in header(seen, "From")


async def test_path_says_by_which_trunk_a_call_left_and_as_whom(pbx: Pbx) -> None:
    began = datetime.now(UTC)
    async with calling(pbx, "201", NUMBER, carrier=Callee(then=Refuse(500, "Server Internal Error")), backup=ANSWERS):
        pass
    assert path_of(await pbx.record("201", "out", since=began)) == [
        ("start", "201 dials 587000001"),
        ("outgoing", "calls +48587000001 (national) by carrier, shown as +48225100002"),
        ("outgoing", "trunk carrier fails, calls +48587000001 (national) by backup, shown as +48225100002"),
        ("outgoing", "the conversation is over")]


async def test_code_before_the_number_hides_it_or_shows_the_main_one(pbx: Pbx) -> None:
    async with calling(pbx, "201", "*67587000001", carrier=ANSWERS) as cast:
        hidden = invite(cast.results[CARRIER])
    assert "anonymous@anonymous.invalid" in header(hidden, "From")
    async with calling(pbx, "202", "*68587000001", carrier=ANSWERS) as cast:
        main = invite(cast.results[CARRIER])
    assert "sip:+48225100001@" in header(main, "From")
    assert not header(main, "Privacy")


async def test_of_fifty_callers_at_once_exactly_as_many_are_let_in_as_the_plan_has_lines_and_all_lines_are_free_afterwards(
    pbx: Pbx,
) -> None:
    caller = pbx.outside_caller()
    calls = Call(number="48225100010", caller=caller, ending=SendHangUp(6000))
    with Redis.from_url(pbx.settings.redis_url) as client:
        await until(lambda: client.zcard(lines_key("out")) == 0, "the lines of the calls before are free")
    async with started(calls, local=CARRIER.host, server=pbx.server, load=Load(calls=50, per_s=500, at_once=50)) as sipp:
        await sipp.result()
    records = await pbx.records(caller, "out", at_least=50)
    firsts = [path_of(call)[0][1] for call in records]
    assert sorted(set(firsts)) == ["all 8 lines are taken", "to +48225100010"]
    assert (firsts.count("to +48225100010"), len(firsts)) == (8, 50)
    with Redis.from_url(pbx.settings.redis_url) as client:
        await until(lambda: client.zcard(lines_key("out")) == 0, "all lines are free")


async def test_line_of_a_call_is_free_though_the_services_were_killed_meanwhile(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    with Redis.from_url(pbx.settings.redis_url) as client:
        async with pbx.cast() as cast:
            call = asyncio.create_task(cast.call(Call(number="48225100010", caller=caller, ending=SendHangUp(6000)), at=CARRIER.host))
            await until(lambda: client.zcard(lines_key("out")) == 1, "the call has a line")
            for process in (Process.AGI, Process.AMI):
                pbx.runtime.stop_process(process, kill=True)
            await call
            for process in (Process.AGI, Process.AMI):
                pbx.runtime.start_process(process)
        await until(lambda: client.zcard(lines_key("out")) == 0, "the line is free")
    assert (await pbx.record(caller, "out")).path


async def test_user_who_is_stopped_is_told_of_in_the_status_and_released_by_a_command(pbx: Pbx) -> None:
    today = datetime.now(ZoneInfo("Europe/Warsaw")).date().isoformat()
    me = pbx.account("out-202-desk")
    call = Call(number=NUMBER, caller=Caller(me.user), account=me, ending=Refused(403))
    with Redis.from_url(pbx.settings.redis_url) as client:
        client.hset(outside_key("out", today), "202", 600 * 60)
        async with pbx.cast() as cast:
            await cast.call(call, at=PHONE)
        stopped = json.loads(await asyncio.to_thread(status_of, pbx))["wrong"]
        assert any("out 202" in sentence and "600 minutes" in sentence for sentence in stopped), stopped
        assert "may call outside again" in pbx.centralka("release", "out", "202")
        assert not client.hgetall("centralka:stopped")
    async with calling(pbx, "202", NUMBER, carrier=ANSWERS) as cast:
        assert invite(cast.results[CARRIER])


def status_of(pbx: Pbx) -> str:
    """Which ends with exit code 2 while anything is wrong."""
    done = subprocess.run(
        [*centralka_command(pbx.runtime.home), "status", "--json"], capture_output=True, text=True, timeout=60, check=False)
    return done.stdout
