"""Losses of call records: lines that are not events, events and calls that gave no record, incomplete calls.

The raw lines stay in a file of limited size until a person has looked at it and deletes it; then counting starts again.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog

log = structlog.get_logger()

LIMIT: Final = 1 << 20           # bytes; older lines move to a second file, lines older than that are deleted
LINE_LIMIT: Final = 4096         # bytes of one line
_HEADING = re.compile(rb"^# (\d{1,12}) ", re.MULTILINE)


class Losses:
    """`count`: the number of losses since the file was last deleted."""

    def __init__(self, file: Path, limit: int = LIMIT) -> None:
        self.file, self._older, self._limit = file, file.with_name(file.name + ".1"), limit
        self._count, self._kept = 0, False
        for path in (self._older, self.file):
            with suppress(OSError):
                if numbers := _HEADING.findall(path.read_bytes()):
                    self._count, self._kept = int(numbers[-1]), True

    @property
    def count(self) -> int:
        if self._kept and not self.file.exists() and not self._older.exists():
            self._count, self._kept = 0, False
        return self._count

    def add(self, lines: Sequence[bytes], problem: str, *, call: str = "") -> None:
        """Counts one loss and keeps its lines, each preceded by the reason. Never raises."""
        self._count = self.count + 1
        heading = f"# {self._count} {datetime.now(UTC):%FT%TZ} {call or '-'} {problem}"
        text = b"".join(each[:LINE_LIMIT].replace(b"\n", b" ") + b"\n"
                        for each in (heading.encode(errors="replace"), *lines))
        log.warning("call_record_loss", call=call, problem=problem, lines=len(lines), file=str(self.file))
        try:
            with self.file.open("ab") as file:
                file.write(text)
                size = file.tell()
            self._kept = True
            if size >= self._limit:
                self.file.replace(self._older)
        except OSError as error:
            log.warning("call_record_loss_not_written", call=call, problem=str(error), lines=[each[:200] for each in lines])
