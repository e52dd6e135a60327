"""Each call has exactly one record, whatever happens to the service, the file and the database."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from agi import cel_follower
from agi.cel import PendingCalls, assemble, parse_event
from agi.cel_file import CelFile
from agi.cel_follower import CelFollower
from store.calls import CallStore
from store.database import connect, upgrade
from store.records import Call, CelPosition, Leg, Outcome
from tests.agi.test_cel import line


class Killed(BaseException):
    """kill -9, at the worst moment."""


class MortalStore(CallStore):
    """The real store; the process dies just before or just after a transaction when told to."""

    die = ""

    async def save(self, ended: Sequence[tuple[Call, Sequence[Leg]]], position: CelPosition | None) -> None:
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


async def nothing_up(_: frozenset[str]) -> frozenset[str] | None:
    return frozenset()


async def not_to_be_asked(_: frozenset[str]) -> frozenset[str] | None:
    return None


def call_lines(number: int) -> list[bytes]:
    first, second = f"{number}.1", f"{number}.2"
    tenant = ("acme", "forno")[number % 2]
    phone = f"PJSIP/{tenant}-201-desk-0000000{number}"

    def of(uniqueid: str, kind: str, at: float, **more: str) -> bytes:
        channel = phone if uniqueid == second else f"PJSIP/{tenant}-trunk-main-0000000{number}"
        return line(kind, linkedid=first, uniqueid=uniqueid, at=1000 * number + at, channel=channel, tenant=tenant, **more)

    return [of(first, "CHAN_START", 1, exten="201"), of(second, "CHAN_START", 2), of(second, "ANSWER", 3),
            of(first, "ANSWER", 4), of(second, "HANGUP", 5), of(second, "CHAN_END", 6), of(first, "HANGUP", 7),
            of(first, "CHAN_END", 8), of(first, "LINKEDID_END", 9)]


def expected(lines: Sequence[bytes]) -> dict[str, tuple[Call, list[Leg]]]:
    pending = PendingCalls()
    ended = [pending.take(parse_event(each)) for each in lines]
    found = [assemble(call) for call in ended if call is not None]
    return {record[0].linkedid: (record[0], list(record[1])) for record in found if record is not None}


async def kept(store: CallStore) -> dict[str, tuple[Call, list[Leg]]]:
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


@settings(max_examples=100, deadline=None)
@given(order=st.permutations([number for number in range(5) for _ in range(9)]), steps=steps,
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
            follower = CelFollower(CelFile(asterisk.path, rotate_at, clock), store, not_to_be_asked, clock)
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


async def test_call_that_asterisk_forgot_is_closed_as_interrupted(store: MortalStore, tmp_path: Path) -> None:
    clock, asterisk = Clock(), Asterisk(tmp_path / "cel.csv")
    follower = CelFollower(CelFile(asterisk.path), store, nothing_up, clock)
    await follower.resume()
    asterisk.write(b"\n".join(call_lines(2)[:4]) + b"\n")
    assert await follower.follow()
    await follower.follow()
    assert await kept(store) == {}
    clock.now += cel_follower.LOST_AFTER_S
    await follower.follow()
    (call, _), = (await kept(store)).values()
    assert (call.outcome, call.answered_by) == (Outcome.INTERRUPTED, "201")


async def test_call_that_asterisk_still_has_stays_open(store: MortalStore, tmp_path: Path) -> None:
    clock, asterisk = Clock(), Asterisk(tmp_path / "cel.csv")

    async def all_up(calls: frozenset[str]) -> frozenset[str] | None:
        return calls

    follower = CelFollower(CelFile(asterisk.path), store, all_up, clock)
    await follower.resume()
    lines = call_lines(2)
    asterisk.write(b"\n".join(lines[:4]) + b"\n")
    assert await follower.follow()
    clock.now += 1000
    await follower.follow()
    asterisk.write(b"\n".join(lines[4:]) + b"\n")
    await follower.follow()
    assert await kept(store) == expected(lines)


async def test_records_wait_while_the_database_is_away(
        store: MortalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cel_follower, "FIRST_DELAY_S", 0.001)
    away = [OperationalError("INSERT", {}, Exception("database is locked")), ConnectionRefusedError(111, "refused")]
    save = store.save

    async def save_or_fail(ended: Sequence[tuple[Call, Sequence[Leg]]], position: CelPosition | None) -> None:
        if away:
            raise away.pop()
        await save(ended, position)

    monkeypatch.setattr(store, "save", save_or_fail)
    asterisk = Asterisk(tmp_path / "cel.csv")
    follower = CelFollower(CelFile(asterisk.path), store, not_to_be_asked)
    await follower.resume()
    asterisk.write(b"\n".join(call_lines(1)) + b"\n")
    await follower.follow()
    assert await kept(store) == expected(call_lines(1))


async def test_line_without_an_end_is_skipped_and_the_next_call_is_kept(store: MortalStore, tmp_path: Path) -> None:
    asterisk = Asterisk(tmp_path / "cel.csv")
    follower = CelFollower(CelFile(asterisk.path), store, not_to_be_asked)
    await follower.resume()
    asterisk.write(b"x" * (3 << 20) + b"\n" + b"\n".join(call_lines(1)) + b"\n")
    while await follower.follow():
        pass
    assert await kept(store) == expected(call_lines(1))


async def test_rotated_file_is_deleted_only_when_no_open_call_began_in_it(store: MortalStore, tmp_path: Path) -> None:
    clock, asterisk = Clock(), Asterisk(tmp_path / "cel.csv")
    rotated = tmp_path / "cel.csv.1"
    follower = CelFollower(CelFile(asterisk.path, 100, clock), store, not_to_be_asked, clock)
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
