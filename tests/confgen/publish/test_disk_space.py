"""An error of a command names the disk where that is almost full, and nothing where it is not."""

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from confgen.publish.disk_space import scarce_space, space_named
from confgen.publish.instance import write_instance
from confgen.publish.publishing import locked
from tests.confgen.publish.test_publishing import INSTANCE


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("only root makes a small file system")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(tmp_path)], check=True)
    try:
        write_instance(tmp_path, INSTANCE)
        subprocess.run(["dd", "if=/dev/zero", f"of={tmp_path}/fill"], check=False, stderr=subprocess.DEVNULL)
        yield tmp_path
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), sqlite3.OperationalError("database or disk is full")])
def test_error_names_the_full_disk(full: Path, error: Exception) -> None:
    with pytest.raises(OSError, match=rf"(No space left|disk is full).*: 0.0 MB are left in the file system of {full}; make space"), locked(full):
        raise error


def test_error_of_a_disk_with_space_stays_as_it_is(tmp_path: Path) -> None:
    assert scarce_space(tmp_path) == ""
    with pytest.raises(sqlite3.OperationalError, match=r"^locked$"), space_named(tmp_path):
        raise sqlite3.OperationalError("locked")
