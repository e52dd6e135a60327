"""Disk space of an instance's directory: a cause that an error of a command names."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import disk_usage

ENOUGH_BYTES = 64 << 20      # or an eighth of a small file system


def scarce_space(folder: Path) -> str:
    """A sentence where little space is left in the file system of the folder, else ''."""
    usage = disk_usage(folder)
    if usage.free >= min(ENOUGH_BYTES, usage.total // 8):
        return ""
    return f"{usage.free / 1e6:.1f} MB are left in the file system of {folder}; make space"


@contextmanager
def space_named(folder: Path) -> Iterator[None]:
    """Adds to an error of the operating system or of SQLite that little space is left, where it is so."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        if scarce := scarce_space(folder):
            raise OSError(f"{error}: {scarce}") from error
        raise
