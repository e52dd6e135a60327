"""Counters of the kernel: processor time of a process, load, dropped connections."""

import os
import time
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """User and system time of a process and its threads; 0 when it has gone. Source: proc(5), /proc/pid/stat."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def busy_s() -> float:
    """Processor time that everything on this machine has used. Source: proc(5), /proc/stat."""
    user, nice, system, _idle, _iowait, irq, softirq, *_ = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:])
    return (user + nice + system + irq + softirq) / TICKS_PER_S


def busy_share(seconds: float) -> float:
    """Share of all processors that is used during so many seconds, 0 to 1. While the instance has no call: by others."""
    before, began = busy_s(), time.monotonic()
    time.sleep(seconds)
    return (busy_s() - before) / (time.monotonic() - began) / (os.cpu_count() or 1)


def listen_overflows() -> int:
    """Connections that a full backlog refused, on the whole machine: ListenOverflows and ListenDrops of /proc/net/netstat."""
    lines = [line.split() for line in Path("/proc/net/netstat").read_text().splitlines() if line.startswith("TcpExt:")]
    counters = dict(zip(lines[0], lines[1], strict=True))
    return int(counters["ListenOverflows"]) + int(counters["ListenDrops"])
