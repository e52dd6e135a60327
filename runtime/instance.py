"""The directory of one running Centralka: its settings, and the owners and modes of its files."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from runtime.failure import RuntimeFailure
from runtime.places import REPOSITORY
from runtime.root import Owner

READ = ("asterisk", "published", "sounds", "data", "tls")       # Asterisk and the services read these
WRITTEN = ("spool", "banned", "log", "run", "db", "redis", "said", "heard")    # Asterisk, Redis and the services write
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
    """`home` as the host sees it, `asterisk_home` as the processes see it; `owner` is the user they run as."""

    home: Path
    asterisk_home: PurePosixPath
    owner: Owner

    def __post_init__(self) -> None:
        if len(os.fsencode(self.home / "run" / "redis.sock")) > SOCKET_LIMIT:
            raise RuntimeFailure(f"{self.home} is too long a path: Unix sockets below it may have {SOCKET_LIMIT} bytes")

    def prepare(self, settings: Mapping[str, str]) -> None:
        """Makes or completes the directory. `settings` (CENTRALKA_...) go over what settings.env says."""
        self.home.mkdir(parents=True, exist_ok=True)
        file = self.home / "settings.env"
        given = {**settings, "CENTRALKA_ASTERISK_HOME": str(self.asterisk_home)}
        file.write_text(merge_settings(file.read_text() if file.exists() else "", given))
        self.permit()
        self.centralka("init")
        (self.home / "redis" / "redis.conf").write_text(REDIS_CONF.format(home=self.asterisk_home))
        self.permit()

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
        """Gives every file its owner. Nobody but root and the instance's own user gets in; that user can add to the
        directory, where SQLite makes its journal, but not replace what root put there. Setgid keeps later files right."""
        own(self.home, 0, self.owner.gid, 0o3770)
        for name in READ:
            for path in tree(self.home / name):
                own(path, 0, self.owner.gid, 0o2750 if path.is_dir() else 0o640)
        for name in WRITTEN:
            for path in tree(self.home / name):
                own(path, self.owner.uid, self.owner.gid, None)
        for path in self.home.glob("centralka.sqlite*"):
            own(path, self.owner.uid, self.owner.gid, 0o640)
        for name, uid, mode in (("secrets.json", self.owner.uid, 0o600), ("settings.env", 0, 0o640)):
            if (self.home / name).exists():
                own(self.home / name, uid, self.owner.gid, mode)

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


def tree(top: Path) -> list[Path]:
    """A directory and all below it; no symbolic link is followed or named."""
    found = [top] if top.is_dir() else []
    for directory, folders, files in os.walk(top):
        found.extend(Path(directory) / name for name in (*folders, *files))
    return [path for path in found if path.is_dir() or path.is_file() if not path.is_symlink()]


def own(path: Path, uid: int, gid: int, mode: int | None) -> None:
    """One path's owner and mode; a file that has gone meanwhile is no error."""
    try:
        os.chown(path, uid, gid, follow_symlinks=False)
        if mode is not None:
            path.chmod(mode)            # after chown, which clears setgid
        elif path.is_dir():
            path.chmod(0o2770)
    except FileNotFoundError:
        return
