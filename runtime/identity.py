"""Process identity: a process id together with its start time and the machine's boot, which no process can change.

A process title, a command line or an environment can be overwritten by the process itself, and a bare process id is used again.
"""

import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from runtime.waiting import gone

RECORD_BYTES = 128      # a record is always this long, so that it is rewritten in place even where the disk is full


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """`started` is in clock ticks since the boot: proc(5), /proc/PID/stat, field 22."""

    pid: int
    started: int
    boot: str


def identity_of(pid: int) -> ProcessIdentity | None:
    """The identity of a running process; None when it has ended, even if its parent has not reaped it."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    if fields[0] in ("Z", "X"):
        return None
    return ProcessIdentity(pid, int(fields[19]), boot_id())


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def write_record(file: Path, identity: ProcessIdentity | None) -> None:
    """Rewrites a record in place by one write; None empties it."""
    text = f"{identity.pid} {identity.started} {identity.boot}" if identity else ""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.pwrite(descriptor, text.ljust(RECORD_BYTES - 1).encode() + b"\n", 0)
    finally:
        os.close(descriptor)


def running_in(file: Path) -> ProcessIdentity | None:
    """The process that a record names, if it runs."""
    try:
        pid, started, boot = file.read_text().split()
        recorded = ProcessIdentity(int(pid), int(started), boot)
    except (OSError, ValueError):
        return None
    return recorded if identity_of(recorded.pid) == recorded else None


def send(identity: ProcessIdentity, number: signal.Signals) -> None:
    """Sends a signal to this very process; nothing happens if it has ended."""
    with suppress(ProcessLookupError):
        descriptor = os.pidfd_open(identity.pid)
        try:
            if identity_of(identity.pid) == identity:
                signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)


def end(identities: Iterable[ProcessIdentity], limit_s: float) -> list[ProcessIdentity]:
    """Ends processes, each the leader of its own process group: SIGTERM to all, after `limit_s` seconds SIGKILL, which the
    rest of the group gets in any case. Returns those that still run."""
    ending = list(identities)
    for identity in ending:
        send(identity, signal.SIGTERM)
    for identity in ending:
        if not gone(identity.pid, limit_s):
            send(identity, signal.SIGKILL)
    return [identity for identity in ending if not killed(identity, limit_s)]


def killed(identity: ProcessIdentity, limit_s: float) -> bool:
    """Ends a process group by SIGKILL; True once its leader has ended."""
    if identity_of(identity.pid) in (identity, None):
        with suppress(ProcessLookupError):
            os.killpg(identity.pid, signal.SIGKILL)
    return gone(identity.pid, limit_s)
