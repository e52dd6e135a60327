"""A real supervisord that runs programs which only sleep."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtime.failure import RuntimeFailure
from runtime.local import end_orphans, supervisord_pid
from runtime.process import Process
from runtime.supervise import Files, Supervisor, configuration, launch, plain
from runtime.waiting import gone

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="supervisord runs as root")


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Files]:
    home = tmp_path / "ours alone"
    files = Files(home / "supervisor")
    files.directory.mkdir(parents=True)
    commands = {Process.REDIS: ("sleep", "1000"), Process.AGI: ("sh", "-c", "echo half 'of it' && exec sleep 1000")}
    files.configuration.write_text(configuration(files, home, commands, 1024))
    start(files)
    yield files
    if pid := supervisord_pid(files):
        os.kill(pid, signal.SIGTERM)
        assert gone(pid, 15)
    end_orphans(home)


def start(files: Files) -> None:
    assert launch(files, files.directory.parent) == ""
    until(lambda: supervisord_pid(files) is not None and answers(files))


def answers(files: Files) -> bool:
    try:
        return bool(Supervisor(files).states())
    except OSError:
        return False


def until(question: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 150
    while not question():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_nothing_starts_before_it_is_told_to(files: Files) -> None:
    assert {state for state, _ in Supervisor(files).states().values()} == {"STOPPED"}


def test_a_killed_process_comes_back(files: Files) -> None:
    Supervisor(files).call("startProcess", "redis", True)
    before = Supervisor(files).states()["redis"][1]
    os.kill(before, signal.SIGKILL)
    until(lambda: Supervisor(files).states()["redis"][1] not in (0, before))


def test_paths_and_arguments_reach_the_process_as_they_are(files: Files) -> None:
    Supervisor(files).call("startProcess", "agi", True)
    assert files.log("agi").read_text() == "half of it\n"
    assert files.configuration.parent.stat().st_uid == 0


def test_what_a_killed_supervisord_left_running_is_found_and_ended(files: Files) -> None:
    Supervisor(files).call("startProcess", "redis", True)
    orphan = Supervisor(files).states()["redis"][1]
    pid = supervisord_pid(files)
    assert pid
    os.kill(pid, signal.SIGKILL)
    assert gone(pid, 5)
    assert supervisord_pid(files) is None       # the stale file notwithstanding
    assert Path(f"/proc/{orphan}").exists()
    end_orphans(files.directory.parent)
    assert gone(orphan, 1)


def test_a_process_id_that_belongs_to_another_program_now_is_not_taken_for_ours(files: Files) -> None:
    other = Files(files.directory.parent / "other")
    other.directory.mkdir()
    other.pid.write_text(f"{os.getpid()}\n")
    assert supervisord_pid(other) is None


@pytest.mark.parametrize("text", ["a\nb", "a;b", "100%"])
def test_what_a_supervisor_file_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(RuntimeFailure, match="expected a path or command"):
        plain(text)
