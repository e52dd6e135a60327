"""Signals that end a command: it removes what it started all the same."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def exit_on_signals() -> None:
    """From now on each of these signals raises SystemExit where the program is, so that `finally` is reached."""
    for number in ENDING:
        signal.signal(number, _exit)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Signals wait until the end of this block."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _exit(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)
