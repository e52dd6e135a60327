"""Progress of `make up`: one line per step, and on a terminal a last line that shows the newest output of the running steps.

Standard library only: the first steps run before any Python package is installed.
"""

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

GREEN, YELLOW, RED, PLAIN = "\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[0m"
CLEAR_LINE = "\r\x1b[K"

_lock = threading.Lock()
_running: list["Step"] = []


def say(text: str) -> None:
    """Prints one plain line."""
    _print(text)


def warn(text: str) -> None:
    """Prints one line marked as a warning."""
    _print(f"{_coloured(YELLOW, 'warning:')} {text}")


def fail(text: str) -> None:
    """Prints one line marked as an error."""
    _print(f"{_coloured(RED, 'error:')} {text}")


class Step:
    """A running step. `show` replaces its part of the terminal's last line."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.detail = ""

    def show(self, detail: str) -> None:
        with _lock:
            self.detail = detail
            _show_running()


@contextmanager
def step(title: str) -> Iterator[Step]:
    """Announces `title`, and afterwards its duration. Steps may run in several threads at once."""
    began = time.monotonic()
    running = Step(title)
    if not sys.stdout.isatty():
        _print(f"  {title} ...")
    with _lock:
        _running.append(running)
        _show_running()
    try:
        yield running
    finally:
        with _lock:
            _running.remove(running)
    _print(f"{_coloured(GREEN, '✓')} {title} ({time.monotonic() - began:.1f} s)")


def run_shown(
    running: Step, command: Sequence[str], *, env: Mapping[str, str] | None = None, timeout_s: float = 900
) -> tuple[int, str]:
    """Runs `command` and shows its newest line; returns its exit code and its output."""
    lines: list[str] = []
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", env=env,
    ) as process:
        assert process.stdout is not None  # noqa: S101 - PIPE was asked for
        limit = threading.Timer(timeout_s, process.kill)        # a command that hangs prints nothing either
        limit.start()
        try:
            for line in process.stdout:
                lines.append(line)
                running.show(line.strip())
            code = process.wait()
        finally:
            if not limit.is_alive():
                lines.append(f"killed after {timeout_s:.0f} s\n")
            limit.cancel()
    return code, "".join(lines)


def _coloured(colour: str, text: str) -> str:
    return f"{colour}{text}{PLAIN}" if sys.stdout.isatty() else text


def _print(line: str) -> None:
    with _lock:
        sys.stdout.write(f"{CLEAR_LINE if sys.stdout.isatty() else ''}{line}\n")
        _show_running()
        sys.stdout.flush()


def _show_running() -> None:
    """Writes the last line. The caller holds the lock."""
    if not _running or not sys.stdout.isatty():
        return
    width = shutil.get_terminal_size().columns - 1
    each = max(20, width // len(_running) - 3)
    shown = " | ".join(f"{running.title} {running.detail}"[:each] for running in _running)
    sys.stdout.write(f"{CLEAR_LINE}{shown[:width]}")
    sys.stdout.flush()
