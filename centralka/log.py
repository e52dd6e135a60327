"""One log line per fact, key=value, on standard output."""

import asyncio
import atexit
import logging
import os
import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog
from structlog.typing import Processor

BATCH_S = 0.05


class Batches:
    """A stream whose lines are written together, at most BATCH_S late. Where the disk is full they are lost, and counted in the
    first line after them; no caller sees an error of the log."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._waiting: list[str] = []
        self._lost = 0
        atexit.register(self._write_all)

    def write(self, text: str) -> int:
        self._waiting.append(text)
        if len(self._waiting) == 1:
            try:
                asyncio.get_running_loop().call_later(BATCH_S, self._write_all)
            except RuntimeError:                # no loop runs: nothing would ever write it
                self._write_all()
        return len(text)

    def flush(self) -> None:
        """structlog asks for it after each line."""

    def _write_all(self) -> None:
        text, self._waiting = "".join(self._waiting), []
        # The line before may be torn: a new one begins.
        if self._lost and not self._put(f"\nlevel=error event=log_lines_lost lines={self._lost}\n"):
            self._lost = 0
        self._lost += self._put(text)

    def _put(self, text: str) -> int:
        """The number of lines that could not be written."""
        left = text.encode()
        with suppress(OSError):
            while left:
                left = left[os.write(self._stream.fileno(), left):]
        return left.count(b"\n")


def configure_log(*, for_person: bool = False) -> None:
    """For a service: everything, on standard output. For a person at the command line: what is wrong, on standard error."""
    stream = sys.stderr if for_person else sys.stdout
    counting: list[Processor] = []
    if not for_person:
        from services.metrics import count_exception  # a command line that counts nothing starts without it

        counting.append(count_exception)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            *counting,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event", "tenant", "call"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR if for_person else logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(stream if for_person else cast("TextIO", Batches(stream))),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(stream=stream, level=logging.WARNING, format="level=%(levelname)s event=%(message)r logger=%(name)s")
