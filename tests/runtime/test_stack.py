"""The four processes together, in the local root or in containers (CENTRALKA_TEST_RUNTIME)."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import redis

from centralka.settings import Settings
from runtime.choose import open_runtime
from runtime.identity import killed
from runtime.places import ROOT, TENANTS
from runtime.process import Process, Runtime
from runtime.supervisor import STANDBY, SUPERVISOR, Files
from runtime.up import TEST_RUNTIME
from runtime.waiting import gone

ADDRESS = "127.77.252.1"
LIMIT_S = 60
KIND = os.environ.get(TEST_RUNTIME, "local")

pytestmark = [
    pytest.mark.live,
    pytest.mark.docker,
    pytest.mark.skipif(not (ROOT / "etc" / "passwd").exists(), reason="needs the Debian root: `make up` builds it"),
]


def until(question: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not question():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    runtime = open_runtime(KIND, "stacktests")
    runtime.remove()
    runtime.prepare({f"CENTRALKA_{what}_ADDRESS": ADDRESS for what in ("SIP", "AGI", "AMI", "PROVISION")})
    runtime.apply(TENANTS)
    runtime.start()
    yield runtime
    runtime.remove()
    assert not runtime.is_running()
    assert not runtime.home.exists()


def test_all_processes_run_and_asterisk_has_the_tenants(runtime: Runtime) -> None:
    assert all(runtime.pid_of(name) for name in Process)
    assert "acme-201-desk" in runtime.asterisk_cli("pjsip list endpoints")


def test_nothing_listens_beyond_loopback(runtime: Runtime) -> None:
    beyond = [
        (table, local) for table in ("tcp", "tcp6", "udp", "udp6") for local in listening(runtime, table)
        if table.endswith("6") or not local.partition(":")[0].endswith("7F")
    ]
    assert [table for table, _ in beyond if table.startswith("tcp")] == []
    # PJSIP asks the name servers from a socket of its own for each family: no service, and no fixed port.
    assert [table for table, _ in beyond] in ([], ["udp"], ["udp", "udp6"])
    first, last = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    assert all(first <= int(local.partition(":")[2], 16) <= last for _, local in beyond)


def listening(runtime: Runtime, table: str) -> list[str]:
    """The local addresses (hexadecimal) at which the instance's processes take connections or datagrams from anybody."""
    sockets = {
        os.readlink(entry.path) for name in Process for entry in os.scandir(f"/proc/{runtime.pid_of(name)}/fd")
        if os.path.islink(entry.path)
    }
    state = "0A" if table.startswith("tcp") else "07"
    rows = [line.split() for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
    return [row[1] for row in rows if row[3] == state and f"socket:[{row[9]}]" in sockets]


def test_starting_again_leaves_every_process_as_it_is(runtime: Runtime) -> None:
    before = [runtime.pid_of(name) for name in Process]
    runtime.start()
    assert [runtime.pid_of(name) for name in Process] == before


@pytest.mark.parametrize("name", [Process.REDIS, Process.AGI, Process.AMI])
def test_a_process_killed_comes_back_by_itself(runtime: Runtime, name: Process) -> None:
    before = runtime.pid_of(name)
    assert before
    os.kill(before, signal.SIGKILL)
    until(lambda: runtime.pid_of(name) not in (None, before))
    runtime.wait_ready(name)


@pytest.mark.parametrize("kill", [False, True])
def test_a_process_that_was_stopped_stays_down_until_it_is_started(runtime: Runtime, kill: bool) -> None:
    runtime.stop_process(Process.AGI, kill=kill)
    time.sleep(1.5)
    assert runtime.pid_of(Process.AGI) is None
    runtime.start_process(Process.AGI)
    assert runtime.pid_of(Process.AGI)


def test_live_state_survives_a_restart_of_redis(runtime: Runtime) -> None:
    url = Settings.load(runtime.home).redis_url
    with redis.Redis.from_url(url) as client:
        client.set("test:kept", "yes")
        client.waitaof(1, 0, 5000)
    runtime.stop_process(Process.REDIS)
    runtime.start_process(Process.REDIS)
    with redis.Redis.from_url(url) as client:
        assert client.get("test:kept") == b"yes"


@pytest.mark.skipif(KIND != "local", reason="Docker's own supervisor is dockerd")
def test_start_without_a_supervisor_adopts_what_runs(runtime: Runtime) -> None:
    files = Files(runtime.home / "supervisor")
    before = [runtime.pid_of(name) for name in Process]
    with files.changing(LIMIT_S):
        for name in (SUPERVISOR, STANDBY):
            running = files.running(name)
            assert running
            assert killed(running, LIMIT_S)
    assert runtime.is_running()
    runtime.start()
    assert [runtime.pid_of(name) for name in Process] == before
    killed_pid = runtime.pid_of(Process.AGI)
    assert killed_pid
    os.kill(killed_pid, signal.SIGKILL)
    until(lambda: runtime.pid_of(Process.AGI) not in (None, killed_pid))
    runtime.wait_ready(Process.AGI)


@pytest.mark.skipif(KIND != "local", reason="Docker's own supervisor is dockerd")
def test_nothing_outlives_an_instance_whose_supervisors_are_dead(runtime: Runtime) -> None:
    files = Files(runtime.home / "supervisor")
    ran = [runtime.pid_of(name) for name in Process]
    with files.changing(LIMIT_S):
        for name in (SUPERVISOR, STANDBY):
            running = files.running(name)
            assert running
            assert killed(running, LIMIT_S)
    runtime.stop()
    assert all(pid and gone(pid, LIMIT_S) for pid in ran)
    runtime.start()


@pytest.mark.skipif(KIND != "local", reason="in containers each Redis is alone in its container")
def test_second_redis_never_writes_to_the_same_append_only_file(runtime: Runtime) -> None:
    first, command = runtime.pid_of(Process.REDIS), programs_of(runtime)[Process.REDIS]
    assert subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT_S).returncode == 1
    assert redis_servers_of(runtime.home) == [first]


def programs_of(runtime: Runtime) -> dict[str, list[str]]:
    programs: dict[str, list[str]] = json.loads(Files(runtime.home / "supervisor").programs.read_text())
    return programs


def redis_servers_of(home: Path) -> list[int]:
    """The processes that have a file of the instance's append-only directory open."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if any((entry.readlink()).is_relative_to(home / "redis" / "appendonlydir") for entry in (process / "fd").iterdir()):
                found.append(int(process.name))
    return found


def test_a_start_after_everything_was_killed_needs_no_tidying_up(runtime: Runtime) -> None:
    for name in Process:
        runtime.stop_process(name, kill=True)
    runtime.start()
    assert all(runtime.pid_of(name) for name in Process)
