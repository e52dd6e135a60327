"""An instance in the local Debian root: Asterisk and Redis run in it by chroot, the services beside, all under a supervisor."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from runtime import ready
from runtime.confinement import PYTHON, confined, with_reachable
from runtime.failure import RuntimeFailure
from runtime.identity import ProcessIdentity, end, killed, write_record
from runtime.instance import Instance, centralka_command
from runtime.places import ROOT
from runtime.process import Process, console_answer
from runtime.sources import source_digest
from runtime.supervisor import STANDBY, SUPERVISOR, Files

STOP_LIMIT_S = 10.0
CHANGING_LIMIT_S = 60.0
LAUNCH_LIMIT_S = 60.0
COMPILE_LIMIT_S = 300.0
SERVICES = (Process.AGI, Process.AMI, Process.PROVISION)
IMPORTED = (             # by the services, some of them late
    "centralka.serve_agi", "centralka.serve_ami", "centralka.serve_provision", "centralka.cli.serving", "agi.recogniser",
    "icalendar", "recurring_ical_events", "uvloop")
STOP_ORDER = ((Process.ASTERISK,), SERVICES, (Process.REDIS,))     # calls end while the services still note it


class LocalRuntime:
    """The instance `name`, which is <root>/srv/<name>. Needs root: chroot does."""

    def __init__(self, name: str, root: Path = ROOT) -> None:
        if os.geteuid() != 0:
            raise RuntimeFailure("running Asterisk by chroot needs root; run it with sudo, or use RUNTIME=docker")
        if not (root / "etc" / "passwd").is_file():
            raise RuntimeFailure(f"there is no Debian root in {root}; `make up` builds it")
        self.root = root
        self.instance = Instance(root / "srv" / name, PurePosixPath("/srv") / name)
        self.files = Files(self.home / "supervisor")

    @property
    def home(self) -> Path:
        return self.instance.home

    def prepare(self, settings: Mapping[str, str]) -> None:
        self.instance.prepare(settings, is_running=self.is_running())

    def apply(self, tenants: Path) -> str:
        return self.instance.apply(tenants)

    def is_running(self) -> bool:
        return any(self.files.running(name) for name in (SUPERVISOR, STANDBY, *Process))

    def is_supervised(self) -> bool:
        return any(self.files.running(name) for name in (SUPERVISOR, STANDBY))

    def start(self) -> None:
        """Running processes continue: a new supervisor adopts them. Services of older code are restarted; no call ends."""
        self._make_files()
        code = source_digest()
        if self._code_of_services() != code:
            compile_services()
        with self.files.changing(CHANGING_LIMIT_S):
            self._end_supervisors()
            running = [name for name in Process if self.files.running(name)]
            for name in Process:
                if name not in (*running, Process.REDIS):
                    self.files.stopped(name).touch()
            self._write_programs()
        self._launch_supervisor()
        self.start_process(Process.REDIS)
        for name in SERVICES:
            if name in running and self._code_of_services() != code:
                self.stop_process(name)
                self._allow(name)
        for name in Process:
            self._allow(name)
        for name in Process:
            self.wait_ready(name)
        (self.files.directory / "code").write_text(code)

    def stop(self) -> None:
        if not self.files.directory.exists():
            return
        with self.files.changing(CHANGING_LIMIT_S):
            self.files.programs.unlink(missing_ok=True)
            self._end_supervisors()
        ready.forget_ami(self.home)
        for names in STOP_ORDER:
            self._end(names)

    def remove(self) -> None:
        self.stop()
        self.instance.remove()

    def start_process(self, name: Process) -> None:
        if not self.is_supervised():
            raise RuntimeFailure(f"{self.home} has no supervisor that could start {name}; start the instance")
        self._allow(name)
        self.wait_ready(name)

    def stop_process(self, name: Process, *, kill: bool = False) -> None:
        with self.files.changing(CHANGING_LIMIT_S):
            self.files.stopped(name).touch()
        if kill and (running := self.files.running(name)):
            killed(running, STOP_LIMIT_S)
        self._end((name,))
        if name is Process.AMI:
            ready.forget_ami(self.home)

    def pid_of(self, name: Process) -> int | None:
        running = self.files.running(name)
        return running.pid if running else None

    def wait_ready(self, name: Process) -> None:
        ready.wait_ready(self, name)

    def asterisk_cli(self, command: str) -> str:
        done = subprocess.run(
            self._in_root(Process.ASTERISK, "/usr/sbin/asterisk", "-C", self._asterisk_conf(), "-rx", command),
            capture_output=True, text=True, errors="replace", timeout=60,
        )
        if done.returncode != 0:
            said = (done.stderr + done.stdout).strip()
            raise RuntimeFailure(f"asterisk -rx {command!r} ended with {done.returncode}: {said}")
        return console_answer(done.stdout)

    def log_of(self, name: Process) -> str:
        log = self.files.log(name)
        return log.read_text(errors="replace")[-10_000:] if log.exists() else ""

    def _in_root(self, name: Process, *command: str) -> tuple[str, ...]:
        return ("/usr/sbin/chroot", str(self.root), *confined(name, command))

    def _service(self, name: Process) -> tuple[str, ...]:
        command = confined(name, (*centralka_command(self.home), "serve", name.value))
        return with_reachable(PYTHON, command, self.files.directory)

    def _asterisk_conf(self) -> str:
        return str(self.instance.asterisk_home / "asterisk" / "asterisk.conf")

    def _commands(self) -> dict[Process, tuple[str, ...]]:
        home = self.instance.asterisk_home
        # The lock lives as long as Redis does: no second one ever writes to the same append-only file.
        locked = ("/usr/bin/flock", "--nonblock", "--no-fork", str(home / "redis" / ".lock"))
        return {
            Process.REDIS: self._in_root(Process.REDIS, *locked, "/usr/bin/redis-server", str(home / "redis.conf")),
            Process.ASTERISK: self._in_root(Process.ASTERISK, "/usr/sbin/asterisk", "-f", "-C", self._asterisk_conf()),
            **{name: self._service(name) for name in SERVICES},
        }

    def _make_files(self) -> None:
        """The supervisor's directory, and all that must exist before a disk is full."""
        resolv = Path("/etc/resolv.conf")       # trunks are found by name
        copy = self.root / "etc" / "resolv.conf"
        if resolv.exists() and not (copy.exists() and copy.read_bytes() == resolv.read_bytes()):
            shutil.copyfile(resolv, copy)
        self.instance.permit()
        self.files.directory.mkdir(mode=0o700, exist_ok=True)
        self.files.directory.chmod(0o700)
        for name in (SUPERVISOR, STANDBY, *Process):
            if not self.files.record(name).exists():
                write_record(self.files.record(name), None)
            self.files.log(name).touch(0o640)

    def _launch_supervisor(self) -> None:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "runtime.supervisor", "launch", str(self.files.directory)], cwd="/",
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LAUNCH_LIMIT_S,
            env=os.environ | {"PYTHONSAFEPATH": "1"},       # the directory in which the services run may hold no code
        )
        if done.returncode != 0:
            raise RuntimeFailure(f"the supervisor of {self.home} does not start: {(done.stderr + done.stdout).strip()}")
        deadline = time.monotonic() + LAUNCH_LIMIT_S
        while not self.files.running(SUPERVISOR):
            if time.monotonic() > deadline:
                raise RuntimeFailure(f"the supervisor of {self.home} does not begin; see {self.files.log(SUPERVISOR)}")
            time.sleep(ready.PAUSE_S)

    def _end_supervisors(self) -> None:
        """To be called while `changing` is held: then neither supervisor starts anything more, and none takes over."""
        for name in (SUPERVISOR, STANDBY):
            if (running := self.files.running(name)) and not killed(running, STOP_LIMIT_S):
                raise RuntimeFailure(f"{name} of {self.home}, process {running.pid}, does not end")

    def _end(self, names: tuple[Process, ...]) -> None:
        """Raises RuntimeFailure for a process that still runs after SIGKILL."""
        running: list[ProcessIdentity] = [found for name in names if (found := self.files.running(name))]
        if left := end(running, STOP_LIMIT_S):
            raise RuntimeFailure(f"of {self.home} {', '.join(str(identity.pid) for identity in left)} does not end")

    def _allow(self, name: Process) -> None:
        """Lets the supervisor start a process."""
        if name is Process.AMI and not self.files.running(name):
            ready.forget_ami(self.home)
        self.files.stopped(name).unlink(missing_ok=True)

    def _code_of_services(self) -> str:
        """The digest of the code that the services run."""
        stamp = self.files.directory / "code"
        return stamp.read_text() if stamp.exists() else ""

    def _write_programs(self) -> None:
        new = self.files.programs.with_suffix(".new")
        new.write_text(json.dumps(self._commands()))
        new.replace(self.files.programs)


def compile_services() -> None:
    """Has Python keep what it compiles of the services and their packages: the services may not write there."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = (sys.executable, "-P", "-c", f"import {', '.join(IMPORTED)}")
    subprocess.run(command, cwd="/", env=env, check=True, timeout=COMPILE_LIMIT_S)
