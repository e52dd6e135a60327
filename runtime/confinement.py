"""The confinement of a process: a user of its own, no capability, and no way to gain one."""

import shlex
import stat
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from confgen.publish.ownership import GROUPS, Id
from runtime.failure import RuntimeFailure
from runtime.places import REPOSITORY
from runtime.process import Process

# The interpreter, its packages, and our code.
PYTHON: Final = (Path(sys.base_prefix), Path(sys.base_prefix).resolve(), Path(sys.prefix), REPOSITORY)


def user_of(name: Process) -> Id:
    return Id[name.name]


def confined(name: Process, command: Sequence[str]) -> tuple[str, ...]:
    """A command that root runs, as the process's user."""
    user = user_of(name)
    groups = ",".join(str(group.value) for group in GROUPS[user])
    return (
        "/usr/bin/setpriv", f"--reuid={user.value}", f"--regid={user.value}", f"--groups={groups}",
        "--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all", "--no-new-privs", *command)


def with_reachable(needed: Iterable[Path], command: Sequence[str], scratch: Path) -> tuple[str, ...]:
    """The command, with the `needed` paths where every user can enter. Where they are below a closed directory, such as /root,
    the command has a mount namespace of its own, in which that directory holds nothing but the way to them. `scratch` is an
    existing directory. Later mounts of the host are seen there only where the host shares its mounts."""
    if not (closed := closed_above({*needed})):
        return tuple(command)
    lines = ["set -e", "mask=$(umask)", "umask 022"]
    for top, paths in closed.items():
        lines.append(f"mount -t tmpfs -o mode=0755,size=1m none {shlex.quote(str(scratch))}")
        for path in paths:
            target = scratch / path.relative_to(top)
            lines.append(f"mkdir -p {shlex.quote(str(target))}")
            lines.append(f"mount --rbind {shlex.quote(str(path))} {shlex.quote(str(target))}")
        lines.append(f"mount --move {shlex.quote(str(scratch))} {shlex.quote(str(top))}")
    lines += ["umask $mask", "cd /", 'exec "$@"']
    return ("/usr/bin/unshare", "--mount", "--propagation=slave", "/bin/sh", "-c", "\n".join(lines), "sh", *command)


def closed_above(needed: Iterable[Path]) -> dict[Path, list[Path]]:
    """The paths that another user cannot reach, by the topmost directory that such a user cannot enter. Raises RuntimeFailure
    for a path that such a user could not read even then."""
    found: dict[Path, list[Path]] = {}
    for path in sorted(needed):
        if not is_open_to_others(path):
            raise RuntimeFailure(f"{path} is closed to the services' users; as root: chmod -R go+rX {path}")
        top = next((above for above in reversed(path.parents) if not above.stat().st_mode & stat.S_IXOTH), None)
        if top and not any(path.is_relative_to(other) for other in found.get(top, ())):
            found.setdefault(top, []).append(path)
    return found


def is_open_to_others(path: Path) -> bool:
    return path.stat().st_mode & 0o005 == 0o005
