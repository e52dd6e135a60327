"""A full disk under everything that an instance writes: calls go on, records come late, an apply changes nothing and says why."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.choose import open_runtime
from runtime.failure import RuntimeFailure
from runtime.process import Process
from sipp import Answer, AwaitHangUp, Callee, Caller, Load, SendHangUp, Silence, keys
from store.records import Outcome
from tests.live.calling import MAIN, dials
from tests.live.pbx import TENANTS, TRUNK, Pbx, until
from tests.live.started_instance import settings_at, started_instance
from tests.live.test_metrics import scrape
from tests.live.test_records import fill, status

pytestmark = pytest.mark.live
ADDRESS = "127.77.0.171"
LIMIT_S = 120.0
SIZE, STEP = 128 << 20, 64 << 10
NEW = "acme-204-desk"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Pbx]:
    """An instance whose directory is a small file system."""
    name = "fulldisk"
    home = open_runtime("local", name + os.environ.get("PYTEST_XDIST_WORKER", "")).home
    home.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", str(home)], check=True)
    try:
        with started_instance(name, settings_at(ADDRESS), TENANTS) as pbx:
            yield pbx
    finally:
        subprocess.run(["umount", "-l", str(home)], check=True)
        home.rmdir()


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """The tenants' files with another prompt, another user and another mailbox."""
    tenants = tmp_path / "tenants"
    shutil.copytree(TENANTS, tenants)
    file = tenants / "acme.yaml"
    text = file.read_text().replace("welcome: {text: Tak}", "welcome: {text: Witamy w nowej siedzibie}")
    file.write_text(text.replace('users:\n', 'users:\n  "204": {name: Nowy, devices: [desk]}\n'))
    return tenants


async def test_calls_go_on_and_an_apply_changes_nothing_while_no_space_is_left(small: Pbx, changed: Path) -> None:
    pbx, home = small, small.settings.home
    before, during, after = (pbx.outside_caller() for _ in range(3))
    current = os.readlink(home / "published" / "current")
    async with pbx.cast(limit_s=1600) as cast:
        await pbx.phone(cast, "acme-202-desk", Callee(then=Answer(ending=AwaitHangUp(1_500_000))), calls=17)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(cast.call(
                dials(MAIN["acme"], before, Silence(400), *keys("#"), Silence(1000), ending=AwaitHangUp(1_500_000)), at=TRUNK["acme"],
                load=Load(calls=8, per_s=8, at_once=8)))
            await until(lambda: "8 active calls" in channels(pbx), "8 calls are up", LIMIT_S)
            filling = fill(home)
            await cast.call(
                dials(MAIN["acme"], during, Silence(400), *keys("#"), Silence(1000), ending=SendHangUp(500)), at=TRUNK["acme"],
                load=Load(calls=8, per_s=8, at_once=8))

            async def is_named() -> bool:
                told = await status(pbx)
                return "No space left on device" in told and f"0.0 MB are left in the file system of {home}" in told

            await until(is_named, "status names the disk", LIMIT_S)
            measured = await scrape(pbx, pbx.settings.metrics_ami_port)
            assert measured[("centralka_redis_writable",)] == 0
            assert measured[("centralka_data_free_bytes",)] == 0
            assert measured[("centralka_records_waiting",)] == 8
            await asyncio.to_thread(pbx.runtime.stop_process, Process.AGI, kill=True)
            await asyncio.to_thread(pbx.runtime.start_process, Process.AGI)
            await refused_until_space(pbx, changed, filling, current)
            assert "8 active calls" in channels(pbx), "not one call has ended"
            pbx.runtime.asterisk_cli("channel request hangup all")
        for caller in (before, during):
            await until_recorded(pbx, caller, 8)
        await cast.call(dials(MAIN["acme"], after, Silence(400), *keys("#"), ending=SendHangUp(500)), at=TRUNK["acme"])
        await until_recorded(pbx, after, 1)
    await pbx.nothing_is_left()

    async def is_well() -> bool:
        told, measured = await status(pbx), await scrape(pbx, pbx.settings.metrics_ami_port)
        return "No space" not in told and "MB are left" not in told and measured[("centralka_redis_writable",)] == 1

    await until(is_well, "status names it no more", LIMIT_S)


async def refused_until_space(pbx: Pbx, tenants: Path, filling: Path, current: str) -> None:
    """An apply fails wherever space ends in the course of it: each time somewhat more is there, until it succeeds."""
    home, published, failures = pbx.settings.home, pbx.settings.home / "published", 0
    while problem := await asyncio.to_thread(problem_of_apply, pbx, tenants):
        assert f"MB are left in the file system of {home}; make space" in problem
        assert os.readlink(published / "current") == os.readlink(published / "decided") == current
        assert "Unable to find" in pbx.runtime.asterisk_cli(f"pjsip show endpoint {NEW}")
        failures += 1
        os.truncate(filling, filling.stat().st_size - STEP)
    assert failures > 1
    assert os.readlink(published / "current") != current
    assert "Unable to find" not in pbx.runtime.asterisk_cli(f"pjsip show endpoint {NEW}")
    filling.unlink()


def problem_of_apply(pbx: Pbx, tenants: Path) -> str:
    try:
        pbx.runtime.apply(tenants)
    except RuntimeFailure as failure:
        return str(failure)
    return ""


async def until_recorded(pbx: Pbx, caller: Caller, count: int) -> None:
    """The service waits up to half a minute before it tries the database again."""
    async def are_recorded() -> bool:
        return len(await pbx.records(caller, at_least=0)) >= count

    await until(are_recorded, f"{count} calls of {caller.number} have records", LIMIT_S)
    found = await pbx.records(caller, at_least=count)
    assert [(call.outcome, call.answered_by) for call in found] == [(Outcome.ANSWERED, "202")] * count


def channels(pbx: Pbx) -> str:
    return pbx.runtime.asterisk_cli("core show channels count")
