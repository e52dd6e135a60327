"""Old sounds: those that neither the current revision nor one that a rollback can reach names. They are deleted a day later,
because a call that began with an earlier configuration may still play them.

    published/unused-sounds.json     {tenant: {"seen": digest, "unused": {file: time since which it is unused}}}
"""

import hashlib
import json
import os
import shutil
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from confgen.publish.revision import current_name, history

UNUSED_KEPT = timedelta(days=1)      # longer than a call lasts

Inodes = dict[int, str]              # of files, with a path of each


@dataclass(frozen=True, slots=True)
class UnusedSounds:
    """Those of one tenant, with the ISO 8601 times since which they are unused. `seen` is the digest of `_seen`."""

    seen: str
    unused: Mapping[str, str]


def delete_old_sounds(home: Path, now: datetime) -> int:
    """Deletes what is unused since a day and returns the number of files. To be called inside `locked(home)`. Raises OSError,
    and ValueError for tenants whose published files cannot be read: their sounds stay."""
    state = home / "published" / "unused-sounds.json"
    before, after = _load(state), dict[str, UnusedSounds]()
    published = _published_files(home)
    deleted, unreadable = 0, list[str]()
    for folder in sorted(file.path for file in os.scandir(home / "sounds") if file.is_dir()):
        slug = os.path.basename(folder)
        try:
            after[slug], number = _collected(folder, published.get(slug, {}), before.get(slug), now)
        except (ValueError, LookupError, TypeError):
            unreadable.append(slug)
            continue
        deleted += number
        if slug not in published and not os.listdir(folder):
            os.rmdir(folder)
    if after != before:
        new = state.with_suffix(".new")
        new.write_text(json.dumps({slug: asdict(each) for slug, each in after.items()}))
        new.replace(state)
    deleted += _delete_line_sounds(home / "data" / "sounds", now)
    if unreadable:
        raise ValueError(f"old sounds of {', '.join(unreadable)} are not deleted: a published file cannot be read")
    return deleted


def _collected(folder: str, files: Inodes, before: UnusedSounds | None, now: datetime) -> tuple[UnusedSounds, int]:
    """The unused sounds of a tenant that stay, and the number of those that were deleted."""
    unused = dict(before.unused) if before else {}
    if before is None or before.seen != _seen(folder, files):
        unused = {name: unused.get(name, now.isoformat()) for name in _unused(folder, files)}
    old = {name for name, since in unused.items() if now - datetime.fromisoformat(since) > UNUSED_KEPT}
    if old:
        old &= _unused(folder, files)        # whatever was noted, nothing in use is deleted
    for name in old:
        os.unlink(f"{folder}/{name}")
    return UnusedSounds(_seen(folder, files), {name: unused[name] for name in unused.keys() - old}), len(old)


def _published_files(home: Path) -> dict[str, Inodes]:
    """The files of each tenant in all revisions that are kept."""
    revisions = home / "published" / "revisions"
    folders = {os.path.realpath(revisions / name / "tenants") for name in {*history(home), current_name(home)} if name}
    found: dict[str, Inodes] = defaultdict(dict)
    for folder in folders:
        with suppress(FileNotFoundError):          # a revision without tenants
            for file in os.scandir(folder):
                found[file.name.removesuffix(".json")][file.inode()] = file.path
    return found


def _seen(folder: str, files: Inodes) -> str:
    """A digest of what the unused sounds follow from, but not of the files' contents: to read those of 1,000 tenants takes
    seconds."""
    return hashlib.sha256(f"{os.stat(folder).st_mtime_ns} {sorted(files)}".encode()).hexdigest()[:16]


def _unused(folder: str, files: Inodes) -> set[str]:
    """The files of a folder of sounds that no published file of the tenant names."""
    return set(os.listdir(folder)) - {f"{sound}.wav" for path in files.values() for sound in _sounds_in(path)}


def _sounds_in(path: str) -> list[str]:
    with open(path, encoding="utf-8") as file:
        return list(json.load(file)["sounds"].values())


def _load(state: Path) -> dict[str, UnusedSounds]:
    """Nothing where the file is missing or torn: then everything is looked at again."""
    try:
        return {slug: UnusedSounds(**each) for slug, each in json.loads(state.read_text()).items()}
    except (FileNotFoundError, ValueError, TypeError, AttributeError):
        return {}


def _delete_line_sounds(folder: Path, now: datetime) -> int:
    """Deletes the words of queues that a language's link has not named for a day."""
    deleted = 0
    for link in folder.glob("*_line"):
        if now.timestamp() - link.lstat().st_mtime > UNUSED_KEPT.total_seconds():
            for old in set(folder.glob(f"{link.name}-*")) - {link.resolve()}:
                deleted += sum(1 for _ in old.rglob("*.wav"))
                shutil.rmtree(old)
    return deleted
