"""Disk space reserved ahead for the CEL file, so that no event is lost between a full disk and the operator's clean-up.

Blocks are allocated beyond the end of the file (fallocate(2), FALLOC_FL_KEEP_SIZE): Asterisk's next lines use them, and no
other writer can.
"""

import ctypes
import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

RESERVE: Final = 16 << 20        # bytes: some 5,000 calls
LEAST: Final = 64 << 10
_KEEP_SIZE: Final = 1            # <linux/falloc.h>
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Space:
    """Space in the file system of the CEL file, in bytes. `problem`: the reason why less than wanted is reserved, or ''."""

    free: int
    wanted_free: int
    reserved: int
    problem: str

    @property
    def is_short(self) -> bool:
        return self.free < self.wanted_free


def reserve(file: Path, wanted: int = RESERVE) -> Space:
    """Reserves free space behind the file's end, up to `wanted` and a quarter of the file system. Does not create the file:
    Asterisk does. Raises OSError if the folder cannot be read."""
    system = os.statvfs(file.parent)
    free, total = system.f_bavail * system.f_frsize, system.f_blocks * system.f_frsize
    wanted = min(wanted, total // 4)
    reserved, problem = 0, ""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        pass
    except OSError as error:
        problem = f"{file}: {error.strerror}"
    else:
        try:
            reserved, problem = _reserve(descriptor, wanted)
        finally:
            os.close(descriptor)
    return Space(free, min(4 * RESERVE, total // 8), reserved, problem)


def _reserve(descriptor: int, wanted: int) -> tuple[int, str]:
    """The number of bytes reserved now, and the reason why there are not more."""
    size = os.fstat(descriptor).st_size
    if (has := _beyond_end(descriptor)) >= wanted // 2:
        return has, ""
    more = wanted
    while more >= LEAST:
        if not _libc.fallocate(descriptor, _KEEP_SIZE, ctypes.c_longlong(size), ctypes.c_longlong(more)):
            return _beyond_end(descriptor), ""
        if (number := ctypes.get_errno()) != errno.ENOSPC:
            return _beyond_end(descriptor), os.strerror(number)
        more //= 2
    return _beyond_end(descriptor), os.strerror(errno.ENOSPC)


def _beyond_end(descriptor: int) -> int:
    status = os.fstat(descriptor)
    return max(0, status.st_blocks * 512 - status.st_size)
