"""An instance in the local Debian root: supervisord on the host runs Asterisk and Redis by chroot, the services beside."""

import os
import shutil
import signal
import subprocess
import time
import xmlrpc.client
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath

from runtime import ready
from runtime.failure import RuntimeFailure
from runtime.instance import Instance, centralka_command
from runtime.places import ROOT
from runtime.process import Process, console_answer
from runtime.root import owner_of_asterisk
from runtime.sources import source_digest
from runtime.supervise import MARK, SOCKET_LIMIT, Files, Supervisor, configuration, files_limit, launch
from runtime.waiting import gone

STOPPED = frozenset({"STOPPED", "EXITED", "FATAL"})
STOP_LIMIT_S = 30.0


class LocalRuntime:
    """The instance `name`, which is <root>/srv/<name>. Needs root: chroot does."""

    def __init__(self, name: str, root: Path = ROOT) -> None:
        if os.geteuid() != 0:
            raise RuntimeFailure("running Asterisk by chroot needs root; run it with sudo, or use RUNTIME=docker")
        if not (root / "etc" / "passwd").is_file():
            raise RuntimeFailure(f"there is no Debian root in {root}; `make up` builds it")
        self.root = root
        self.instance = Instance(root / "srv" / name, PurePosixPath("/srv") / name, owner_of_asterisk(root))
        self.files = Files(self.home / "supervisor")
        if len(os.fsencode(self.home / "run" / "redis.sock")) > SOCKET_LIMIT:
            raise RuntimeFailure(f"{self.home} is too long a path: Unix sockets below it may have {SOCKET_LIMIT} bytes")

    @property
    def home(self) -> Path:
        return self.instance.home

    def prepare(self, settings: Mapping[str, str]) -> None:
        self.instance.prepare(settings)

    def apply(self, tenants: Path) -> str:
        return self.instance.apply(tenants)

    def is_running(self) -> bool:
        return supervisord_pid(self.files) is not None

    def start(self) -> None:
        if not self.is_running():
            end_orphans(self.home)
            self._start_supervisord()
        if self._state(Process.REDIS)[0] in STOPPED:
            self._launch(Process.REDIS)
        self.wait_ready(Process.REDIS)
        self._stop_old_code()
        for name in (Process.ASTERISK, Process.AGI, Process.AMI, Process.PROVISION):
            if self._state(name)[0] in STOPPED:
                self._launch(name)
        for name in Process:
            self.wait_ready(name)

    def stop(self) -> None:
        pid = supervisord_pid(self.files)
        if pid is not None:
            ready.forget_ami(self.home)
            with suppress(OSError, xmlrpc.client.Fault):
                Supervisor(self.files).call("shutdown")
            if not gone(pid, STOP_LIMIT_S):
                os.kill(pid, signal.SIGKILL)
        end_orphans(self.home)

    def remove(self) -> None:
        self.stop()
        self.instance.remove()

    def start_process(self, name: Process) -> None:
        self._launch(name)
        self.wait_ready(name)

    def stop_process(self, name: Process, *, kill: bool = False) -> None:
        state, pid = self._state(name)
        if state in STOPPED:
            return
        if kill and pid:
            # Stopped first, the process cannot act on the SIGTERM that supervisord sends before it lets go of it.
            os.kill(pid, signal.SIGSTOP)
            self._ask("stopProcess", name, False)
            os.kill(pid, signal.SIGKILL)
            deadline = time.monotonic() + STOP_LIMIT_S
            while self._state(name)[0] not in STOPPED and time.monotonic() < deadline:
                time.sleep(ready.PAUSE_S)
        else:
            self._ask("stopProcess", name, True)
        if name is Process.AMI:
            ready.forget_ami(self.home)

    def pid_of(self, name: Process) -> int | None:
        return self._state(name)[1] or None

    def wait_ready(self, name: Process) -> None:
        ready.wait_ready(self, name)

    def asterisk_cli(self, command: str) -> str:
        done = subprocess.run(
            [*self._chroot(), "/usr/sbin/asterisk", "-C", self._asterisk_conf(), "-rx", command],
            capture_output=True, text=True, errors="replace", timeout=60,
        )
        if done.returncode != 0:
            said = (done.stderr + done.stdout).strip()
            raise RuntimeFailure(f"asterisk -rx {command!r} ended with {done.returncode}: {said}")
        return console_answer(done.stdout)

    def log_of(self, name: Process) -> str:
        log = self.files.log(name)
        return log.read_text(errors="replace")[-10_000:] if log.exists() else ""

    def _chroot(self) -> tuple[str, ...]:
        owner = self.instance.owner
        return ("/usr/sbin/chroot", f"--userspec={owner.uid}:{owner.gid}", str(self.root))

    def _asterisk_conf(self) -> str:
        return str(self.instance.asterisk_home / "asterisk" / "asterisk.conf")

    def _commands(self) -> dict[Process, tuple[str, ...]]:
        redis_conf = str(self.instance.asterisk_home / "redis" / "redis.conf")
        return {
            Process.REDIS: (*self._chroot(), "/usr/bin/redis-server", redis_conf),
            Process.ASTERISK: (*self._chroot(), "/usr/sbin/asterisk", "-f", "-C", self._asterisk_conf()),
            Process.AGI: (*centralka_command(self.home), "serve", "agi"),
            Process.AMI: (*centralka_command(self.home), "serve", "ami"),
            Process.PROVISION: (*centralka_command(self.home), "serve", "provision"),
        }

    def _start_supervisord(self) -> None:
        resolv = Path("/etc/resolv.conf")       # trunks are found by name
        if resolv.exists():
            shutil.copyfile(resolv, self.root / "etc" / "resolv.conf")
        self.instance.permit()
        self.files.directory.mkdir(mode=0o700, exist_ok=True)
        self.files.directory.chmod(0o700)
        for stale in (self.files.socket, self.files.pid):
            stale.unlink(missing_ok=True)
        self.files.configuration.write_text(configuration(self.files, self.home, self._commands(), files_limit()))
        if problem := launch(self.files, self.home):
            raise RuntimeFailure(problem)
        deadline = time.monotonic() + 10
        while True:
            with suppress(OSError):
                Supervisor(self.files).states()
                return
            if time.monotonic() > deadline:
                raise RuntimeFailure(f"supervisord does not answer at {self.files.socket}; see {self.files.log('supervisord')}")
            time.sleep(ready.PAUSE_S)

    def _stop_old_code(self) -> None:
        """Stops the services if the code has changed since they started. Calls go on: the services hold none of them."""
        stamp, code = self.files.directory / "code", source_digest()
        if not stamp.exists() or stamp.read_text() != code:
            for name in (Process.AGI, Process.AMI, Process.PROVISION):
                self.stop_process(name)
            stamp.write_text(code)

    def _launch(self, name: Process) -> None:
        if name is Process.AMI:
            ready.forget_ami(self.home)
        self._ask("startProcess", name, False)

    def _state(self, name: Process) -> tuple[str, int]:
        try:
            return Supervisor(self.files).states()[name]
        except OSError:
            return "STOPPED", 0

    def _ask(self, method: str, name: Process, wait: bool) -> None:
        try:
            Supervisor(self.files).call(method, name.value, wait)
        except (OSError, xmlrpc.client.Fault) as error:
            raise RuntimeFailure(f"supervisord of {self.home}: {method} {name}: {error}") from error


def supervisord_pid(files: Files) -> int | None:
    """The process id of the instance's supervisord; None when it does not run, whatever a stale file says."""
    try:
        pid = int(files.pid.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    return pid if os.fsencode(files.configuration) in command else None


def end_orphans(home: Path) -> None:
    """Ends what a killed supervisord of this instance left running, known by its mark in the environment."""
    mark = f"{MARK}={home}".encode()
    orphans = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in (process / "environ").read_bytes().split(b"\0"):
                orphans.append(int(process.name))
    for pid in orphans:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    for pid in orphans:
        if not gone(pid, 5):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            gone(pid, 5)
