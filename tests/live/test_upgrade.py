"""Upgrade and downgrade with calls up: another version has published, and the services of this one answer."""

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from confgen.publish.publishing import earlier_revisions, read_current
from runtime.places import REPOSITORY
from runtime.process import Process
from runtime.sources import SOURCES
from sipp import Answer, AwaitHangUp, Callee, Load, SendHangUp, Silence, keys
from tests.live.calling import DIRECT, IDLE, MAIN, dials
from tests.live.pbx import TENANTS, TRUNK, Pbx, path_of, until
from tests.live.started_instance import settings_at, started_instance

pytestmark = pytest.mark.live
LIMIT_S = 400            # ten times what the whole test needs
FIELD = ("    country: ", "    vintage: int = 1\n    country: ")


@pytest.fixture
def pbx() -> Iterator[Pbx]:
    """An instance of its own: the history is compared, which other tests change."""
    with started_instance("upgraded", settings_at("127.77.0.173"), TENANTS) as pbx:
        yield pbx


def another_version(folder: Path) -> Path:
    """A copy of the code whose model of a tenant has one more field."""
    for source in SOURCES:
        shutil.copytree(REPOSITORY / source, folder / source, ignore=shutil.ignore_patterns("__pycache__"))
    model = folder / "routing" / "tenant" / "tenant_file.py"
    text = model.read_text()
    assert text.count(FIELD[0]) == 1
    model.write_text(text.replace(*FIELD))
    return folder


def publish(version: Path, pbx: Pbx) -> None:
    """What that version's `apply` publishes."""
    command = "from centralka.cli.app import app; app()"
    done = subprocess.run(
        [sys.executable, "-c", command, "--home", str(pbx.runtime.home), "apply", str(TENANTS)],
        cwd=version, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    pbx.runtime.prepare({})        # gives the files to their owners


async def is_decided(pbx: Pbx) -> None:
    """A new call goes the way of the tenant's file, and not the failover's."""
    caller = pbx.outside_caller()
    async with pbx.cast() as cast:
        await pbx.phone(cast, "acme-201-desk", Callee(then=Answer(ending=SendHangUp(200))))
        await cast.call(dials(DIRECT["acme"], caller, ending=AwaitHangUp()), at=TRUNK["acme"])
    assert path_of(await pbx.record(caller)) == pbx.simulated(DIRECT["acme"], x201=IDLE)


def values(pbx: Pbx) -> dict[str, object]:
    found: dict[str, object] = json.loads(read_current(pbx.settings.home)["tenants/acme.json"])["tenant"]
    return found


@asynccontextmanager
async def ten_conversations(pbx: Pbx) -> AsyncIterator[None]:
    """They are up inside the block, each until Asterisk ends it afterwards."""
    held = AwaitHangUp(within_ms=1000 * LIMIT_S)
    async with pbx.cast(limit_s=LIMIT_S) as cast:
        await pbx.phone(cast, "acme-202-desk", Callee(then=Answer(ending=held)), calls=10)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(cast.call(
                dials(MAIN["acme"], pbx.outside_caller(), Silence(400), *keys("#"), Silence(1000), ending=held),
                at=TRUNK["acme"], load=Load(calls=10, per_s=10, at_once=10)))
            await until(lambda: "10 active calls" in pbx.runtime.asterisk_cli("core show channels count"), "10 calls are up")
            yield
            assert "10 active calls" in pbx.runtime.asterisk_cli("core show channels count")
            pbx.runtime.asterisk_cli("channel request hangup all")


async def test_calls_go_on_and_new_ones_are_decided_by_the_file_while_versions_change(pbx: Pbx, tmp_path: Path) -> None:
    other = await asyncio.to_thread(another_version, tmp_path)
    history = earlier_revisions(pbx.settings.home)
    async with ten_conversations(pbx):
        await asyncio.to_thread(publish, other, pbx)
        assert "vintage" in values(pbx)
        await is_decided(pbx)                              # by services that read files of their own version before
        for name in (Process.AGI, Process.AMI):
            await asyncio.to_thread(pbx.runtime.stop_process, name)
            await asyncio.to_thread(pbx.runtime.start_process, name)
        await is_decided(pbx)                              # by services that begin with files of another version
        await asyncio.to_thread(pbx.runtime.apply, TENANTS)
        assert "vintage" not in values(pbx)
        await is_decided(pbx)
    assert earlier_revisions(pbx.settings.home) == history
