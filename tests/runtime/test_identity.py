import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runtime.identity import end, identity_of, running_in, send, write_record
from runtime.waiting import gone

OVERWRITE = """
import ctypes, time
libc = ctypes.CDLL(None)
fields = open("/proc/self/stat").read().rpartition(")")[2].split()
begin, end = int(fields[45]), int(fields[48])      # of the arguments, and of the environment after them: proc(5)
ctypes.memset(begin, 0x78, end - begin)
libc.prctl(15, b"another", 0, 0, 0)                # PR_SET_NAME
print("done", flush=True)
time.sleep(1000)
"""


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(("sleep", "1000"), start_new_session=True) as process:
        yield process
        process.kill()


def test_process_that_overwrites_its_title_and_environment_is_still_known(tmp_path: Path) -> None:
    with subprocess.Popen((sys.executable, "-c", OVERWRITE), stdout=subprocess.PIPE, start_new_session=True) as process:
        write_record(tmp_path / "record", identity_of(process.pid))
        assert process.stdout is not None
        assert process.stdout.readline() == b"done\n"
        assert b"PATH=" not in Path(f"/proc/{process.pid}/environ").read_bytes()
        known = running_in(tmp_path / "record")
        assert known is not None
        assert known.pid == process.pid
        assert end([known], 10) == []


def test_process_id_that_belongs_to_another_process_now_is_not_taken_for_ours(
    tmp_path: Path, process: subprocess.Popen[bytes],
) -> None:
    identity = identity_of(process.pid)
    assert identity
    for other in (replace(identity, started=identity.started - 1), replace(identity, boot="an earlier boot")):
        write_record(tmp_path / "record", other)
        assert running_in(tmp_path / "record") is None
        send(other, signal.SIGKILL)
        end([other], 0.1)
    assert identity_of(process.pid) == identity


def test_process_that_ended_and_is_not_reaped_does_not_run(tmp_path: Path, process: subprocess.Popen[bytes]) -> None:
    write_record(tmp_path / "record", identity_of(process.pid))
    process.kill()
    assert gone(process.pid, 10)
    assert running_in(tmp_path / "record") is None


@pytest.mark.parametrize("text", ["", "12", "a b c", " " * 127 + "\n"])
def test_record_that_names_nobody_is_no_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "record").write_text(text)
    assert running_in(tmp_path / "record") is None


def test_record_is_rewritten_in_place_and_leaves_nothing_of_a_longer_one(tmp_path: Path, process: subprocess.Popen[bytes]) -> None:
    identity = identity_of(process.pid)
    assert identity
    write_record(tmp_path / "record", replace(identity, boot="b" * 60))
    before = (tmp_path / "record").stat()
    write_record(tmp_path / "record", identity)
    assert running_in(tmp_path / "record") == identity
    after = (tmp_path / "record").stat()
    assert (before.st_ino, before.st_size) == (after.st_ino, after.st_size)


def test_end_leaves_no_child_of_a_process_that_ignores_sigterm(tmp_path: Path) -> None:
    program = "trap '' TERM; sleep 1000 & echo $! > child; wait; wait"
    with subprocess.Popen(("sh", "-c", program), cwd=tmp_path, start_new_session=True) as process:
        while not (tmp_path / "child").exists() or not (tmp_path / "child").read_text():
            assert process.poll() is None
        child = int((tmp_path / "child").read_text())
        identity = identity_of(process.pid)
        assert identity
        assert end([identity], 0.2) == []
        process.wait()
    assert gone(child, 10)
    assert not os.path.exists(f"/proc/{child}") or identity_of(child) is None
