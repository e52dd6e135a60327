"""Publishing: a revision is a directory, the current one is a link, and Asterisk is asked afterwards whether it took it."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from confgen.reading import MARKER, Asterisk, AsteriskRefused, Reading, changed_paths, marker_digest
from confgen.realtime import write_added, write_mailboxes
from confgen.render import Files
from confgen.sip_objects import by_type

KEPT_REVISIONS = 50


@dataclass(frozen=True, slots=True)
class Published:
    """What a publish did. `reloaded` names the folders that Asterisk read again; None: no Asterisk was running."""

    revision: str
    changed: tuple[str, ...]             # paths of the files that differ from the revision before
    reloaded: tuple[str, ...] | None
    complaint: str = ""                  # what did not go well after Asterisk had taken everything


def read_current(home: Path) -> Files:
    """The files of the current revision; none before the first publish."""
    return _read_files(home / "published" / "current")


def rendered_part(files: Files) -> Files:
    """A revision's files without those that publishing adds."""
    return {path: text for path, text in files.items() if path != MARKER and not path.startswith("sip/")}


def published_slugs(home: Path) -> set[str]:
    """The tenants of the current revision."""
    return {file.stem for file in (home / "published" / "current" / "tenants").glob("*.json")}


def _read_files(revision: Path) -> Files:
    files: Files = {}
    for folder, _, names in sorted(os.walk(revision)):
        below = os.path.relpath(folder, revision)
        for name in sorted(names):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                files[name if below == "." else f"{below}/{name}"] = file.read()
    return files


async def publish(home: Path, files: Files, asterisk: Asterisk | None) -> Published:
    """Makes `files` the current revision. Raises AsteriskRefused, with the revision before current again.
    To be called inside `locked(home)`."""
    before = read_current(home)
    files = {**files, **_by_type(before, files)}
    files |= _marker(home, files)
    changed = changed_paths(before, files)
    name = _write_revision(home, before, files) if changed else _current_name(home)
    folders, complaint = await _switch(home, name, before, files, asterisk)
    if _history(home)[-1:] != [name]:
        _record(home, [*_history(home), name])
    return Published(name, changed, folders, complaint)


async def rollback(home: Path, asterisk: Asterisk | None) -> Published:
    """Makes the revision before the current one current. Raises LookupError when there is none.
    To be called inside `locked(home)`."""
    history = _history(home)
    if len(history) < 2:
        raise LookupError("there is no earlier revision to go back to")
    before, after = read_current(home), _read_files(home / "published" / "revisions" / history[-2])
    folders, complaint = await _switch(home, history[-2], before, after, asterisk)
    _record(home, history[:-1])
    return Published(history[-2], changed_paths(before, after), folders, complaint)


async def _switch(
    home: Path, name: str, before: Files, after: Files, asterisk: Asterisk | None,
) -> tuple[tuple[str, ...] | None, str]:
    """Points Asterisk at a revision, has it read what it has not got, and lets live calls be decided by it once Asterisk has
    it. Undone when Asterisk refuses. Returns the folders that were read again, None where no Asterisk runs, and what did not
    go well afterwards."""
    previous = _current_name(home)
    _point_to(home, "current", name)
    if asterisk is None:
        write_mailboxes(home, after)
        write_added(home, ())          # it will read the files
        _point_to(home, "decided", name)
        return None, ""
    reading = Reading(home, asterisk, before, after)
    try:
        await reading.taken()
    except BaseException as refusal:
        try:
            await reading.ended()
        finally:
            await _undo(home, previous, before, after, asterisk, refusal)
        raise
    _point_to(home, "decided", name)
    return reading.folders, await reading.ended()


async def _undo(
    home: Path, previous: str, before: Files, after: Files, asterisk: Asterisk, refusal: BaseException,
) -> None:
    """Points back. A second refusal is told with the first one, never instead of it."""
    if not previous:
        (home / "published" / "current").unlink()
        return
    _point_to(home, "current", previous)
    reading = Reading(home, asterisk, after, before)
    try:
        await reading.taken()
    except AsteriskRefused as second:
        raise AsteriskRefused(f"{refusal}; and it refused to go back to revision {previous}: {second}") from None
    finally:
        await reading.ended()


def _by_type(before: Files, files: Files) -> Files:
    """The SIP objects by their types; as they were where no tenant's have changed."""
    old, new = ({path: text for path, text in each.items() if path.startswith("pjsip/")} for each in (before, files))
    made = {path: text for path, text in before.items() if path.startswith("sip/")}
    return made if made and old == new else by_type(files)


def _marker(home: Path, files: Files) -> Files:
    """A context whose one extension names what was rendered, and the instance's own files with it, such as the step
    loop: Asterisk is asked for it after a reload."""
    own = {path.name: path.read_text() for path in (home / "asterisk").glob("*.conf")}
    everything = {**own, **rendered_part(files)}
    digest = hashlib.sha256("\0".join(f"{path}\0{everything[path]}" for path in sorted(everything)).encode()).hexdigest()[:24]
    return {MARKER: f"[centralka-revision]\nexten => {digest},1,NoOp()\n"}


def _write_revision(home: Path, before: Files, files: Files) -> str:
    """Writes a whole revision under a name that sorts by age. Files that are as they were are links to those."""
    current = home / "published" / "current"
    revisions = home / "published" / "revisions"
    number = max((int(path.name.split("-")[0]) for path in revisions.glob("[0-9]*-*")), default=0) + 1
    name = f"{number:06}-{marker_digest(files)[:12]}"
    temporary = revisions / f".{name}"
    shutil.rmtree(temporary, ignore_errors=True)
    for folder in {path.rpartition("/")[0] for path in files}:
        (temporary / folder).mkdir(mode=0o750, parents=True, exist_ok=True)
    for path, text in files.items():
        if before.get(path) == text:
            os.link(f"{current}/{path}", f"{temporary}/{path}")
        else:
            (temporary / path).write_text(text)
            (temporary / path).chmod(0o640)
    temporary.rename(revisions / name)
    return name


def _point_to(home: Path, link: str, name: str) -> None:
    """`current` is what Asterisk reads, `decided` what the decision service does; each changes at once or not at all."""
    new = home / "published" / f".{link}"
    new.unlink(missing_ok=True)
    new.symlink_to(f"revisions/{name}")
    os.replace(new, home / "published" / link)


def _current_name(home: Path) -> str:
    link = home / "published" / "current"
    return link.readlink().name if link.is_symlink() else ""


def _history(home: Path) -> list[str]:
    file = home / "published" / "history"
    return file.read_text().split() if file.exists() else []


def _record(home: Path, names: list[str]) -> None:
    """Writes the history and drops the revisions that are not in it, or too old to go back to."""
    kept = names[-KEPT_REVISIONS:]
    (home / "published" / "history").write_text("".join(f"{name}\n" for name in kept))
    for path in (home / "published" / "revisions").iterdir():
        if path.name not in kept:
            shutil.rmtree(path)


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """One change of the instance's secrets and revisions at a time. Raises BlockingIOError when another one runs."""
    with open(home / "published" / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BlockingIOError(f"another command is changing {home}") from None
        yield
