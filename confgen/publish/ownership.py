"""Users of an instance's processes, and the owner, group and mode of each of its files.

Users and groups are numbers: neither the host nor the Debian root has names for them. Only root writes what decides the work of
a process; a process writes only its own data, and reads only the folders of its groups.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path, PurePosixPath
from typing import Final


class Id(IntEnum):
    """Numbers that no account of a host has. The first five are users, and groups with no other member."""

    ROOT = 0
    ASTERISK = 65520
    REDIS = 65521
    AGI = 65522
    AMI = 65523
    PROVISION = 65524
    INSTANCE = 65525            # may enter the instance's directory
    SERVICES = 65526            # may read settings and published tenants, and connect to Redis
    RECORDS = 65527             # Asterisk writes events and its log, the AMI service reads and rotates them


IDS: Final = tuple(number for number in Id if number is not Id.ROOT)
GROUPS: Final[Mapping[Id, tuple[Id, ...]]] = {
    Id.REDIS: (Id.INSTANCE,),
    Id.ASTERISK: (Id.INSTANCE, Id.RECORDS),
    Id.AGI: (Id.INSTANCE, Id.SERVICES),
    Id.AMI: (Id.INSTANCE, Id.SERVICES, Id.RECORDS),
    Id.PROVISION: (Id.INSTANCE, Id.SERVICES),
}
"""The groups of each user besides its own."""


@dataclass(frozen=True, slots=True)
class OwnershipRule:
    """The owner and group of a path and of all below it. `folder` and `file` are modes; setgid passes the group on."""

    owner: Id
    group: Id
    folder: int = 0o2750
    file: int = 0o640


PUBLISHED: Final = OwnershipRule(Id.ROOT, Id.INSTANCE)
PUBLISHED_FOLDERS: Final = {"tenants": OwnershipRule(Id.ROOT, Id.SERVICES), "phones": OwnershipRule(Id.ROOT, Id.PROVISION)}
OTHER_FOLDERS: Final = OwnershipRule(Id.ROOT, Id.ASTERISK)
RULES: Final[Mapping[str, OwnershipRule]] = {
    ".": OwnershipRule(Id.ROOT, Id.INSTANCE, 0o750),
    "settings.env": OwnershipRule(Id.ROOT, Id.SERVICES),
    "secrets.json": OwnershipRule(Id.ROOT, Id.ROOT, file=0o600),
    "compose.env": OwnershipRule(Id.ROOT, Id.ROOT, file=0o600),
    "ami.secret": OwnershipRule(Id.ROOT, Id.AMI),
    "redis.conf": OwnershipRule(Id.ROOT, Id.REDIS),
    "asterisk": OwnershipRule(Id.ROOT, Id.ASTERISK),
    "data": OwnershipRule(Id.ROOT, Id.ASTERISK),
    "sounds": OwnershipRule(Id.ROOT, Id.ASTERISK),
    "published": PUBLISHED,
    "published/known.json": OwnershipRule(Id.ROOT, Id.ROOT, file=0o600),
    "authorities": OwnershipRule(Id.ROOT, Id.INSTANCE),
    "tls": OwnershipRule(Id.ROOT, Id.INSTANCE, 0o710, 0o600),
    "tls/sip.pem": OwnershipRule(Id.ROOT, Id.ASTERISK),
    "tls/sip-key.pem": OwnershipRule(Id.ROOT, Id.ASTERISK),
    "tls/web.pem": OwnershipRule(Id.ROOT, Id.PROVISION),
    "tls/web-key.pem": OwnershipRule(Id.ROOT, Id.PROVISION),
    "supervisor": OwnershipRule(Id.ROOT, Id.ROOT, 0o700, 0o600),
    "spool": OwnershipRule(Id.ASTERISK, Id.ASTERISK, 0o700, 0o600),
    "db": OwnershipRule(Id.ASTERISK, Id.ASTERISK, 0o700, 0o600),
    "control": OwnershipRule(Id.ASTERISK, Id.ASTERISK, 0o700, 0o600),
    "log": OwnershipRule(Id.ASTERISK, Id.RECORDS, 0o2770, 0o660),
    "heard": OwnershipRule(Id.ASTERISK, Id.AGI, 0o2770, 0o660),
    "said": OwnershipRule(Id.AGI, Id.ASTERISK),
    "banned": OwnershipRule(Id.AMI, Id.ASTERISK),
    "records": OwnershipRule(Id.AMI, Id.AMI, 0o700, 0o600),
    "redis": OwnershipRule(Id.REDIS, Id.REDIS, 0o700, 0o600),
    "run": OwnershipRule(Id.REDIS, Id.SERVICES),
}
"""By path in the instance's directory; the longest one that a path begins with counts. Other paths stay as they are."""


def rule_of(path: PurePosixPath) -> OwnershipRule | None:
    """The rule of a path in the instance's directory."""
    match path.parts:
        case ("published", "revisions" | "folders", _, folder, *_):
            return PUBLISHED_FOLDERS.get(folder, OTHER_FOLDERS)
        case ():
            return RULES["."]
    return next((RULES[str(part)] for part in (path, *path.parents[:-1]) if str(part) in RULES), None)


def permit(home: Path) -> None:
    """Gives every file of the instance its owner and mode. What is below a process's folder is changed only if the folder still
    has another owner, which is so before the instance's first start: later, the process alone makes files there."""
    for path in _paths(home, home):
        relative = PurePosixPath(path.relative_to(home).as_posix())
        if rule := rule_of(relative):
            own(path, rule)


def _paths(home: Path, folder: Path) -> Iterator[Path]:
    """Paths whose owner is set, a folder after its contents. No symbolic link is followed or named."""
    for entry in os.scandir(folder):
        if not entry.is_dir(follow_symlinks=False):
            if entry.is_file(follow_symlinks=False):
                yield Path(entry.path)
            continue
        rule = rule_of(PurePosixPath(os.path.relpath(entry.path, home)))
        if rule and (rule.owner is Id.ROOT or entry.stat().st_uid != rule.owner):
            yield from _paths(home, Path(entry.path))
        elif rule:
            yield Path(entry.path)
    yield folder


def own(path: Path, rule: OwnershipRule) -> None:
    """One path's owner, group and mode; a file that has gone meanwhile is no error."""
    try:
        found = path.lstat()
        mode = rule.folder if stat.S_ISDIR(found.st_mode) else rule.file
        if (found.st_uid, found.st_gid) != (rule.owner, rule.group):
            os.chown(path, rule.owner, rule.group, follow_symlinks=False)
            found = path.lstat()            # chown clears setgid
        if stat.S_IMODE(found.st_mode) != mode:
            path.chmod(mode)
    except FileNotFoundError:
        return


def own_published(folder: Path) -> None:
    """Gives a new folder of a revision the group of its readers, before a file is written there. Only root can."""
    if os.geteuid() == 0:
        own(folder, PUBLISHED_FOLDERS.get(folder.name, OTHER_FOLDERS))
