"""The Debian packages the host needs: which are missing, and their installation through apt-get."""

import os
import re
import subprocess
from pathlib import Path

from runtime.failure import RuntimeFailure
from runtime.places import PACKAGE_LISTS
from runtime.progress import run_shown, say, step

NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")
APT = ("apt-get", "-o", "DPkg::Lock::Timeout=300")


def read_list(path: Path) -> tuple[str, ...]:
    """The names in a package list: one a line, `#` begins a comment."""
    names: list[str] = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        name = line.partition("#")[0].strip()
        if not name:
            continue
        if not NAME.fullmatch(name):
            raise RuntimeFailure(f"{path}:{number}: found {name!r}, expected the name of a Debian package")
        names.append(name)
    return tuple(names)


def missing(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of `names` that are not installed."""
    try:
        answer = subprocess.run(
            ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\n", *names],
            capture_output=True, text=True, timeout=60,
        )
    except FileNotFoundError as error:
        raise RuntimeFailure(f"dpkg-query is not here, so this is not Debian; install by hand: {' '.join(names)}") from error
    installed = {line.split()[1] for line in answer.stdout.splitlines() if line.startswith("installed ")}
    return tuple(name for name in names if name not in installed)


def install(list_name: str) -> None:
    """Installs what is missing of docker/packages/<list_name>.txt."""
    install_named(read_list(PACKAGE_LISTS / f"{list_name}.txt"))


def install_named(wanted: tuple[str, ...]) -> None:
    """Installs what is missing of the Debian packages, and names it."""
    names = missing(wanted)
    if not names:
        return
    say(f"Installing Debian packages: {' '.join(names)}")
    if os.geteuid() != 0:
        raise RuntimeFailure(f"installing packages needs root; as root: apt-get install {' '.join(names)}")
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    for title, command in (
        ("apt-get update", (*APT, "update")),
        ("apt-get install", (*APT, "install", "-y", "--no-install-recommends", *names)),
    ):
        with step(title) as running:
            code, output = run_shown(running, command, env=env)
            if code != 0:
                raise RuntimeFailure(f"{' '.join(command)} ended with {code}:\n{output[-3000:]}")
