"""Queues on real phones: who is rung when, what agents set by command, and what restarts leave as it was."""

import asyncio
import json
from typing import Any

import pytest

from routing.call.facts import DeviceState
from runtime.process import Process
from sipp import Answer, AwaitHangUp, Callee, Ring, SendHangUp
from store.records import Outcome
from tests.live.calling import dials
from tests.live.lines import ANNA, JAN, LINE, SHORT_LINE, STAYS, hangs_up, until_paused, waiting
from tests.live.pbx import TRUNK, Pbx, path_of

pytestmark = pytest.mark.live


async def test_agent_who_logs_out_is_rung_no_more_while_a_caller_waits_and_gets_the_caller_after_login(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    pbx.centralka("user", "told", "202", "--logout", "line")
    await until_paused(pbx, "told-line", "202")
    try:
        async with pbx.cast(limit_s=60) as cast:
            await pbx.phone(cast, ANNA, Callee(then=Ring()), calls=None)
            await pbx.phone(cast, JAN, Callee(then=Answer(ending=SendHangUp(200))))
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(cast.call(dials(LINE, caller, ending=STAYS), at=TRUNK["told"]))
                await pbx.until_state(ANNA, DeviceState.RINGING)
                await pbx.until_state(ANNA, DeviceState.IDLE)
                assert pbx.state_of(JAN) == DeviceState.IDLE
                pbx.centralka("user", "told", "202", "--login", "line")
    finally:
        pbx.centralka("user", "told", "202", "--login", "line")
    call = await pbx.record(caller, "told")
    assert (call.outcome, call.answered_by) == (Outcome.ANSWERED, "202")
    assert path_of(call)[1:] == [("line", "waits for 201"), ("line", "the conversation is over")]
    await until_paused(pbx, "told-line")


async def test_agent_rests_after_a_conversation(pbx: Pbx) -> None:
    first, second = pbx.outside_caller(), pbx.outside_caller()
    async with pbx.cast(limit_s=60) as cast:
        await pbx.phone(cast, ANNA, Callee(then=Answer(ending=SendHangUp(100))), calls=2)
        await cast.call(dials(LINE, first, ending=AwaitHangUp()), at=TRUNK["told"])
        await cast.call(dials(LINE, second, ending=AwaitHangUp()), at=TRUNK["told"])
    before, after = await pbx.record(first, "told"), await pbx.record(second, "told")
    assert after.answered_at is not None
    assert (after.answered_at - before.ended_at).total_seconds() > 3


async def test_who_is_paused_stays_paused_over_restarts_of_asterisk_and_of_the_service(pbx: Pbx) -> None:
    pbx.centralka("user", "told", "201", "--pause")
    try:
        await until_paused(pbx, "told-line", "201")
        await asyncio.to_thread(pbx.runtime.stop_process, Process.ASTERISK, kill=True)
        await asyncio.to_thread(pbx.runtime.start_process, Process.ASTERISK)
        await until_paused(pbx, "told-line", "201")
        await asyncio.to_thread(pbx.runtime.stop_process, Process.AMI, kill=True)
        pbx.centralka("user", "told", "201", "--no-pause")
        pbx.centralka("user", "told", "202", "--pause")
        await asyncio.to_thread(pbx.runtime.start_process, Process.AMI)
        await until_paused(pbx, "told-line", "202")
    finally:
        pbx.centralka("user", "told", "201", "--no-pause")
        pbx.centralka("user", "told", "202", "--no-pause")
    await until_paused(pbx, "told-line")


async def test_reload_keeps_who_waits_and_who_is_paused(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    pbx.centralka("user", "told", "202", "--pause")
    try:
        await until_paused(pbx, "told-line", "202")
        async with pbx.cast(limit_s=60) as cast:
            await pbx.phone(cast, ANNA, Callee(then=Ring()), calls=None)
            async with asyncio.TaskGroup() as tasks:
                calling = tasks.create_task(cast.call(dials(LINE, caller, ending=STAYS), at=TRUNK["told"]))
                await waiting(pbx, "told-line", 1)
                pbx.runtime.asterisk_cli("queue reload all")
                await until_paused(pbx, "told-line", "202")
                await waiting(pbx, "told-line", 1)
                assert not calling.done()
                await hangs_up(pbx, caller)
    finally:
        pbx.centralka("user", "told", "202", "--no-pause")
    assert path_of(await pbx.record(caller, "told"))[1:] == [("line", "waits for 201")]


def numbers(pbx: Pbx) -> dict[str, Any]:
    (found,) = json.loads(pbx.centralka("queue", "told", "line", "--json"))
    return dict(found)


async def test_numbers_of_a_queue_tell_who_waits_who_is_there_and_what_became_of_the_callers(pbx: Pbx) -> None:
    answered, lost = pbx.outside_caller(), pbx.outside_caller()
    before = numbers(pbx)["today"]
    async with pbx.cast(limit_s=60) as cast:
        await pbx.phone(cast, ANNA, Callee(then=Answer(ending=SendHangUp(100))))
        await cast.call(dials(LINE, answered, ending=AwaitHangUp()), at=TRUNK["told"])
    await pbx.record(answered, "told")
    pbx.centralka("user", "told", "202", "--pause")
    try:
        async with pbx.cast(limit_s=60) as cast:
            await pbx.phone(cast, ANNA, Callee(then=Ring()), calls=None)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(cast.call(dials(LINE, lost, ending=STAYS), at=TRUNK["told"]))
                await waiting(pbx, "told-line", 1)
                now = numbers(pbx)
                await hangs_up(pbx, lost)
    finally:
        pbx.centralka("user", "told", "202", "--no-pause")
    await pbx.record(lost, "told")
    after = numbers(pbx)["today"]
    assert (now["waiting"], now["agents"]["logged_in"], now["agents"]["paused"]) == (1, 2, 1)
    assert [after[what] - before[what] for what in ("answered", "in_time", "abandoned", "left")] == [1, 1, 1, 0]


async def test_caller_who_waits_goes_on_when_the_last_agent_logs_out(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    try:
        async with pbx.cast(limit_s=60) as cast:
            await pbx.phone(cast, ANNA, Callee(then=Ring()), calls=None)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(cast.call(dials(SHORT_LINE, caller, ending=STAYS), at=TRUNK["told"]))
                await pbx.until_state(ANNA, DeviceState.RINGING)
                pbx.centralka("user", "told", "201", "--pause")
    finally:
        pbx.centralka("user", "told", "201", "--no-pause")
    assert path_of(await pbx.record(caller, "told"))[2:4] == [
        ("short_line", "no agent is there any more, on to mail"), ("mail", "plays goodbye")]
