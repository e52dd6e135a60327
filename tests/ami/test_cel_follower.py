"""Each call has exactly one record, whatever happens to the service, the file and the database."""

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from ami.records import ended_calls
from ami.records.calls import EndedCall, PendingCalls, assemble
from ami.records.cel_file import CelFile
from ami.records.ended_calls import LoadCounter, RecordWriter
from ami.records.events import parse_event
from ami.records.follower import CelFollower
from ami.records.losses import Losses
from store import live
from store.calls import CallStore
from store.database import connect, upgrade
from store.live import LiveCall, LiveHash
from store.records import CallRecord, CelPosition, Leg, Outcome
from tests.ami.ami_peer import until
from tests.ami.test_cel import line
from tests.examples import examples


class Killed(BaseException):
    """kill -9, at the worst moment."""


class MortalStore(CallStore):
    """The real store; the process dies just before or just after a transaction when told to."""

    die = ""

    async def save(self, ended: Sequence[tuple[CallRecord, Sequence[Leg]]], position: CelPosition | None) -> None:
        if self.die == "before":
            raise Killed
        await super().save(ended, position)
        if self.die == "after":
            raise Killed


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Asterisk:
    """Appends lines as Asterisk does: the file is opened anew for each record."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, data: bytes, late: bool = False) -> None:
        """`late`: the file was opened before it was rotated."""
        rotated = self.path.with_name(self.path.name + ".1")
        with (rotated if late and not self.path.exists() else self.path).open("ab") as file:
            file.write(data)


def follow_file(file: CelFile, store: CallStore, booted_at: float | None = None, calls: LiveHash | None = None) -> CelFollower:
    moment = None if booted_at is None else datetime.fromtimestamp(booted_at, UTC)
    counter = LoadCounter(live.connect("unix:///none"), lambda tenant: UTC)
    losses = Losses(file.path.with_name("losses.csv"))
    return CelFollower(file, RecordWriter(store, counter, losses), calls or LiveHash("calls", lambda: None), lambda: moment, losses)


def call_lines(number: int) -> list[bytes]:
    first, second = f"{number}.1", f"{number}.2"
    tenant = ("acme", "forno")[number % 2]
    phone = f"PJSIP/{tenant}-201-desk-0000000{number}"

    def of(uniqueid: str, kind: str, at: float, **more: Any) -> bytes:
        channel = phone if uniqueid == second else f"PJSIP/{tenant}-trunk-main-0000000{number}"
        return line(kind, linkedid=first, uniqueid=uniqueid, at=1000 * number + at, channel=channel, tenant=tenant, **more)

    return [of(first, "CHAN_START", 1),
            of(first, "start", 1, user=True, extra='{"extra":"%2B48221234567|Jan|201"}'), of(second, "CHAN_START", 2), of(second, "ANSWER", 3),
            of(first, "ANSWER", 4), of(second, "HANGUP", 5), of(second, "CHAN_END", 6), of(first, "HANGUP", 7),
            of(first, "CHAN_END", 8), of(first, "LINKEDID_END", 9)]


def expected(lines: Sequence[bytes]) -> dict[str, tuple[CallRecord, list[Leg]]]:
    pending = PendingCalls()
    ended = [pending.take(parse_event(each)) for each in lines]
    found = [assemble(call) for call in ended if call is not None]
    return {record[0].linkedid: (record[0], list(record[1])) for record in found if record is not None}


async def kept(store: CallStore) -> dict[str, tuple[CallRecord, list[Leg]]]:
    calls = [call for tenant in ("acme", "forno") for call in await store.recent(tenant)]
    assert len({call.linkedid for call in calls}) == len(calls)
    return {call.linkedid: (call, await store.legs(call.tenant, call.linkedid)) for call in calls}


@pytest.fixture(scope="module")
def empty_database() -> Path:
    path = Path(tempfile.mkdtemp()) / "empty.sqlite"
    asyncio.run(upgrade(f"sqlite+aiosqlite:///{path}"))
    return path


steps = st.lists(st.one_of(
    st.tuples(st.just("write"), st.integers(1, 12)),
    st.tuples(st.just("half"), st.integers(1, 60)),
    st.tuples(st.just("junk"), st.sampled_from([b"junk\n", b"\xff\xfe\n", b"{}\n", b"\n"])),
    st.tuples(st.just("follow"), st.integers(1, 3)),
    st.tuples(st.just("kill"), st.sampled_from(["now", "before", "after"])),
    st.tuples(st.just("wait"), st.integers(1, 3)),
    st.tuples(st.just("rename"), st.none()),
), max_size=40)


@settings(max_examples=examples(100))
@given(order=st.permutations([number for number in range(5) for _ in range(10)]), steps=steps,
       rotate_at=st.sampled_from([1500, 4000, 1 << 20]))
def test_each_call_has_one_record_whenever_the_service_is_killed(
        empty_database: Path, order: list[int], steps: list[tuple[str, object]], rotate_at: int) -> None:
    asyncio.run(_one_record_each(empty_database, order, steps, rotate_at))


async def _one_record_each(empty: Path, order: list[int], steps: list[tuple[str, object]], rotate_at: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "calls.sqlite"
        shutil.copy(empty, database)
        engine = connect(f"sqlite+aiosqlite:///{database}")
        store, clock, asterisk = MortalStore(engine), Clock(), Asterisk(Path(folder) / "cel.csv")
        sources = {number: iter(call_lines(number)) for number in range(5)}
        lines = [next(sources[number]) + b"\n" for number in order]
        unwritten = b"".join(lines)

        async def begin() -> CelFollower:
            follower = follow_file(CelFile(asterisk.path, rotate_at, clock), store)
            await follower.resume()
            return follower

        follower = await begin()
        for step, value in [*steps, ("write", len(lines))]:
            match step, value:
                case "write", int(count):
                    for _ in range(count):
                        head, newline, unwritten = unwritten.partition(b"\n")
                        asterisk.write(head + newline)
                case "half", int(size):
                    size = min(size, len(unwritten.partition(b"\n")[0]))
                    asterisk.write(unwritten[:size])
                    unwritten = unwritten[size:]
                    await follower.follow()
                    head, newline, unwritten = unwritten.partition(b"\n")
                    asterisk.write(head + newline, late=True)
                case "junk", bytes(junk):
                    asterisk.write(junk)
                case "follow", int(times):
                    for _ in range(times):
                        await follower.follow()
                case "kill", str(when):
                    store.die = when
                    with suppress(Killed):
                        await follower.follow()
                    store.die = ""
                    follower = await begin()
                case "wait", int(seconds):
                    clock.now += seconds
                case "rename", None:
                    rotated = asterisk.path.with_name("cel.csv.1")
                    if asterisk.path.exists() and not rotated.exists():
                        asterisk.path.rename(rotated)
        for _ in range(8):
            clock.now += 3
            while await follower.follow():
                pass
        assert await kept(store) == expected(lines)
        await engine.dispose()


@pytest.fixture
async def store(empty_database: Path, tmp_path: Path) -> AsyncIterator[MortalStore]:
    shutil.copy(empty_database, tmp_path / "calls.sqlite")
    engine = connect(f"sqlite+aiosqlite:///{tmp_path}/calls.sqlite")
    yield MortalStore(engine)
    await engine.dispose()


async def test_call_older_than_the_boot_of_asterisk_is_closed_as_interrupted(store: MortalStore, tmp_path: Path) -> None:
    asterisk = Asterisk(tmp_path / "cel.csv")
    calls = LiveHash("calls", lambda: None)
    follower = follow_file(CelFile(asterisk.path), store, booted_at=2500, calls=calls)
    await follower.resume()
    asterisk.write(b"\n".join([*call_lines(2)[:5], *call_lines(3)[:5]]) + b"\n")
    assert await follower.follow()
    assert await kept(store) == {}
    await follower.follow()
    ((call, _),) = (await kept(store)).values()
    assert (call.linkedid, call.outcome, call.answered_by) == ("2.1", Outcome.INTERRUPTED, "201")
    assert set(calls.values) == {"3.1"}


@pytest.mark.parametrize("booted_at", [None, 1000.0, 2001.5])
async def test_call_of_the_running_asterisk_stays_open(store: MortalStore, tmp_path: Path, booted_at: float | None) -> None:
    asterisk = Asterisk(tmp_path / "cel.csv")
    follower = follow_file(CelFile(asterisk.path), store, booted_at)
    await follower.resume()
    lines = call_lines(2)
    asterisk.write(b"\n".join(lines[:4]) + b"\n")
    assert await follower.follow()
    await follower.follow()
    assert await kept(store) == {}
    asterisk.write(b"\n".join(lines[4:]) + b"\n")
    await follower.follow()
    assert await kept(store) == expected(lines)


async def test_calls_in_progress_are_those_that_have_not_ended(store: MortalStore, tmp_path: Path) -> None:
    asterisk = Asterisk(tmp_path / "cel.csv")
    calls = LiveHash("calls", lambda: None)
    follower = follow_file(CelFile(asterisk.path), store, calls=calls)
    await follower.resume()
    lines = call_lines(2)
    asterisk.write(b"\n".join([*call_lines(1), *lines[:2]]) + b"\n")
    assert await follower.follow()
    assert not calls.begun                       # there may be more to read: the last known calls stay
    await follower.follow()
    assert calls.begun
    (linkedid, text), = calls.values.items()
    assert LiveCall.from_json(linkedid, text) == LiveCall("2.1", "acme", "+48221234567", "201", datetime.fromtimestamp(2001, UTC))
    asterisk.write(b"\n".join(lines[2:]) + b"\n")
    await follower.follow()
    assert calls.values == {}


async def test_call_on_a_shared_carrier_is_in_progress_from_when_its_tenant_is_known(store: MortalStore, tmp_path: Path) -> None:
    asterisk, calls = Asterisk(tmp_path / "cel.csv"), LiveHash("calls", lambda: None)
    follower = follow_file(CelFile(asterisk.path), store, calls=calls)
    await follower.resume()

    def of(kind: str, call: str, **more: Any) -> bytes:
        return line(kind, linkedid=call, uniqueid=call, channel="PJSIP/platform-trunk-telco-00000001", **more) + b"\n"

    asterisk.write(of("CHAN_START", "1.1", tenant="") + of("CHAN_START", "2.1", tenant="") + of("HANGUP", "2.1", tenant="")
                   + of("LINKEDID_END", "2.1", tenant=""))
    await follower.follow()
    assert calls.values == {}
    asterisk.write(of("start", "1.1", tenant="acme", user=True, extra='{"extra":"%2B48600100200||201"}'))
    await follower.follow()
    assert [LiveCall.from_json(*each).tenant for each in calls.values.items()] == ["acme"]
    asterisk.write(of("HANGUP", "1.1", tenant="acme") + of("LINKEDID_END", "1.1", tenant="acme"))
    await follower.follow()
    assert calls.values == {}
    assert list(await kept(store)) == ["1.1"]


async def test_end_of_a_call_that_is_still_on_its_way_is_waited_for(store: MortalStore, tmp_path: Path) -> None:
    clock, asterisk = Clock(), Asterisk(tmp_path / "cel.csv")
    follower = follow_file(CelFile(asterisk.path, clock=clock), store, booted_at=9000)
    await follower.resume()
    lines = call_lines(2)
    asterisk.write(lines[0] + b"\n")
    assert await follower.follow()
    asterisk.path.rename(tmp_path / "cel.csv.1")
    asterisk.write(b"\n".join(lines[1:]) + b"\n")
    file = follower._file
    file._look_for_successor(file._files[-1])    # it sees the new file; what is written late to the old one may still come
    await follower.follow()
    assert await kept(store) == {}
    clock.now += 3
    await follower.follow()
    assert await kept(store) == expected(lines)


async def test_records_wait_while_the_database_is_away(
        store: MortalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ended_calls, "FIRST_DELAY_S", 0.001)
    away = [OperationalError("INSERT", {}, Exception("database is locked")), ConnectionRefusedError(111, "refused")]
    save = store.save

    async def save_or_fail(ended: Sequence[tuple[CallRecord, Sequence[Leg]]], position: CelPosition | None) -> None:
        if away:
            raise away.pop()
        await save(ended, position)

    monkeypatch.setattr(store, "save", save_or_fail)
    asterisk = Asterisk(tmp_path / "cel.csv")
    follower = follow_file(CelFile(asterisk.path), store)
    await follower.resume()
    asterisk.write(b"\n".join(call_lines(1)) + b"\n")
    await follower.follow()
    assert await kept(store) == expected(call_lines(1))


async def test_line_without_an_end_is_skipped_and_the_next_call_is_kept(store: MortalStore, tmp_path: Path) -> None:
    asterisk = Asterisk(tmp_path / "cel.csv")
    follower = follow_file(CelFile(asterisk.path), store)
    await follower.resume()
    asterisk.write(b"x" * (3 << 20) + b"\n" + b"\n".join(call_lines(1)) + b"\n")
    while await follower.follow():
        pass
    assert await kept(store) == expected(call_lines(1))


async def test_rotated_file_is_deleted_only_when_no_open_call_began_in_it(store: MortalStore, tmp_path: Path) -> None:
    clock, asterisk = Clock(), Asterisk(tmp_path / "cel.csv")
    rotated = tmp_path / "cel.csv.1"
    follower = follow_file(CelFile(asterisk.path, 50, clock), store)
    await follower.resume()
    long, short = call_lines(1), call_lines(2)
    asterisk.write(long[0] + b"\n")

    async def drain() -> None:
        for _ in range(3):
            clock.now += 3
            while await follower.follow():
                pass

    await drain()
    assert rotated.exists()
    asterisk.write(b"\n".join(short) + b"\n")
    await drain()
    assert rotated.exists()
    assert set(await kept(store)) == {"2.1"}
    asterisk.write(b"\n".join(long[1:]) + b"\n")
    await drain()
    assert await kept(store) == expected(long) | expected(short)
    assert not rotated.exists() or rotated.stat().st_size > len(long[0]) + 1


RECORDED = [each for each in (Path(__file__).parent / "recordings" / "cel.csv").read_bytes().splitlines() if b'"BRIDGE_' not in each]
TRANSFER = line("ATTENDEDTRANSFER", linkedid="1795461751.6", uniqueid="1795461761.10", at=1795461752,
                     extra='{"channel2_uniqueid":"1795461751.9"}')
ABSURD = [
    line("CHAN_START", uniqueid="9.9", linkedid="9.9", at=253402300799), line("LINKEDID_END", uniqueid="9.9", linkedid="9.9"),
    line("ANSWER", uniqueid="8.9", linkedid="8.9", at=-62135596800), line("HANGUP", linkedid="9.9", uniqueid="9.9", extra="[" * 9999),
    line("HANGUP", linkedid="9.9", uniqueid="9.9", extra='{"hangupcause":' + "9" * 5000 + "}"), b'"', b"\0" * 400, b"\xff" * 200,
    line("start", user=True, extra='{"extra":"%00%00|%ED%A0%80|;%7C"}', linkedid="9.9", uniqueid="9.9")]


@settings(max_examples=30, deadline=None)
@given(damaged=st.lists(st.sampled_from([*RECORDED, TRANSFER, *ABSURD]), max_size=70), data=st.data())
def test_lines_that_are_lost_doubled_or_in_another_order_cost_no_other_call(
        empty_database: Path, damaged: list[bytes], data: st.DataObject) -> None:
    """Of a recording with a transfer, and of lines that nobody wrote; two calls among them are whole."""
    lines = [*call_lines(1), *call_lines(2)]
    for each in damaged:
        lines.insert(data.draw(st.integers(0, len(lines))), each)

    async def follow() -> None:
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(empty_database, Path(folder) / "calls.sqlite")
            engine = connect(f"sqlite+aiosqlite:///{folder}/calls.sqlite")
            asterisk, store = Asterisk(Path(folder) / "cel.csv"), CallStore(engine)
            asterisk.write(b"\n".join(lines) + b"\n")
            for _ in range(2):             # and once more after a restart
                follower = follow_file(CelFile(asterisk.path), store)
                await follower.resume()
                while await follower.follow():
                    pass
            found = await kept(store)
            assert {call: found[call] for call in ("1.1", "2.1")} == expected([*call_lines(1), *call_lines(2)])
            await engine.dispose()

    asyncio.run(follow())


async def test_transfer_that_names_a_channel_of_which_nothing_was_read_stops_nothing(store: MortalStore, tmp_path: Path) -> None:
    """Its start was in a file that is lost."""
    asterisk = Asterisk(tmp_path / "cel.csv")
    follower = follow_file(CelFile(asterisk.path), store)
    await follower.resume()
    transfer = line("ATTENDEDTRANSFER", linkedid="7.1", uniqueid="7.2", extra='{"channel2_uniqueid":"2.2"}', at=2004)
    lines = call_lines(2)
    asterisk.write(b"\n".join([*lines[:4], transfer, *call_lines(1), *lines[4:]]) + b"\n")
    while await follower.follow():
        pass
    assert (await kept(store)).keys() >= {"1.1", "2.1"}


async def test_line_that_nobody_understands_is_kept_and_counted_until_its_file_is_deleted(
        store: MortalStore, tmp_path: Path) -> None:
    asterisk, losses = Asterisk(tmp_path / "cel.csv"), Losses(tmp_path / "losses.csv")
    follower = follow_file(CelFile(asterisk.path), store)
    await follower.resume()
    asterisk.write(b"junk\n" + b"x" * (3 << 20) + b"\n" + b"\n".join(call_lines(1)) + b"\n")
    while await follower.follow():
        pass
    assert b"\njunk\n" in losses.file.read_bytes()
    assert losses.file.stat().st_size < 20_000
    count = Losses(losses.file).count
    assert count > 1
    losses = Losses(losses.file)
    losses.file.unlink()
    assert losses.count == 0


async def test_file_of_losses_stays_small(tmp_path: Path) -> None:
    losses = Losses(tmp_path / "losses.csv", limit=2000)
    for _ in range(500):
        losses.add([b"x" * 100], "junk")
    assert sum(each.stat().st_size for each in tmp_path.iterdir()) < 5000
    assert Losses(tmp_path / "losses.csv").count == 500


@pytest.mark.parametrize("away", [False, True], ids=["alone", "after the database was away"])
async def test_record_that_the_database_refuses_costs_no_other(
        store: MortalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, away: bool) -> None:
    monkeypatch.setattr(ended_calls, "FIRST_DELAY_S", 0.001)
    async with store._engine.begin() as connection:
        await connection.exec_driver_sql(
            "CREATE TRIGGER refuse BEFORE INSERT ON calls WHEN NEW.linkedid = '2.1' BEGIN SELECT RAISE(ABORT, 'no'); END")
    save, times = store.save, iter([away, False, away])

    async def save_or_fail(ended: Sequence[tuple[CallRecord, Sequence[Leg]]], position: CelPosition | None) -> None:
        if next(times, False):
            raise OperationalError("INSERT", {}, Exception("database or disk is full"))
        await save(ended, position)

    monkeypatch.setattr(store, "save", save_or_fail)
    asterisk = Asterisk(tmp_path / "cel.csv")
    follower = follow_file(CelFile(asterisk.path), store)
    await follower.resume()
    lines = [*call_lines(1), *call_lines(2), *call_lines(3)]
    asterisk.write(b"\n".join(lines) + b"\n")
    await follower.follow()
    assert await kept(store) == expected([*call_lines(1), *call_lines(3)])
    assert call_lines(2)[4].partition(b',"","",')[0] in (tmp_path / "losses.csv").read_bytes()
    await follower.follow()
    assert Losses(tmp_path / "losses.csv").count == 1


async def test_call_of_which_no_record_can_be_made_costs_no_other(
        store: MortalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def assemble_or_fail(ended: EndedCall) -> tuple[CallRecord, tuple[Leg, ...]] | None:
        if ended.linkedid == "2.1":
            raise RecursionError("deep")
        return assemble(ended)

    monkeypatch.setattr(ended_calls, "assemble", assemble_or_fail)
    asterisk = Asterisk(tmp_path / "cel.csv")
    follower = follow_file(CelFile(asterisk.path), store)
    await follower.resume()
    asterisk.write(b"\n".join([*call_lines(1), *call_lines(2), *call_lines(3)]) + b"\n")
    await follower.follow()
    assert await kept(store) == expected([*call_lines(1), *call_lines(3)])
    assert b" 2.1 RecursionError" in (tmp_path / "losses.csv").read_bytes()


@pytest.mark.parametrize(("pragma", "problem"), [
    ("query_only=ON", "attempt to write a readonly database"), ("max_page_count=1", "database or disk is full")])
async def test_records_wait_for_a_database_that_cannot_be_written_and_calls_that_end_meanwhile_are_over(
        store: MortalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pragma: str, problem: str) -> None:
    monkeypatch.setattr(ended_calls, "FIRST_DELAY_S", 0.01)
    monkeypatch.setattr(ended_calls, "LONGEST_DELAY_S", 0.05)
    engine, asterisk, calls = store._engine, Asterisk(tmp_path / "cel.csv"), LiveHash("calls", lambda: None)
    broken = True

    def break_it(connection: Any, _: Any) -> None:
        if broken:
            connection.execute(f"PRAGMA {pragma}")

    event.listen(engine.sync_engine, "connect", break_it)
    await engine.dispose()
    follower = follow_file(CelFile(asterisk.path), store, calls=calls)
    running = asyncio.create_task(follower.run())
    long_path = [line("step", linkedid="1.1", uniqueid="1.1", at=1004, tenant="forno", user=True,
                      extra=json.dumps({"extra": "node|" + "x" * 5000})) for _ in range(4)]
    first = [*call_lines(1)[:4], *long_path, *call_lines(1)[4:]]
    asterisk.write(b"\n".join(first) + b"\n")
    await until(lambda: follower.problem == problem)
    asterisk.write(b"\n".join([*call_lines(2), *call_lines(3)[:4]]) + b"\n")
    await until(lambda: follower.waiting == 2)
    assert set(calls.values) == {"3.1"}
    assert await kept(store) == {}
    broken = False
    await engine.dispose()
    await until(lambda: follower.waiting == 0)
    assert (await kept(store)).keys() == {"1.1", "2.1"}
    assert follower.problem == ""
    running.cancel()
    follower = follow_file(CelFile(asterisk.path), store)           # and exactly once
    await follower.resume()
    asterisk.write(b"\n".join(call_lines(3)[4:]) + b"\n")
    while await follower.follow():
        pass
    assert (await kept(store)).keys() == {"1.1", "2.1", "3.1"}
    assert Losses(tmp_path / "losses.csv").count == 0
