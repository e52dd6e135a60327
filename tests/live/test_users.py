"""Each process runs as a user of its own that has no capability, and opens only the files that it needs."""

import subprocess
from pathlib import Path

import pytest

from confgen.publish.ownership import GROUPS
from runtime.confinement import confined, user_of
from runtime.local import LocalRuntime
from runtime.process import Process
from sipp import run
from tests.live.calling import dials
from tests.live.pbx import TRUNK, Pbx, until

pytestmark = [pytest.mark.live, pytest.mark.docker]
REDIS, ASTERISK, AGI, AMI, PROVISION = Process
SERVICES = {AGI, AMI, PROVISION}
READERS: dict[str, set[Process]] = {
    "secrets.json": set(),
    "settings.env": SERVICES,
    "ami.secret": {AMI},
    "redis.conf": {REDIS},
    "asterisk/manager.conf": {ASTERISK},
    "published/current/pjsip/acme.json": {ASTERISK},
    "published/current/voicemail/acme.json": {ASTERISK},
    "published/current/tenants/acme.json": SERVICES,
    "published/current/phones/desks.json": {PROVISION},
    "published/known.json": set(),
    "tls/key.pem": set(),
    "tls/sip-key.pem": {ASTERISK},
    "tls/web-key.pem": {PROVISION},
    "db/realtime.sqlite": {ASTERISK},
    "db/astdb.sqlite3": {ASTERISK},
    "records/centralka.sqlite": {AMI},
    "redis/.lock": {REDIS},
    "redis/appendonlydir": {REDIS},
    "log/asterisk.log": {ASTERISK, AMI},
    "log/cel-custom/cel.csv": {ASTERISK, AMI},
    "banned/addresses.conf": {ASTERISK, AMI},
    "spool": {ASTERISK},
    "heard": {ASTERISK, AGI},
    "said": {ASTERISK, AGI},
    "supervisor/programs.json": set(),
}
WRITERS: dict[str, set[Process]] = {
    **{path: set() for path in READERS},
    "db/realtime.sqlite": {ASTERISK},
    "db/astdb.sqlite3": {ASTERISK},
    "records/centralka.sqlite": {AMI},
    "redis/.lock": {REDIS},
    "redis/appendonlydir": {REDIS},
    "log/asterisk.log": {ASTERISK, AMI},
    "log/cel-custom/cel.csv": {ASTERISK, AMI},
    "banned/addresses.conf": {AMI},
    "spool": {ASTERISK},
    "heard": {ASTERISK, AGI},
    "said": {AGI},
}
MADE_BY_SUPERVISOR = {"supervisor/programs.json", "redis/.lock"}        # of the local runtime
OPEN = """
for path; do
    if test -d "$path"; then
        ls "$path" >/dev/null 2>&1 && echo "read $path"
        if touch "$path/.tried" 2>/dev/null; then rm "$path/.tried"; echo "write $path"; fi
    else
        head -c 1 "$path" >/dev/null 2>&1 && echo "read $path"
        (: >>"$path") 2>/dev/null && echo "write $path"
    fi
done; true
"""


def opened(pbx: Pbx, name: Process, paths: list[str]) -> dict[str, set[str]]:
    """The paths that a process's user opens to read and to write, tried where the process runs."""
    runtime = pbx.runtime
    if isinstance(runtime, LocalRuntime):
        home = runtime.instance.asterisk_home
        command = ("/usr/sbin/chroot", str(runtime.root), *confined(name, ("/bin/sh", "-c", OPEN, "sh")))
    else:
        home = Path("/srv/centralka")
        container = subprocess.run(
            ["docker", "ps", "--quiet", "--filter", f"label=com.docker.compose.project=centralka-{runtime.home.name}",
             "--filter", f"label=com.docker.compose.service={name}"], check=True, capture_output=True, text=True).stdout.strip()
        command = ("docker", "exec", container, "/bin/sh", "-c", OPEN, "sh")
    done = subprocess.run([*command, *(f"{home}/{path}" for path in paths)], check=True, capture_output=True, text=True)
    found: dict[str, set[str]] = {"read": set(), "write": set()}
    for line in done.stdout.splitlines():
        way, _, path = line.partition(" ")
        found[way].add(path.removeprefix(f"{home}/"))
    return found


def status_of(pid: int) -> dict[str, list[str]]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: rest.split() for name, _, rest in (line.partition(":") for line in lines)}


def test_every_process_has_a_user_of_its_own_and_no_capability(pbx: Pbx) -> None:
    seen = set()
    for name in Process:
        pid = pbx.runtime.pid_of(name)
        assert pid
        status, user = status_of(pid), user_of(name)
        assert status["Uid"] == status["Gid"] == [str(user.value)] * 4, name
        assert set(map(int, status["Groups"])) - {user} == set(GROUPS[user]), name
        assert {status[each][0] for each in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}, name
        assert status["NoNewPrivs"] == ["1"], name
        seen.add(user)
    assert len(seen) == len(Process)


async def test_every_process_opens_the_files_that_it_needs_and_no_others(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    await run(dials("48221234569", caller), local=TRUNK["acme"], server=pbx.server)
    await pbx.record(caller)             # so that Asterisk has made the file of events
    home, is_local = pbx.settings.home, isinstance(pbx.runtime, LocalRuntime)
    paths = [path for path in READERS if is_local or path not in MADE_BY_SUPERVISOR]
    for path in paths:
        await until((home / path).exists, f"{path} exists")
    found = {name: opened(pbx, name, paths) for name in Process}
    for table, way in ((READERS, "read"), (WRITERS, "write")):
        expected = {path: {str(name) for name in table[path]} for path in paths}
        assert {path: {str(name) for name in Process if path in found[name][way]} for path in paths} == expected, way


def test_nobody_else_enters_the_instance(pbx: Pbx) -> None:
    """With the group 102, which is Debian's `messagebus` on many hosts."""
    home = pbx.settings.home
    done = subprocess.run(["/bin/sh", "-c", OPEN, "sh", str(home), *(str(home / path) for path in READERS)],
                          user=65534, group=65534, extra_groups=[102], check=True, capture_output=True, text=True)
    assert done.stdout == ""
    assert home.stat().st_mode & 0o007 == 0


def test_only_the_services_connect_to_redis_and_only_asterisk_to_its_console(pbx: Pbx) -> None:
    runtime = pbx.runtime
    if not isinstance(runtime, LocalRuntime):
        pytest.skip("a container has the sockets that it needs, and no others")
    home = runtime.instance.asterisk_home
    redis = ("redis-cli", "-s", f"{home}/run/redis.sock", "ping")
    console = ("asterisk", "-C", f"{home}/asterisk/asterisk.conf", "-rx", "core show uptime")

    def those_who_may(command: tuple[str, ...], said: str) -> set[Process]:
        answers = {name: subprocess.run(["/usr/sbin/chroot", str(runtime.root), *confined(name, command)], check=False,
                                        capture_output=True, text=True).stdout for name in Process}
        return {name for name, answer in answers.items() if said in answer}

    assert those_who_may(redis, "PONG") == {REDIS, *SERVICES}
    assert those_who_may(console, "System uptime") == {ASTERISK}
