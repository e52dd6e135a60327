"""The CEL file, to which Asterisk appends events, read line by line across rotations.

Asterisk opens the file for each record, so after a rename the next record goes into a new file. The renamed file is read to
its end and is kept until each call that began in it has ended.
"""

import hashlib
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import structlog

from store.records import CelPosition

log = structlog.get_logger()

CHUNK = 64 << 10         # bytes read at once: some 180 events, 10 ms of work
LINE_LIMIT = 1 << 20     # bytes; a longer line is passed on in pieces, none of which is an event
SETTLE_S = 2.0           # a record that Asterisk was writing during the rename has arrived by then


class Place(NamedTuple):
    """A byte in the sequence of files; later files have a higher generation."""

    generation: int
    offset: int


@dataclass(slots=True)
class _Opened:
    """One file, open, with the offset of the first byte not handed out yet."""

    path: Path
    descriptor: int
    generation: int
    offset: int = 0
    replaced_at: float | None = None  # when another file was first seen at the path, on the monotonic clock
    is_cut: bool = False              # it was truncated: the data before `offset` is lost

    @property
    def identity(self) -> str:
        """A digest of the first line. An inode number alone can belong to another file after this one is deleted."""
        return hashlib.sha256(os.pread(self.descriptor, 256, 0).partition(b"\n")[0]).hexdigest()[:32]

    @property
    def inode(self) -> int:
        return os.fstat(self.descriptor).st_ino


class CelFile:
    """Call `resume` once, then `read` for ever."""

    def __init__(self, path: Path, rotate_at: int = 64 << 20, clock: Callable[[], float] = time.monotonic) -> None:
        self.path, self.rotated = path, path.with_name(path.name + ".1")
        self._rotate_at, self._clock = rotate_at, clock
        self._files: list[_Opened] = []
        self._generation = 0
        self.cuts = 0            # how often lines may have been lost: the file was truncated, or is not the one read before

    def resume(self, position: CelPosition | None) -> None:
        """Go to the position, or to the oldest event on disk if the position's file no longer exists."""
        self.close()
        self._open_all()
        if position is None:
            return
        for index, file in enumerate(self._files):
            if file.identity == position.file and position.offset <= os.fstat(file.descriptor).st_size:
                file.offset = position.offset
                for passed in self._files[:index]:
                    os.close(passed.descriptor)
                self._files = self._files[index:]
                self.forget_before(Place(file.generation, file.offset))
                return
        self.cuts += 1
        if self._files:
            log.warning("cel_file_is_another", file=str(self.path), read_from="its start")

    def read(self) -> list[tuple[Place, bytes]]:
        """The next whole lines, each with the place where it begins; [] when there is nothing new."""
        if not self._files:
            self._open_all()
        while self._files:
            reading = next((file for file in self._files if not self._is_done(file)), self._files[-1])
            lines = self._read(reading)
            if lines or reading is self._files[-1]:
                if not lines:
                    self._look_for_successor(reading)
                return lines
            if not self._is_done(reading):
                return []
        return []

    @property
    def place(self) -> Place:
        """The place after the last line that `read` returned."""
        read = [file for file in self._files if file.offset]
        return Place(read[-1].generation, read[-1].offset) if read else Place(0, 0)

    @property
    def is_at_end(self) -> bool:
        """True if all rotated files are complete and read: `read` then has nothing new because nothing was written."""
        return all(self._is_done(file) for file in self._files[:-1])

    def position(self, place: Place) -> CelPosition | None:
        """The position to store in the database for a place; None before the first event."""
        for file in self._files:
            if file.generation == place.generation and not file.is_cut:
                return CelPosition(file.identity, place.offset)
        return None

    def holds(self, place: Place) -> bool:
        """True if the file of a place can be read again."""
        return any(file.generation == place.generation and not file.is_cut for file in self._files)

    def forget_before(self, place: Place) -> None:
        """Delete the rotated file once everything before `place` is in the database."""
        for file in [file for file in self._files if file.generation < place.generation]:
            os.close(file.descriptor)
            self._files.remove(file)
        kept = {file.inode for file in self._files}
        with suppress(FileNotFoundError):
            if self._files and os.stat(self.rotated).st_ino not in kept:
                self.rotated.unlink()
                log.info("cel_file_deleted", file=str(self.rotated))

    def close(self) -> None:
        for file in self._files:
            os.close(file.descriptor)
        self._files = []

    def _open_all(self) -> None:
        for path in (self.rotated, self.path):
            self._open(path)

    def _open(self, path: Path) -> None:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return
        self._generation += 1
        self._files.append(_Opened(path, descriptor, self._generation))

    def _has_space(self) -> bool:
        """True if the disk has space for another file of this size; without it this file and its reserved space stay in use."""
        system = os.statvfs(self.path.parent)
        return system.f_bavail * system.f_frsize >= self._rotate_at

    def _is_done(self, file: _Opened) -> bool:
        """True if the file was replaced at least SETTLE_S ago and is read to its end."""
        return file.is_cut or (self._is_settled(file) and os.fstat(file.descriptor).st_size <= file.offset)

    def _is_settled(self, file: _Opened) -> bool:
        """True if Asterisk no longer writes to the file. A last line without a line feed is then incomplete for good."""
        return file is not self._files[-1] and (
            file.replaced_at is None or self._clock() - file.replaced_at >= SETTLE_S)

    def _read(self, file: _Opened) -> list[tuple[Place, bytes]]:
        start = file.offset
        data = os.pread(file.descriptor, CHUNK, start)
        end = data.rfind(b"\n") + 1
        if not end and len(data) == CHUNK:  # a very long line
            data = os.pread(file.descriptor, LINE_LIMIT, start)
            end = data.rfind(b"\n") + 1 or (len(data) if len(data) == LINE_LIMIT else 0)
        if not end and self._is_settled(file):
            end = len(data)
        lines = []
        for line in data[:end].removesuffix(b"\n").split(b"\n") if end else ():
            lines.append((Place(file.generation, file.offset), line))
            file.offset += len(line) + 1
        file.offset = min(file.offset, start + end)
        return lines

    def _look_for_successor(self, newest: _Opened) -> None:
        """At the end of the newest file: check if it was truncated or replaced at its path, or is due for rotation."""
        status = os.fstat(newest.descriptor)
        if status.st_size < newest.offset:
            log.warning("cel_file_cut_short", file=str(self.path), bytes=newest.offset - status.st_size)
            newest.is_cut = True
            self.cuts += 1
            self._open(self.path)
            return
        try:
            replaced = os.stat(self.path).st_ino != status.st_ino
        except FileNotFoundError:
            return
        if replaced:
            if newest.replaced_at is None:
                newest.replaced_at = self._clock()
            self._open(self.path)
        elif status.st_size >= self._rotate_at and not self.rotated.exists() and self._has_space():
            try:
                self.path.rename(self.rotated)
                log.info("cel_file_rotated", file=str(self.path), bytes=status.st_size)
            except OSError as error:
                self._rotate_at *= 2
                log.warning("cel_file_not_rotated", file=str(self.path), problem=str(error))

