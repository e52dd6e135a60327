"""The directory of one running Centralka: its settings and its files."""

import grp
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from confgen.publish.ownership import IDS, Id, permit
from runtime.failure import RuntimeFailure
from runtime.places import REPOSITORY

SOCKET_LIMIT = 107      # bytes of a Unix socket's path: unix(7)
REDIS_CONF = """\
port 0
unixsocket {home}/run/redis.sock
unixsocketperm 770
dir {home}/redis
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
daemonize no
logfile ""
"""


@dataclass(frozen=True, slots=True)
class Instance:
    """`home` as the host sees it, `asterisk_home` as Asterisk and Redis see it."""

    home: Path
    asterisk_home: PurePosixPath

    def __post_init__(self) -> None:
        if len(os.fsencode(self.home / "run" / "redis.sock")) > SOCKET_LIMIT:
            raise RuntimeFailure(f"{self.home} is too long a path: Unix sockets below it may have {SOCKET_LIMIT} bytes")

    def prepare(self, settings: Mapping[str, str], *, is_running: bool) -> None:
        """Makes or completes the directory. `settings` (CENTRALKA_...) go over what settings.env says. Raises RuntimeFailure
        while processes of an older version run, whose users would lose their files."""
        if is_running and self._is_older():
            raise RuntimeFailure(
                f"the processes of {self.home} were started by a version that ran them as other users. `make down` ends them "
                "and their calls; `make up` then starts them as users of their own")
        require_free_ids()
        self.home.mkdir(mode=0o750, parents=True, exist_ok=True)
        self._move_older_files()
        file = self.home / "settings.env"
        given = {**settings, "CENTRALKA_ASTERISK_HOME": str(self.asterisk_home)}
        file.write_text(merge_settings(file.read_text() if file.exists() else "", given))
        (self.home / "redis.conf").write_text(REDIS_CONF.format(home=self.asterisk_home))
        self.centralka("init")

    def apply(self, tenants: Path) -> str:
        """Publishes a directory of tenants; what the command said. Raises RuntimeFailure with its words."""
        said = self.centralka("apply", str(tenants))
        self.permit()
        return said

    def centralka(self, *arguments: str) -> str:
        """Runs the `centralka` command on this instance; its output."""
        done = subprocess.run(
            [*centralka_command(self.home), *arguments], capture_output=True, text=True, timeout=600, cwd=REPOSITORY,
        )
        if done.returncode != 0:
            raise RuntimeFailure(f"centralka {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr or done.stdout}")
        return done.stdout

    def permit(self) -> None:
        """Gives every file its owner and mode."""
        permit(self.home)

    def _is_older(self) -> bool:
        """True for the directory of a version whose processes had other users."""
        return (self.home / "settings.env").exists() and not (self.home / "control").exists()

    def _move_older_files(self) -> None:
        """The call records were in `home` itself, where the AMI service can write no more."""
        for file in self.home.glob("centralka.sqlite*"):
            (self.home / "records").mkdir(mode=0o700, exist_ok=True)
            file.rename(self.home / "records" / file.name)

    def remove(self) -> None:
        """Forgets the instance. Nothing of it may be running."""
        shutil.rmtree(self.home, ignore_errors=True)


def centralka_command(home: Path) -> tuple[str, ...]:
    """The `centralka` of this Python environment, for the instance in `home`."""
    return (str(Path(sys.executable).parent / "centralka"), "--home", str(home))


def merge_settings(text: str, given: Mapping[str, str]) -> str:
    """A settings file with the `given` values, its other lines as they were."""
    kept = [line for line in text.splitlines() if line.partition("=")[0].strip() not in given]
    return "".join(f"{line}\n" for line in (*kept, *(f"{name}={value}" for name, value in given.items())))


def account_of(number: Id) -> str:
    """The name of a user or group where systemd starts the processes: runtime/systemd/sysusers.conf."""
    return f"centralka-{number.name.lower()}"


def require_free_ids() -> None:
    """Raises RuntimeFailure where another account of this host has a number of our users."""
    for number in IDS:
        for look_up, kind in ((pwd.getpwuid, "user"), (grp.getgrgid, "group")):
            try:
                name = look_up(number)[0]
            except KeyError:
                continue
            if name in map(account_of, Id):
                continue
            raise RuntimeFailure(
                f"found the {kind} {name!r} with the number {number:d}, expected none: Centralka's processes run as the users "
                f"and groups {IDS[0]:d} to {IDS[-1]:d}. Give {name!r} another number")
