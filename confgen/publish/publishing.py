"""Publishing: a revision is a directory, the current one is a link, and Asterisk is asked afterwards whether it took it."""

import fcntl
import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from confgen.publish.asterisk_reload import (
    DIGITS,
    Asterisk,
    AsteriskRefused,
    Reading,
    is_read_by_asterisk,
    marker_files,
    marker_of,
)
from confgen.publish.disk_space import space_named
from confgen.publish.old_sounds import delete_old_sounds
from confgen.publish.revision import Revision, current, current_name, discard, history, point_to, record, write_revision
from confgen.publish.sip_database import make_database, write_all_objects, write_mailboxes
from confgen.render.sip_objects import IN_FILES, files_by_kind, objects_in
from confgen.render.tenant_files import Files
from routing.numbering.endpoint import PLATFORM

ADDED = (*marker_files("0"), *(f"sip/{kind}.conf" for kind in IN_FILES))


@dataclass(frozen=True, slots=True)
class Published:
    """The result of a publish. `reloaded`: the folders that Asterisk reloaded; None: no Asterisk was running."""

    revision: str
    changed: tuple[str, ...]             # paths of the files that differ from the revision before
    reloaded: tuple[str, ...] | None
    complaint: str = ""                  # what did not go well after Asterisk had taken everything

    @property
    def tenants(self) -> tuple[str, ...]:
        """The tenants with changed files."""
        return tuple(sorted({slug_of(path) for path in self.changed if not _is_added(path)} - {PLATFORM}))


def read_current(home: Path) -> Files:
    """The files of the current revision; none before the first publish."""
    return dict(current(home))


def rendered_part(files: Mapping[str, str], kept: Collection[str] = ()) -> Files:
    """A revision's files without those that publishing adds, and those of the tenants in `kept`."""
    return {path: files[path] for path in files if not _is_added(path) and slug_of(path) not in kept}


def published_slugs(home: Path) -> set[str]:
    """The tenants of the current revision."""
    return {file.stem for file in (home / "published" / "current" / "tenants").glob("*.json")}


async def publish(
    home: Path, files: Files, asterisk: Asterisk | None, kept: Collection[str] = (), earlier: Sequence[str] | None = None,
) -> Published:
    """Makes current a revision of `files`, and of those that the tenants in `kept` have in the current one. `earlier`: the
    revisions that can be gone back to afterwards; None for all until now. Raises AsteriskRefused, with the revision before
    current again. To be called inside `locked(home)`."""
    before = current(home)
    written = {path: text for path, text in files.items() if path not in before or before[path] != text}
    gone = {path for path in before if path not in files and not _is_added(path) and slug_of(path) not in kept}
    written |= _trunk_files(before, written, gone)
    own = _digest({path.name: path.read_text() for path in (home / "asterisk").glob("*.conf")})
    digest = _digest({**written, **dict.fromkeys(gone, ""), "before": before.name, "own": own})
    if any(map(is_read_by_asterisk, (*written, *gone))) or not marker_of(before).startswith(own):
        written |= marker_files(own + digest)
    after = write_revision(home, before, written, gone, digest) if written or gone else before
    try:
        folders, complaint = await _switch(home, before, after, asterisk)
    except BaseException:
        if after is not before and after.name != current_name(home):
            discard(home, after.name)
        raise
    names = [*(history(home) if earlier is None else earlier)]
    if names[-1:] != [after.name]:
        names.append(after.name)
    if names != history(home):
        record(home, names)
    try:
        delete_old_sounds(home, datetime.now(UTC))
    except (OSError, ValueError) as error:
        complaint = "; ".join(filter(None, (complaint, str(error))))
    return Published(after.name, tuple(sorted((*written, *gone))), folders, complaint)


def _trunk_files(before: Revision, written: Files, gone: Collection[str]) -> Files:
    """Each `sip/<kind>.conf`, of all tenants, that differs from the one of the revision before."""
    paths = {path for path in (*written, *gone) if path.startswith("pjsip/")}
    old, new = (objects_in({path: files[path] for path in paths if path in files}, IN_FILES) for files in (before, written))
    if not paths or (old == new and before.keys() >= {f"sip/{kind}.conf" for kind in IN_FILES}):
        return {}
    kept = {path: before[path] for path in before if path.startswith("pjsip/") and path not in gone}
    made = files_by_kind({**kept, **written})
    return {path: text for path, text in made.items() if path not in before or before[path] != text}


def earlier_revisions(home: Path) -> list[str]:
    """The revisions to which a rollback is possible, the newest last."""
    names = history(home)
    return names[:-1] if names[-1:] == [current_name(home)] else names


async def _switch(
    home: Path, before: Revision, after: Revision, asterisk: Asterisk | None,
) -> tuple[tuple[str, ...] | None, str]:
    """Points Asterisk at a revision, has it read what it has not got, and lets live calls be decided by it once Asterisk has
    it. Undone when Asterisk refuses. Returns the folders that were read again, None where no Asterisk runs, and what did not
    go well afterwards."""
    unread = home / "published" / ".unread"          # present from before a switch until Asterisk has all of a revision
    was_completed = not unread.exists()
    unread.touch()
    point_to(home, "current", after.name)
    if asterisk is None:
        make_database(home, after)
        write_mailboxes(home, after)
        write_all_objects(home, after)
        unread.unlink()
        point_to(home, "decided", after.name)
        return None, ""
    reading = Reading(home, asterisk, before, after, was_completed=was_completed)
    try:
        await reading.taken()
    except BaseException as refusal:
        try:
            await reading.ended()
        finally:
            await _undo(home, before, after, asterisk, refusal, was_completed=was_completed)
            unread.unlink()
        raise
    unread.unlink()
    point_to(home, "decided", after.name)
    return reading.folders, await reading.ended()


async def _undo(
    home: Path, before: Revision, after: Revision, asterisk: Asterisk, refusal: BaseException, *, was_completed: bool,
) -> None:
    """Makes the previous revision current again. A second refusal is reported with the first one, never instead of it."""
    if not before.name:
        (home / "published" / "current").unlink()
        return
    point_to(home, "current", before.name)
    reading = Reading(home, asterisk, after, before, was_completed=was_completed)
    try:
        await reading.taken()
    except AsteriskRefused as second:
        raise AsteriskRefused(f"{refusal}; and it refused to go back to revision {before.name}: {second}") from None
    finally:
        await reading.ended()


def slug_of(path: str) -> str:
    """The tenant to which a file of a revision belongs."""
    return path.rpartition("/")[2].partition(".")[0]


def _is_added(path: str) -> bool:
    """True for one of the files that publishing adds to the rendered ones."""
    return path in ADDED


def _digest(texts: Files) -> str:
    return hashlib.sha256("\0".join(f"{name}\0{texts[name]}" for name in sorted(texts)).encode()).hexdigest()[:DIGITS]


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """One change of the instance's secrets and revisions at a time. Raises BlockingIOError when another one runs. An error in
    the block names the disk where that is almost full."""
    with open(home / "published" / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BlockingIOError(f"another command is changing {home}") from None
        with space_named(home):
            yield
