"""One call through the code: the files whose functions run for it are few, and README.md names each.

`pytest -s` prints them. Reading the published tenant and the first call after it are not counted: an apply causes them.
"""

import asyncio
import json
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path, PurePosixPath
from types import FrameType
from urllib.parse import quote

from agi.call_servers import CallServers
from agi.decision_service import DecisionService
from agi.fastagi import Application, start_server
from agi.slow_answers import SlowAnswers
from agi.speech import Speech
from agi.understanding import Understanding
from ami.records.cel_file import CelFile
from ami.records.ended_calls import LoadCounter, RecordWriter
from ami.records.follower import CelFollower
from ami.records.losses import Losses
from centralka.serve_agi import make_speech
from services.published_tenants import PublishedTenants
from store import live
from store.answers import RedisAnswers
from store.calls import CallStore
from store.database import connect, upgrade
from store.follower import Live
from store.records import Outcome
from tests.agi.test_decision_service import said
from tests.ami.test_cel import line
from tests.services.test_published_tenants import write_revision
from tests.store.redis_server import RedisServer
from tests.tenants_for_tests import acme

ROOT = Path(__file__).resolve().parent.parent
MOST = 27
SECTION = "## One call through the code"
DID = "+48221234567"


class Files:
    """The files of this repository whose functions have run. `values`: those of which only generated code ran, such as a
    dataclass's constructor."""

    def __init__(self) -> None:
        self.run, self.values = set[str](), set[str]()

    def see(self, frame: FrameType, event: str, _: object) -> None:
        if event != "call":
            return
        code = frame.f_code
        if of := _ours(code.co_filename):
            self.run.add(of)
        elif code.co_filename.startswith("<") and (of := _ours(str(frame.f_globals.get("__file__", "")))):
            self.values.add(of)


def _ours(file: str) -> str:
    path = Path(file)
    if not path.is_relative_to(ROOT) or ".venv" in path.parts:
        return ""
    name = str(path.relative_to(ROOT))
    return "" if name.startswith("tests/") else name


@contextmanager
def watched() -> Iterator[Files]:
    files = Files()
    threading.setprofile(files.see)      # of threads that begin now
    sys.setprofile(files.see)
    try:
        yield files
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]


def request(call: str, state: str, ended: str = "") -> bytes:
    """A step of the call from the trunk, after the first one with the state and how the Dial ended."""
    arguments = {
        "tenant": "acme", "origin": "trunk", "dialled": quote(DID, safe=""), "extension": "", "state": state, "digits": "",
        "ended": ended, "voicemail": "", "left": "", "transferrer": "", "caller": "%2B48600100200", "name": "Anna", "call": f"{call}.1"}
    script = "step?" + "&".join(f"{name}={value}" for name, value in arguments.items())
    lines = ("agi_network: yes", f"agi_network_script: {script}", f"agi_request: agi://127.0.0.1/{script}",
             "agi_channel: PJSIP/acme-trunk-main-00000001", "agi_language: en", "agi_type: PJSIP", f"agi_uniqueid: {call}.1",
             "agi_version: 22.5.0", "agi_callerid: +48600100200", "", "")
    return "\n".join(lines).encode()


def told(commands: list[str]) -> tuple[str, str, str, str]:
    """The user event's kind and contents, STATE and STEP."""
    found = re.search(r'EXEC CELGenUserEvent "(\w+),(.*)"\n.*STATE "(.*)"\n.*STEP "(.*)"', "\n".join(commands))
    assert found, commands
    return found[1], found[2], found[3], found[4]


def events_of(call: str, start: str, step: str) -> list[bytes]:
    """The CEL events of a call from a trunk that rings two phones; the second answers."""
    def of(number: int, kind: str, at: float, **more: object) -> bytes:
        channel = ("PJSIP/acme-trunk-main-00000001", "PJSIP/acme-201-desk-00000002", "PJSIP/acme-202-desk-00000003")[number - 1]
        return line(kind, linkedid=f"{call}.1", uniqueid=f"{call}.{number}", at=int(call) + at, channel=channel, **more)  # type: ignore[arg-type]

    def hung_up(number: int, at: float, cause: int) -> list[bytes]:
        return [of(number, "HANGUP", at, extra=json.dumps({"hangupcause": cause})), of(number, "CHAN_END", at)]

    return [
        of(1, "CHAN_START", 0), of(1, "start", 0.1, user=True, extra=json.dumps({"extra": start})), of(1, "APP_START", 0.2, appname="Dial"),
        of(2, "CHAN_START", 0.3), of(3, "CHAN_START", 0.3), of(3, "ANSWER", 4), of(1, "ANSWER", 4), *hung_up(2, 4, 26),
        of(1, "BRIDGE_ENTER", 4), of(3, "BRIDGE_ENTER", 4), of(3, "BRIDGE_EXIT", 60), of(1, "BRIDGE_EXIT", 60), *hung_up(3, 60, 16),
        of(1, "step", 60.1, user=True, extra=json.dumps({"extra": step})), *hung_up(1, 60.2, 16), of(1, "LINKEDID_END", 60.2)]


async def test_one_call_runs_few_files_and_the_readme_names_each(tmp_path: Path, redis_server: RedisServer) -> None:
    write_revision(tmp_path, "1", acme=acme(("{to: main}", "{to: sales}")))
    database = f"sqlite+aiosqlite:///{tmp_path}/calls.sqlite"
    await upgrade(database)
    redis, engine = live.connect(redis_server.url), connect(database)
    published = PublishedTenants(tmp_path)
    service = DecisionService(
        published, Live(), RedisAnswers(redis), SlowAnswers(CallServers(), Speech(make_speech, tmp_path / "said"), Understanding(tmp_path / "heard")),
        PurePosixPath("/srv/x"))
    application = Application(loop=asyncio.get_running_loop())
    application.add_route("step", service.step)
    losses = Losses(tmp_path / "losses.csv")
    follower = CelFollower(
        CelFile(tmp_path / "cel.csv"), RecordWriter(CallStore(engine), LoadCounter(redis, lambda _: UTC), losses),
        live.LiveHash("calls", lambda: None), lambda: None, losses)
    await follower.resume()
    async with await start_server(application, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]

        async def place(call: str) -> tuple[str, str]:
            _, start, state, rings = told(await said(port, request(call, "")))
            _, step, _, ends = told(await said(port, request(call, state, "ANSWER16")))
            with (tmp_path / "cel.csv").open("ab") as file:
                file.write(b"".join(each + b"\n" for each in events_of(call, start, step)))
            await follower.follow()
            await follower.save()
            return rings, ends

        with watched() as first:
            await place("1700000000")
        with watched() as files:
            rings, ends = await place("1700000001")
    assert rings.startswith("Dial(PJSIP/acme-201-desk&PJSIP/acme-202-desk,20,")
    assert ends == "Hangup(16)"
    for call in await CallStore(engine).recent("acme"):
        assert (call.outcome, call.answered_by) == (Outcome.ANSWERED, "202")
        assert [visit.node for visit in call.path] == ["start", "sales", "sales"]
    await engine.dispose()
    await redis.aclose()
    print(f"\n{len(files.run)} files:", *sorted(files.run), sep="\n")
    print("\nonly generated code, such as a dataclass's constructor:", *sorted(files.values - files.run), sep="\n")
    print("\nonly for the first call after an apply:", *sorted(first.run - files.run), sep="\n")
    tour = (ROOT / "README.md").read_text().partition(f"{SECTION}\n")[2].partition("\n## ")[0]
    assert sorted(file for file in files.run if f"]({file})" not in tour) == []
    assert len(files.run) <= MOST
    assert f"{len(files.run)} files" in tour
