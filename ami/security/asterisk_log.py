"""Asterisk's log file, read message by message across rotations.

A SIP packet can put line feeds into a log message. The first line of each message has the instance's secret token beside its
time (templates/logger.conf.j2); every other line belongs to the message before it. Control characters are encoded, so a
message is one line.
"""

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CHUNK: Final = 256 << 10        # bytes read at once
_UNPRINTABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class LogMessage:
    """A log message; `source` is the Asterisk source file that logged it. `text` has no control characters."""

    at: str                     # local time, as Asterisk wrote it
    level: str                  # NOTICE, WARNING, ERROR or SECURITY; '' for messages of the start
    source: str
    text: str

    def __str__(self) -> str:
        return f"[{self.at}] {self.level or 'NOTICE'} {self.source or 'asterisk'}: {self.text}"


class AsteriskLog:
    """Reader of the log: call `read` repeatedly. It keeps its position in a file beside the log, for the next process."""

    def __init__(self, path: Path, token: str) -> None:
        self._path, self._position_file = path, path.with_name(path.name + ".position")
        self._begin = re.compile(rb"^(?=\[[0-9-]+ [0-9:.]+ %b\] )" % re.escape(token.encode()), re.MULTILINE)
        self._head = re.compile(
            rf"\[(?P<at>[0-9-]+ [0-9:.]+) {re.escape(token)}\] "
            r"(?:(?P<level>[A-Z]+)\[[0-9]+\](?:\[C-[0-9a-f]+\])? (?P<source>[^:\n]*): )?")
        self._descriptor: int | None = None
        self._offset = 0

    @property
    def bytes_read(self) -> int:
        """Of the file that is read now."""
        return self._offset

    def read(self) -> list[LogMessage]:
        """The next messages; [] when there are none yet. Raises OSError, except for a file that does not exist."""
        if self._descriptor is None and not self._open():
            return []
        data = self._whole_messages()
        if not data:
            self._follow_rotation()
            return []
        self._offset += len(data)
        self._position_file.write_text(f"{os.fstat(self._descriptor or 0).st_ino} {self._offset}\n")
        return [self._message(part) for part in self._begin.split(data) if part]

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor, self._offset = None, 0

    def _open(self) -> bool:
        try:
            self._descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return False
        self._offset = 0
        with suppress(OSError, ValueError):
            inode, offset = map(int, self._position_file.read_text().split())
            status = os.fstat(self._descriptor)
            if inode == status.st_ino and 0 <= offset <= status.st_size:
                self._offset = offset
        return True

    def _whole_messages(self) -> bytes:
        data = os.pread(self._descriptor or 0, CHUNK, self._offset)
        whole = data[:data.rfind(b"\n") + 1]
        if len(data) < CHUNK:
            return whole
        last = max((found.start() for found in self._begin.finditer(whole)), default=0)
        return whole[:last] or whole or data

    def _follow_rotation(self) -> None:
        """At the end of the file: a truncated file is read from its start; a new file at the same path is read next."""
        status = os.fstat(self._descriptor or 0)
        if status.st_size < self._offset:
            self._offset = 0
        with suppress(FileNotFoundError):
            if os.stat(self._path).st_ino != status.st_ino:
                self.close()

    def _message(self, part: bytes) -> LogMessage:
        text = part.decode("utf-8", "backslashreplace").rstrip("\n")
        head = self._head.match(text)
        if head is None:
            return LogMessage("", "", "", encoded(text))
        return LogMessage(head["at"], head["level"] or "", (head["source"] or "").strip(), encoded(text[head.end():].strip()))


def encoded(text: str) -> str:
    """`text` with its control characters as \\x0a and the like."""
    return _UNPRINTABLE.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
