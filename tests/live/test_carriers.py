"""Carriers that tenants share: the number dialled alone says whose call it is, from its first moment to its record."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pytest

from runtime.process import Process
from sipp import Answer, AwaitHangUp, Call, Callee, Caller, Load, Refuse, Refused, SendHangUp, run, started
from tests.live.firm import firm, path, until_reachable
from tests.live.pbx import Pbx, path_of, until
from tests.live.shared_carriers import (
    ANSWERS,
    OUTSIDE,
    PREFIX,
    SPARE,
    SPELLINGS,
    TELCO,
    comes,
    invite,
    lines,
    number,
    only_record,
    other,
    until_free,
    until_recorded,
)

pytestmark = pytest.mark.live


@pytest.fixture
def pbx(carriers_pbx: Pbx) -> Pbx:
    return carriers_pbx


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
        ending = SendHangUp(300) if reached else Refused(404)
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
                                    ("spare", SPARE, Callee(then=Answer(ending=SendHangUp(300))))):
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
                                        ("spare", SPARE, Callee(then=Answer(ending=SendHangUp(300))))):
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
            await cast.call(comes(number(tenant, "12", "22{}"), caller, SendHangUp(500)), at=TELCO.host)
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
            comes(number(tenant, "13"), caller, SendHangUp(4000)), local=TELCO.host, server=pbx.server,
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
            Call(number=to, caller=Caller(me.user), account=me, ending=SendHangUp(3000)), at="127.77.8.73"))
        await until(lambda: lines(pbx, "north"), "north has a line")
        shown = Caller(number("north", "12", "+4822{}"))
        await cast.call(comes(number("south", "13", "+4822{}"), shown, SendHangUp(1000)), at=TELCO.host)
        assert len(lines(pbx, "north")) == 1
        await outwards
    assert cast.results[TELCO].received("INVITE")[0].text.startswith(f"INVITE sip:+48{to}@")
    await pbx.nothing_is_left()
    for tenant, caller in (("north", "201"), ("south", shown.number)):
        await until_recorded(pbx, tenant, began)
        assert [call.caller for call in await pbx.since(tenant, began)] == [caller]
    await until_free(pbx)
