"""Our processes die at the worst moments; callers do not notice, and no record is lost or doubled."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from routing.call.facts import DeviceState
from runtime.local import LocalRuntime
from runtime.process import Process
from runtime.supervisor import STANDBY, SUPERVISOR
from sipp import Answer, AwaitHangUp, Call, Callee, Caller, Load, Ring, SendHangUp, Silence, keys, run
from store.records import Outcome
from tests.live.calling import DIRECT, IDLE, MAIN, dials
from tests.live.pbx import TRUNK, Pbx, path_of, until

pytestmark = pytest.mark.live
FAILOVER = ("failover", "the decision service did not answer")


@pytest.mark.docker
async def test_decision_service_killed_before_a_call_and_the_failover_rings(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast() as cast:
        await pbx.phone(cast, "acme-202-desk", Callee(then=Answer(ending=SendHangUp(200))))     # the failover's phone
        await pbx.phone(cast, "acme-201-desk", Callee(then=Ring()), calls=0)
        pbx.runtime.stop_process(Process.AGI, kill=True)
        try:
            await cast.call(dials(MAIN["acme"], caller, ending=AwaitHangUp()), at=TRUNK["acme"])
        finally:
            pbx.runtime.start_process(Process.AGI)
    call = await pbx.record(caller)
    assert (call.answered_by, path_of(call)) == ("202", [FAILOVER])


async def test_decision_service_that_hangs_and_the_failover_rings(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    pid = pbx.runtime.pid_of(Process.AGI)
    assert pid
    async with pbx.cast() as cast:
        await pbx.phone(cast, "acme-202-desk", Callee(then=Answer(ending=SendHangUp(6000))))
        os.kill(pid, signal.SIGSTOP)
        try:
            # Longer than the time limit of a decision: in the conversation there is none.
            await cast.call(dials(MAIN["acme"], caller, ending=AwaitHangUp()), at=TRUNK["acme"])
        finally:
            os.kill(pid, signal.SIGCONT)
    call = await pbx.record(caller)
    assert (call.answered_by, path_of(call)) == ("202", [FAILOVER])
    assert call.answered_at
    assert (call.ended_at - call.answered_at).total_seconds() > 5


async def test_conversation_has_no_time_limit_of_a_decision(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast() as cast:
        await pbx.phone(cast, "acme-201-desk", Callee(then=Answer(ending=SendHangUp(6000))))
        await cast.call(dials(DIRECT["acme"], caller, ending=AwaitHangUp()), at=TRUNK["acme"])
    call = await pbx.record(caller)
    assert call.answered_at
    assert (call.ended_at - call.answered_at).total_seconds() > 5


async def test_without_the_decision_service_colleagues_still_reach_each_other(pbx: Pbx) -> None:
    me = pbx.account("acme-202-desk")
    async with pbx.cast() as cast:
        await pbx.phone(cast, "acme-201-desk", Callee(then=Answer(ending=SendHangUp(200))))
        pbx.runtime.stop_process(Process.AGI, kill=True)
        try:
            await cast.call(Call(number="201", caller=Caller(me.user), account=me, ending=AwaitHangUp()), at="127.77.8.7")
        finally:
            pbx.runtime.start_process(Process.AGI)


async def test_without_the_decision_service_and_without_phones_the_mailbox_takes_the_call(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    pbx.runtime.stop_process(Process.AGI, kill=True)
    try:
        async with pbx.cast() as cast:
            await cast.call(dials(MAIN["acme"], caller, Silence(5000)), at=TRUNK["acme"])
    finally:
        pbx.runtime.start_process(Process.AGI)
    assert (await pbx.record(caller)).outcome is Outcome.VOICEMAIL


@contextmanager
def is_asked_again(pbx: Pbx, times: int) -> Iterator[None]:
    """The dialplan waits that long for the decision service, in seconds."""
    normal = pbx.runtime.asterisk_cli("dialplan show globals").split("ASK_AGAIN=")[1].split()[0]
    pbx.runtime.asterisk_cli(f"dialplan set global ASK_AGAIN {times}")
    try:
        yield
    finally:
        pbx.runtime.asterisk_cli(f"dialplan set global ASK_AGAIN {normal}")


async def test_service_that_comes_back_is_asked_again(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast() as cast:
        await pbx.phone(cast, "acme-201-desk", Callee(then=Answer(ending=SendHangUp(200))))
        pbx.runtime.stop_process(Process.AGI, kill=True)
        with is_asked_again(pbx, 100):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(cast.call(dials(DIRECT["acme"], caller, ending=AwaitHangUp()), at=TRUNK["acme"]))
                await until(lambda: "1 active call" in pbx.runtime.asterisk_cli("core show channels count"), "the call is up")
                await asyncio.to_thread(pbx.runtime.start_process, Process.AGI)
    assert path_of(await pbx.record(caller)) == pbx.simulated(DIRECT["acme"], x201=IDLE)


@pytest.mark.docker
async def test_decision_service_killed_during_a_conversation_which_goes_on_and_so_does_the_flow(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast() as cast:
        await pbx.phone(cast, "acme-201-desk", Callee(then=Answer(ending=SendHangUp(6000))))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(cast.call(dials(DIRECT["acme"], caller, ending=AwaitHangUp()), at=TRUNK["acme"]))
            await pbx.until_state("acme-201-desk", DeviceState.IN_USE, DeviceState.BUSY)
            await asyncio.to_thread(pbx.runtime.stop_process, Process.AGI, kill=True)
            assert "1 active call" in pbx.runtime.asterisk_cli("core show channels count")
            await asyncio.to_thread(pbx.runtime.start_process, Process.AGI)
    assert path_of(await pbx.record(caller)) == pbx.simulated(DIRECT["acme"], x201=IDLE)


async def test_decision_service_that_stays_away_ends_an_answered_call_without_ringing_anybody_else(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast() as cast:
        await pbx.phone(cast, "acme-202-desk", Callee(then=Ring()), calls=0)
        await pbx.phone(cast, "acme-201-desk", Callee(then=Answer(ending=SendHangUp(3000))))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(cast.call(dials(DIRECT["acme"], caller, ending=AwaitHangUp()), at=TRUNK["acme"]))
            await pbx.until_state("acme-201-desk", DeviceState.IN_USE, DeviceState.BUSY)
            await asyncio.to_thread(pbx.runtime.stop_process, Process.AGI, kill=True)
    pbx.runtime.start_process(Process.AGI)
    assert (await pbx.record(caller)).answered_by == "201"


@pytest.mark.docker
async def test_ami_service_killed_during_20_calls_and_every_call_has_exactly_one_record(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast(limit_s=60) as cast:
        await pbx.phone(cast, "acme-202-desk", Callee(then=Answer()), calls=20)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(cast.call(
                dials("48221234567", caller, Silence(400), *keys("#"), Silence(1000), ending=SendHangUp(8000)),
                at=TRUNK["acme"], load=Load(calls=20, per_s=10, at_once=20)))
            await until(lambda: "20 active calls" in pbx.runtime.asterisk_cli("core show channels count"), "20 calls are up")
            await asyncio.to_thread(pbx.runtime.stop_process, Process.AMI, kill=True)
    await until(lambda: pbx.runtime.asterisk_cli("core show channels count").startswith("0 active channels"), "all calls ended")
    pbx.runtime.start_process(Process.AMI)
    calls = await pbx.records(caller, at_least=20)
    assert len(calls) == 20
    assert {call.answered_by for call in calls} == {"202"}
    pbx.runtime.stop_process(Process.AMI, kill=True)
    pbx.runtime.start_process(Process.AMI)
    later = pbx.outside_caller()
    await run(dials("48221234569", later), local=TRUNK["acme"], server=pbx.server)
    await pbx.record(later)                       # whatever the service reads a second time, it has read by now
    assert len(await pbx.records(caller, at_least=20)) == 20


@pytest.mark.docker
async def test_redis_killed_and_calls_go_on(pbx: Pbx) -> None:
    first, second = pbx.outside_caller(), pbx.outside_caller()
    async with pbx.cast() as cast:
        await pbx.phone(cast, "acme-201-desk", Callee(then=Answer(ending=SendHangUp(200))), calls=2)
        pbx.runtime.stop_process(Process.REDIS, kill=True)
        try:
            await cast.call(dials(DIRECT["acme"], first, ending=AwaitHangUp()), at=TRUNK["acme"])
        finally:
            pbx.runtime.start_process(Process.REDIS)
        pbx.runtime.wait_ready(Process.AMI)
        await pbx.until_state("acme-201-desk", DeviceState.IDLE)            # the view is written anew
        await cast.call(dials(DIRECT["acme"], second, ending=AwaitHangUp()), at=TRUNK["acme"])
    assert path_of(await pbx.record(first)) == path_of(await pbx.record(second)) == pbx.simulated(DIRECT["acme"], x201=IDLE)


@pytest.mark.parametrize("names", [(SUPERVISOR,), (STANDBY,), (SUPERVISOR, STANDBY)], ids=" and ".join)
async def test_supervisor_killed_with_calls_up_and_calls_stay_and_a_dead_service_still_comes_back(
    pbx: Pbx, names: tuple[str, ...],
) -> None:
    if not isinstance(pbx.runtime, LocalRuntime):
        pytest.skip("dockerd supervises containers")
    files, talking, new = pbx.runtime.files, pbx.outside_caller(), pbx.outside_caller()
    before, until_ended = {name: pbx.runtime.pid_of(name) for name in Process}, AwaitHangUp(within_ms=400_000)
    supervising = {name: files.running(name) for name in (SUPERVISOR, STANDBY)}
    async with pbx.cast(limit_s=400) as cast:
        await pbx.phone(cast, "acme-201-desk", Callee(then=Answer(ending=SendHangUp(200))))
        await pbx.phone(cast, "acme-205-desk", Callee(then=Answer(ending=until_ended)), calls=5)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(cast.call(
                dials("48221234575", talking, ending=until_ended), at=TRUNK["acme"], load=Load(calls=5, per_s=5, at_once=5)))
            await until(lambda: "5 active calls" in pbx.runtime.asterisk_cli("core show channels count"), "5 calls are up")
            for name in names:
                process = supervising[name]
                assert process
                os.kill(process.pid, signal.SIGKILL)
            await cast.call(dials(DIRECT["acme"], new, ending=AwaitHangUp()), at=TRUNK["acme"])
            if set(names) == {SUPERVISOR, STANDBY}:
                await asyncio.to_thread(pbx.runtime.start)
            await until(lambda: all((now := files.running(name)) and (name not in names or now != supervising[name])
                                    for name in supervising), "both supervisors run")
            assert {name: pbx.runtime.pid_of(name) for name in Process} == before
            assert "5 active calls" in pbx.runtime.asterisk_cli("core show channels count")
            agi = before[Process.AGI]
            assert agi
            os.kill(agi, signal.SIGKILL)
            await until(lambda: pbx.runtime.pid_of(Process.AGI) not in (None, agi), "agi is started again", limit_s=60)
            await asyncio.to_thread(pbx.runtime.wait_ready, Process.AGI)
            pbx.runtime.asterisk_cli("channel request hangup all")
    assert [call.answered_by for call in await pbx.records(talking, at_least=5)] == ["205"] * 5
    assert path_of(await pbx.record(new)) == pbx.simulated(DIRECT["acme"], x201=IDLE)
