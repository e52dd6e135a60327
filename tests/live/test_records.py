"""Each call has one record when the disk is full or the CEL file is damaged; where events are lost, the record and the status
say so."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from runtime.instance import centralka_command
from runtime.process import Process
from sipp import Answer, Callee, Caller, Load, SendHangUp, Silence, keys
from store.lines import lines_key
from store.records import Outcome
from tests.live.calling import dials
from tests.live.pbx import TRUNK, Pbx, until

pytestmark = pytest.mark.live
MENU = "48221234567"
LIMIT_S = 120.0


def cel_file(pbx: Pbx) -> Path:
    return pbx.settings.home / "log" / "cel-custom" / "cel.csv"


async def calls(pbx: Pbx, caller: Caller, count: int, *, talk_ms: int = 500) -> None:
    """So many calls at once that 202 answers, from their beginning to their end."""
    async with pbx.cast(limit_s=LIMIT_S) as cast:
        await pbx.phone(cast, "acme-202-desk", Callee(then=Answer()), calls=count)
        await cast.call(dials(MENU, caller, Silence(400), *keys("#"), Silence(1000), ending=SendHangUp(talk_ms)), at=TRUNK["acme"],
                        load=Load(calls=count, per_s=8, at_once=count))
    await until(lambda: pbx.runtime.asterisk_cli("core show channels count").startswith("0 active channels"), "all calls ended",
                LIMIT_S)


async def status(pbx: Pbx) -> str:
    done = await asyncio.to_thread(
        subprocess.run, [*centralka_command(pbx.runtime.home), "status", "--json"], check=False, capture_output=True, text=True, timeout=LIMIT_S)
    return done.stdout


@contextmanager
def small_disk(pbx: Pbx, size: int) -> Iterator[Path]:
    """A file system of so many bytes where Asterisk writes its events. The AMI service is started again: it may have a mount
    namespace of its own, which does not see later mounts."""
    folder = cel_file(pbx).parent
    its = folder.stat()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=2770,uid={its.st_uid},gid={its.st_gid}", "none", str(folder)],
                   check=True)
    try:
        restart_ami(pbx)
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        restart_ami(pbx)


def restart_ami(pbx: Pbx) -> None:
    pbx.runtime.stop_process(Process.AMI)
    pbx.runtime.start_process(Process.AMI)


def fill(folder: Path) -> Path:
    """Until no byte is left."""
    file = folder / "fill"
    with file.open("wb", buffering=0) as out:
        try:
            while True:
                out.write(b"x" * 4096)
        except OSError:
            pass
    return file


async def test_full_disk_costs_no_record_while_its_reserve_lasts(pbx: Pbx) -> None:
    before, during, after = (pbx.outside_caller() for _ in range(3))
    with small_disk(pbx, 2 << 20) as folder:
        await calls(pbx, before, 1)
        await pbx.record(before)
        await until(lambda: cel_file(pbx).stat().st_blocks * 512 > 256 << 10, "space is reserved", LIMIT_S)
        filling = fill(folder)
        await calls(pbx, during, 16)
        found = await pbx.records(during, at_least=16)
        assert len(found) == 16
        assert {(call.outcome, call.answered_by) for call in found} == {(Outcome.ANSWERED, "202")}

        async def is_told() -> bool:
            return f"left in the file system of {folder}" in await status(pbx)

        await until(is_told, "status tells of the full disk", LIMIT_S)
        filling.unlink()
        await calls(pbx, after, 1)
        await pbx.record(after)

    await pbx.nothing_is_left()


async def test_calls_whose_events_no_disk_takes_have_records_all_the_same(pbx: Pbx) -> None:
    """The disk is too small for any reserve: AMI has the events."""
    during, after = (pbx.outside_caller() for _ in range(2))
    with small_disk(pbx, 64 << 10) as folder:
        filling = fill(folder)
        await calls(pbx, during, 16)
        found = await pbx.records(during, at_least=16)
        assert len(found) == 16
        assert {(call.outcome, call.answered_by) for call in found} == {(Outcome.ANSWERED, "202")}

        async def is_told() -> bool:
            return "events of calls to the CEL file" in await status(pbx)

        await until(is_told, "status tells of it", LIMIT_S)
        filling.unlink()
        await calls(pbx, after, 1)
        assert (await pbx.record(after)).outcome is Outcome.ANSWERED
    await pbx.nothing_is_left()


@pytest.mark.parametrize(("second_path", "outcome"), [(True, Outcome.ANSWERED), (False, Outcome.INTERRUPTED)],
                         ids=["AMI has it", "AMI was away, too"])
async def test_calls_whose_end_is_lost_with_the_cel_file_are_recorded_and_give_their_lines_back(
        pbx: Pbx, second_path: bool, outcome: Outcome) -> None:
    caller, later = pbx.outside_caller(), pbx.outside_caller()
    pid = pbx.runtime.pid_of(Process.AMI)
    assert pid
    async with pbx.cast(limit_s=LIMIT_S) as cast:
        await pbx.phone(cast, "acme-202-desk", Callee(then=Answer()), calls=4)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(cast.call(
                dials(MENU, caller, Silence(400), *keys("#"), Silence(1000), ending=SendHangUp(8000)), at=TRUNK["acme"],
                load=Load(calls=4, per_s=4, at_once=4)))
            await until(lambda: "4 active calls" in pbx.runtime.asterisk_cli("core show channels count"), "4 calls are up", LIMIT_S)
            with redis.Redis.from_url(pbx.settings.redis_url) as client:
                await until(lambda: client.hlen("centralka:calls") == 4, "the calls are known", LIMIT_S)
            os.kill(pid, signal.SIGSTOP)
            if not second_path:
                sessions = pbx.runtime.asterisk_cli("manager show connected").splitlines()
                (session,) = [line.split() for line in sessions if line.split()[:1] == ["centralka-cel"]]
                pbx.runtime.asterisk_cli(f"manager kick session {session[4]}")
    try:
        await until(lambda: pbx.runtime.asterisk_cli("core show channels count").startswith("0 active channels"), "all ended",
                    LIMIT_S)
        os.truncate(cel_file(pbx), 0)
    finally:
        os.kill(pid, signal.SIGCONT)

    async def are_recorded() -> bool:
        return len(await pbx.records(caller, at_least=0)) == 4

    await until(are_recorded, "each call has a record", LIMIT_S)
    assert {call.outcome for call in await pbx.records(caller, at_least=4)} == {outcome}
    await pbx.nothing_is_left()
    with redis.Redis.from_url(pbx.settings.redis_url) as client:
        await until(lambda: client.zcard(lines_key("acme")) == 0, "no line is taken", LIMIT_S)
    await calls(pbx, later, 1)
    assert (await pbx.record(later)).outcome is Outcome.ANSWERED
