"""Waiting for a process that is not our child."""

import time
from pathlib import Path

PAUSE_S = 0.05


def gone(pid: int, limit_s: float) -> bool:
    """Waits until a process has ended (or is a zombie)."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(PAUSE_S)
    return False
