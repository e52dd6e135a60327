"""The supervisor of one local instance: starts its processes, and starts again those that end. `python -m runtime.supervisor
watch DIRECTORY`.

Two of them run. The active one holds a lock; the standby waits for that lock, and the active one starts the standby like any
other process. A new active one adopts the processes that run: it knows them by their records. Each output goes to a file, not
to a pipe, so that nothing depends on the supervisor's life.

The directory is root's alone, because its files decide what root runs:
    programs.json      the command of each process; without this file the instance is down
    NAME.process       the record of a process: who runs (runtime/identity.py)
    NAME.stopped       NAME is not to be started
    NAME.log           what the process printed
    active, changing   locks: of the active supervisor, and of any process that starts or stops something
    supervisor.beat, standby.beat    when each of the two last worked

Stands on the standard library alone: it is small, starts at once, and reads no setting that could be wrong.
"""

import fcntl
import itertools
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from runtime.failure import RuntimeFailure
from runtime.identity import ProcessIdentity, identity_of, killed, running_in, send, write_record

SUPERVISOR, STANDBY = "supervisor", "standby"
SCAN_S = 0.1
PAUSE_AFTER_FAILURE_S = 1.0
HUNG_S = 10.0           # a supervisor without a beat for so long is replaced, which is harmless
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 10.0
STEADY_S = 1.0          # a process that ran for so long is started again at once
LOG_BYTES, LOGS_KEPT = 10_000_000, 3
FILES_WANTED = 65536


@dataclass(frozen=True, slots=True)
class Files:
    directory: Path

    @property
    def programs(self) -> Path:
        return self.directory / "programs.json"

    @property
    def active(self) -> Path:
        return self.directory / "active"

    def record(self, name: str) -> Path:
        return self.directory / f"{name}.process"

    def stopped(self, name: str) -> Path:
        return self.directory / f"{name}.stopped"

    def log(self, name: str) -> Path:
        return self.directory / f"{name}.log"

    def beat(self, name: str) -> Path:
        return self.directory / f"{name}.beat"

    def running(self, name: str) -> ProcessIdentity | None:
        return running_in(self.record(name))

    @contextmanager
    def changing(self, limit_s: float) -> Iterator[None]:
        """Holds the lock `changing`: no other process starts or stops anything in the block. Raises RuntimeFailure."""
        with open(self.directory / "changing", "a") as lock:
            deadline = time.monotonic() + limit_s
            while not taken(lock):
                if time.monotonic() > deadline:
                    raise RuntimeFailure(f"another command has been changing {self.directory} for {limit_s:.0f} s")
                time.sleep(SCAN_S / 2)
            yield


def taken(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def start(files: Files, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Starts a process, in a process group of its own. Returns once its record is written and its program runs; until then
    the process shares the lock `changing`, so that nobody misses it. Raises OSError."""
    with open(files.log(SUPERVISOR if name == STANDBY else name), "ab") as log:
        try:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=files.directory.parent,
                preexec_fn=lambda: write_record(files.record(name), identity_of(os.getpid())))
        except subprocess.SubprocessError as error:
            raise OSError(f"{name} could not write {files.record(name)}") from error


def start_standby(files: Files) -> subprocess.Popen[bytes]:
    write_beat(files, STANDBY)          # it has as long to begin as to work
    return start(files, STANDBY, (sys.executable, "-P", "-m", "runtime.supervisor", "watch", str(files.directory)))


def write_beat(files: Files, name: str) -> None:
    with suppress(OSError):
        descriptor = os.open(files.beat(name), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.pwrite(descriptor, f"{time.monotonic():020.3f}\n".encode(), 0)
        finally:
            os.close(descriptor)


def hangs(files: Files, name: str) -> bool:
    try:
        return time.monotonic() - float(files.beat(name).read_text()) > HUNG_S
    except (OSError, ValueError):
        return False


def note(text: str) -> None:
    """One line of the supervisor's log."""
    with suppress(OSError):
        print(f"timestamp={time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {text}", flush=True)


@dataclass(slots=True)
class Restarts:
    """When a process may be started again: at once if it ran for a while, later and later if it does not stay up."""

    started: float = -LONGEST_PAUSE_S
    seen: float = 0.0                   # running
    pause_s: float = FIRST_PAUSE_S

    def is_due(self, now: float) -> bool:
        return self.seen - self.started > STEADY_S or now - self.started > self.pause_s

    def begin(self, now: float) -> None:
        was_steady = self.seen - self.started > STEADY_S
        self.pause_s = FIRST_PAUSE_S if was_steady else min(2 * self.pause_s, LONGEST_PAUSE_S)
        self.started = self.seen = now


@dataclass(slots=True)
class Supervisor:
    """The active supervisor. `scan` is one look at all processes."""

    files: Files
    programs: dict[str, list[str]] = field(default_factory=dict)
    known: dict[str, ProcessIdentity] = field(default_factory=dict)
    restarts: dict[str, Restarts] = field(default_factory=dict)
    children: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def take_over(self) -> None:
        """Becomes the recorded supervisor and adopts what runs."""
        self.programs = json.loads(self.files.programs.read_text())
        me = identity_of(os.getpid())
        write_record(self.files.record(SUPERVISOR), me)
        if self.files.running(STANDBY) == me:
            write_record(self.files.record(STANDBY), None)
        self.known = {name: found for name in self.programs if (found := self.files.running(name))}
        adopted = ",".join(f"{name}:{found.pid}" for name, found in self.known.items())
        note(f"event=supervisor_active pid={os.getpid()} adopted={adopted or 'none'}")

    def scan(self) -> None:
        self.children = [child for child in self.children if child.poll() is None]
        for name, command in self.programs.items():
            if not self._is_up(name) and not self.files.stopped(name).exists():
                self._start(name, command)
        standby = self.files.running(STANDBY)
        if standby and hangs(self.files, STANDBY):
            note(f"event=standby_hangs pid={standby.pid}")
            send(standby, signal.SIGKILL)
        elif not standby and self._is_due(STANDBY):
            self.children.append(start_standby(self.files))

    def _is_up(self, name: str) -> bool:
        running = self.files.running(name)
        ended = self.known.pop(name, None)
        if running:
            self.known[name] = running
            self._restarts(name).seen = time.monotonic()
        elif ended:
            killed(ended, 0)                # what it may have left of its process group
            note(f"event=process_ended process={name} pid={ended.pid}")
        return running is not None

    def _start(self, name: str, command: list[str]) -> None:
        if not self._is_due(name):
            return
        try:
            child = start(self.files, name, command)
        except OSError as error:
            note(f"event=start_failed process={name} problem={str(error)!r}")
            return
        self.children.append(child)
        note(f"event=process_started process={name} pid={child.pid}")

    def _is_due(self, name: str) -> bool:
        restarts, now = self._restarts(name), time.monotonic()
        if not restarts.is_due(now):
            return False
        restarts.begin(now)
        return True

    def _restarts(self, name: str) -> Restarts:
        return self.restarts.setdefault(name, Restarts())


def watch(files: Files) -> None:
    """Waits until no other supervisor is active, and then supervises, as long as the instance is not down."""
    resource_limits()
    os.umask(0o007)             # the AMI service reserves space for the file of events, which Asterisk makes
    while True:
        with open(files.active, "a") as lock:
            while not taken(lock):
                write_beat_if_mine(files)
                if hangs(files, SUPERVISOR) and (active := files.running(SUPERVISOR)):
                    note(f"event=supervisor_hangs pid={active.pid}")
                    send(active, signal.SIGKILL)
                time.sleep(SCAN_S)
            supervise(files)
        time.sleep(PAUSE_AFTER_FAILURE_S)       # the instance is down


def supervise(files: Files) -> None:
    """Returns when the instance is down."""
    supervisor = Supervisor(files)
    is_active = False
    while True:
        write_beat(files, SUPERVISOR)       # before the record: a new supervisor with an old beat would seem to hang
        try:
            with files.changing(HUNG_S / 2):
                if not files.programs.exists():
                    return
                if not is_active:
                    supervisor.take_over()
                    is_active = True
                supervisor.scan()
            rotate_logs(files, (SUPERVISOR, *supervisor.programs))
        except Exception as error:      # the outermost loop: whatever it is, the next scan tries again
            note(f"event=scan_failed problem={error!r}")
            time.sleep(PAUSE_AFTER_FAILURE_S)
        time.sleep(SCAN_S)


def write_beat_if_mine(files: Files) -> None:
    running = files.running(STANDBY)
    if running and running.pid == os.getpid():
        write_beat(files, STANDBY)


def rotate_logs(files: Files, names: Sequence[str]) -> None:
    """Copies a log that has grown and empties it: the process goes on to append to the same file. Where there is no space for
    the copy, what was in the log is lost."""
    for name in names:
        log = files.log(name)
        if not log.exists() or log.stat().st_size < LOG_BYTES:
            continue
        kept = [log.with_name(f"{log.name}.{number}") for number in range(1, LOGS_KEPT + 1)]
        try:
            for newer, older in reversed(list(itertools.pairwise(kept))):
                if newer.exists():
                    newer.replace(older)
            shutil.copyfile(log, kept[0])
        except OSError:
            kept[0].unlink(missing_ok=True)
        os.truncate(log, 0)


def resource_limits() -> None:
    """Lets the processes open as many files as Asterisk may want, or as many as this machine allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_WANTED if hard == resource.RLIM_INFINITY else min(FILES_WANTED, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def main(arguments: list[str]) -> int:
    match arguments:
        case ["watch", directory]:
            watch(Files(Path(directory)))
        case ["launch", directory]:
            files = Files(Path(directory))
            with files.changing(HUNG_S):
                if not files.running(STANDBY):
                    start_standby(files)
        case _:
            print("usage: python -m runtime.supervisor watch|launch DIRECTORY", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    os._exit(main(sys.argv[1:]))        # without waiting for the processes that were started
