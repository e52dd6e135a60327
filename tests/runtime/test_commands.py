"""Commands that start an instance, ended by a signal."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.identity import ProcessIdentity, running_in
from runtime.local import LocalRuntime
from runtime.places import REPOSITORY, ROOT
from runtime.process import Process
from runtime.waiting import gone

LIMIT_S = 300

pytestmark = [
    pytest.mark.live, pytest.mark.skipif(not (ROOT / "etc" / "passwd").exists(), reason="needs the Debian root: `make up` builds it")]


@pytest.fixture
def bench() -> Iterator[LocalRuntime]:
    runtime = LocalRuntime("bench")
    runtime.remove()
    yield runtime
    runtime.remove()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_benchmark_that_is_ended_leaves_no_process(
    bench: LocalRuntime, tmp_path: Path, number: signal.Signals,
) -> None:
    command = (sys.executable, "-m", "bench", "--quick", "--only", "calls", "--out", str(tmp_path))
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        started: dict[str, ProcessIdentity] = {}
        deadline = time.monotonic() + LIMIT_S
        while Process.ASTERISK not in started:
            assert process.poll() is None
            assert time.monotonic() < deadline
            started = {file.stem: found for file in bench.files.directory.glob("*.process") if (found := running_in(file))}
            time.sleep(0.02)
        os.kill(process.pid, number)
        assert process.wait(LIMIT_S) == 128 + number
    assert {"supervisor", "standby", "redis", "asterisk"} <= started.keys()
    assert [name for name, each in started.items() if not gone(each.pid, 1)] == []
    assert not bench.home.exists()
