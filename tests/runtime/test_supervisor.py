"""The real supervisor, with programs that only sleep."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtime.identity import ProcessIdentity, killed, write_record
from runtime.supervisor import LOG_BYTES, LOGS_KEPT, STANDBY, SUPERVISOR, Files, Restarts, rotate_logs

LIMIT_S = 60
SLEEP = ["sleep", "1000"]


class Instance:
    """An instance whose processes are `programs`."""

    def __init__(self, home: Path, programs: dict[str, list[str]]) -> None:
        self.files, self.names = Files(home / "supervisor"), tuple(programs)
        self.files.directory.mkdir(parents=True)
        self.files.programs.write_text(json.dumps(programs))

    def launch(self) -> None:
        command = (sys.executable, "-P", "-m", "runtime.supervisor", "launch", str(self.files.directory))
        subprocess.run(command, check=True, timeout=LIMIT_S)

    def until_up(self, *names: str, other_than: tuple[ProcessIdentity, ...] = ()) -> tuple[ProcessIdentity, ...]:
        """The processes, once all of them run, and are none of these."""
        def found() -> list[ProcessIdentity]:
            return [one for name in names if (one := self.files.running(name)) and one not in other_than]

        until(lambda: len(found()) == len(names))
        return tuple(found())

    def end(self) -> None:
        with self.files.changing(LIMIT_S):
            self.files.programs.unlink(missing_ok=True)
            for name in (SUPERVISOR, STANDBY, *self.names):
                if running := self.files.running(name):
                    assert killed(running, LIMIT_S)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    instance = Instance(tmp_path / "ours; 100% alone", {"redis": SLEEP, "agi": ["sh", "-c", "echo half 'of it' && exec sleep 1000"]})
    instance.launch()
    instance.until_up("redis", "agi", SUPERVISOR, STANDBY)
    yield instance
    instance.end()


def until(question: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not question():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def kill(*processes: ProcessIdentity) -> None:
    for process in processes:
        os.kill(process.pid, signal.SIGKILL)


def test_killed_process_is_started_again(instance: Instance) -> None:
    before = instance.until_up("redis")
    kill(*before)
    instance.until_up("redis", other_than=before)


def test_arguments_reach_the_process_as_they_are_and_its_output_is_kept(instance: Instance) -> None:
    until(lambda: instance.files.log("agi").read_text() == "half of it\n")


@pytest.mark.parametrize("names", [(SUPERVISOR,), (STANDBY,), (SUPERVISOR, STANDBY)], ids=" and ".join)
def test_whichever_supervisor_is_killed_processes_go_on_and_are_watched_again(
    instance: Instance, names: tuple[str, ...],
) -> None:
    programs = instance.until_up("redis", "agi")
    both = instance.until_up(SUPERVISOR, STANDBY)
    dead = instance.until_up(*names)
    kill(*dead)
    if dead == both:
        instance.launch()               # `make up` does; systemd does by itself
    until(lambda: not set(dead) & set(instance.until_up(SUPERVISOR, STANDBY)))
    assert instance.until_up("redis", "agi") == programs
    kill(programs[1])
    instance.until_up("agi", other_than=programs)
    assert instance.until_up("redis") == programs[:1]


def test_supervisors_that_die_again_and_again_never_start_a_process_twice(instance: Instance, tmp_path: Path) -> None:
    programs = instance.until_up("redis", "agi")
    for _ in range(5):
        before = instance.until_up(SUPERVISOR, STANDBY)
        kill(before[0])
        until(lambda: instance.files.running(SUPERVISOR) == before[1])        # noqa: B023 - asked within this turn
        instance.until_up(STANDBY, other_than=before)
    assert instance.until_up("redis", "agi") == programs
    assert len(sleeping_in(instance.files.directory.parent)) == 2


def test_supervisor_that_hangs_is_replaced(instance: Instance) -> None:
    programs, before = instance.until_up("redis", "agi"), instance.until_up(SUPERVISOR)
    os.kill(before[0].pid, signal.SIGSTOP)
    until(lambda: instance.files.running(SUPERVISOR) != before[0])
    instance.until_up(SUPERVISOR, STANDBY, other_than=before)
    assert instance.until_up("redis", "agi") == programs


def test_process_that_ended_while_nobody_watched_is_started_and_no_stranger_is_taken_for_it(instance: Instance) -> None:
    before = instance.until_up("redis", "agi")
    kill(*instance.until_up(SUPERVISOR, STANDBY))
    kill(before[0])
    stranger = ProcessIdentity(os.getpid(), before[0].started, before[0].boot)      # its process id was used again
    until(lambda: instance.files.running("redis") is None)
    write_record(instance.files.record("redis"), stranger)
    instance.launch()
    assert instance.until_up("redis", other_than=before)
    assert instance.until_up("agi") == before[1:]


def test_process_that_was_stopped_stays_down_whoever_supervises(instance: Instance) -> None:
    with instance.files.changing(LIMIT_S):
        instance.files.stopped("agi").touch()
    kill(*instance.until_up("agi"))
    kill(*instance.until_up(SUPERVISOR))
    redis = instance.until_up("redis")
    instance.until_up(SUPERVISOR, STANDBY)
    kill(*redis)
    instance.until_up("redis", other_than=redis)            # so it looked at all of them
    assert instance.files.running("agi") is None
    instance.files.stopped("agi").unlink()
    instance.until_up("agi")


def test_without_programs_the_instance_is_down_and_a_watcher_starts_nothing(instance: Instance) -> None:
    instance.end()
    last = instance.files.beat(SUPERVISOR).read_text()
    instance.launch()
    instance.until_up(STANDBY)
    until(lambda: instance.files.beat(SUPERVISOR).read_text() != last)      # it looked
    with instance.files.changing(LIMIT_S):
        assert [name for name in instance.names if instance.files.running(name)] == []


def test_command_that_cannot_run_holds_up_no_other_process(tmp_path: Path) -> None:
    instance = Instance(tmp_path / "home", {"broken": ["/no/such/program"], "agi": SLEEP})
    instance.launch()
    try:
        instance.until_up("agi")
        assert "event=start_failed process=broken" in instance.files.log(SUPERVISOR).read_text()
    finally:
        instance.end()


def test_process_that_does_not_stay_up_is_tried_later_and_later_and_one_that_ran_at_once() -> None:
    restarts, now, pauses = Restarts(), 1000.0, []
    for _ in range(8):
        began = now
        while not restarts.is_due(now):
            now += 0.01
        pauses.append(round(now - began, 1))
        restarts.begin(now)
    assert pauses[0] == 0
    assert pauses[1:] == sorted(pauses[1:])
    assert pauses[-1] == 10
    restarts.seen = now + 2
    assert restarts.is_due(now + 2)


def test_log_that_has_grown_is_set_aside_and_the_process_goes_on_writing_to_it(tmp_path: Path) -> None:
    files = Files(tmp_path)
    with open(files.log("agi"), "ab", buffering=0) as process:
        for turn in range(LOGS_KEPT + 2):
            process.write(b"%d" % turn * LOG_BYTES)
            rotate_logs(files, ("agi", "redis"))
        process.write(b"after\n")
    assert files.log("agi").read_bytes() == b"after\n"
    kept = sorted(path.name for path in tmp_path.glob("agi.log.*"))
    assert kept == [f"agi.log.{number}" for number in range(1, LOGS_KEPT + 1)]
    assert (tmp_path / "agi.log.1").read_bytes()[:1] == b"%d" % (LOGS_KEPT + 1)


def sleeping_in(home: Path) -> list[str]:
    """The processes that run in this directory and only sleep."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == home and (process / "comm").read_text() == "sleep\n":
                found.append(process.name)
        except OSError:
            continue
    return found
