"""Space for events of calls is reserved before the disk is full, and the operator is told in time."""

import os
from pathlib import Path

import pytest

from ami.records import record_watch
from ami.records.cel_file import CelFile
from ami.records.losses import Losses
from ami.records.record_watch import RecordWatch, Space, operator_notices, reserve
from store import live, record_health
from tests.ami.mail_server import mail_server
from tests.ami.test_cel_follower import MortalStore, empty_database, follow_file, store
from tests.ami.test_notices import publish
from tests.store.redis_server import RedisServer

__all__ = ["empty_database", "store"]
SHORT = Space(free=1_000_000, wanted_free=64_000_000, reserved=500_000, problem="")
WIDE = Space(free=10**9, wanted_free=64_000_000, reserved=16 << 20, problem="")


def test_space_is_reserved_behind_the_end_of_the_file_and_again_as_it_is_used(tmp_path: Path) -> None:
    file = tmp_path / "cel.csv"
    assert reserve(file, 1 << 20).reserved == 0                # Asterisk makes the file
    file.write_bytes(b"x" * 1000)
    assert reserve(file, 1 << 20).reserved >= 1 << 19
    assert file.read_bytes() == b"x" * 1000
    for _ in range(3):
        with file.open("ab") as asterisk:
            asterisk.write(b"y" * (900 << 10))
        assert reserve(file, 1 << 20).reserved >= 1 << 19
    assert file.stat().st_size == 1000 + 3 * (900 << 10)


def test_file_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "cel.csv").symlink_to(tmp_path / "elsewhere")
    assert reserve(tmp_path / "cel.csv").problem
    assert not os.path.lexists(tmp_path / "elsewhere")


async def test_operator_has_one_mail_a_day_of_a_disk_that_is_almost_full(
        redis_server: RedisServer, tmp_path: Path, store: MortalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    file, spaces = tmp_path / "cel.csv", iter([WIDE, SHORT, SHORT, WIDE, SHORT])
    monkeypatch.setattr(record_watch, "reserve", lambda _: next(spaces))
    async with live.connect(redis_server.url) as redis, mail_server() as server:
        published, losses = publish(tmp_path, server.port), Losses(tmp_path / "losses.csv")

        def watch() -> RecordWatch:
            return RecordWatch(redis, file, follow_file(CelFile(file), store), losses, lambda: operator_notices(published))

        first = watch()
        await first.look()
        assert server.mails == []
        health = await record_health.get(redis)
        assert health
        assert (health.free, health.losses) == (WIDE.free, 0)
        server.refuses = True
        await first.look()
        server.refuses = False
        for _ in range(3):
            await watch().look()               # each after a restart
        assert [mail["Subject"] for mail in server.mails] == [
            f"Centralka: the disk that holds {tmp_path} is almost full"]
        assert server.recipients == [["noc@example.com"]]
