"""Publishing: a revision is a directory, the current one is a link, and Asterisk is asked afterwards whether it took it."""

import asyncio
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from confgen.render import Files, endpoints_in

KEPT_REVISIONS = 50
MARKER = "extensions/00-revision.conf"
VERIFY_TRIES = 50          # a reload answers before it has happened
VERIFY_PAUSE_S = 0.1

PJSIP_MODULES = (
    "res_pjsip.so", "res_pjsip_authenticator_digest.so", "res_pjsip_endpoint_identifier_ip.so",
    "res_pjsip_outbound_registration.so", "res_pjsip_mwi.so",
)
RELOADS: dict[str, tuple[str, ...]] = {
    "extensions": ("dialplan reload",),
    "pjsip": tuple(f"module reload {module}" for module in PJSIP_MODULES),
    "voicemail": ("voicemail reload",),
    "musiconhold": ("moh reload",),
    "queuerules": ("queue reload rules",),
    "queues": ("queue reload all",),
}
"""Which commands make Asterisk read a folder of rendered files again."""


class AsteriskRefused(Exception):
    """Asterisk did not take what was published; the revision before it is current again."""


class Asterisk(Protocol):
    """The running Asterisk."""

    async def command(self, text: str) -> str:
        """What its command line answers. Raises AsteriskRefused when the command fails or nobody answers."""


@dataclass(frozen=True, slots=True)
class Published:
    """What a publish did. `reloaded` names the folders that Asterisk read again; None: no Asterisk was running."""

    revision: str
    changed: tuple[str, ...]             # paths of the files that differ from the revision before
    reloaded: tuple[str, ...] | None


def read_current(home: Path) -> Files:
    """The files of the current revision; none before the first publish."""
    return _read_files(home / "published" / "current")


def _read_files(revision: Path) -> Files:
    return {
        str(file.relative_to(revision)): file.read_text()
        for file in sorted(revision.rglob("*")) if file.is_file()
    }


def changed_paths(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path)))


async def publish(home: Path, files: Files, asterisk: Asterisk | None) -> Published:
    """Makes `files` the current revision. Raises AsteriskRefused, with the revision before current again.
    To be called inside `locked(home)`."""
    files = {**files, **_marker(home, files)}
    before = read_current(home)
    changed = changed_paths(before, files)
    name = _write_revision(home, files) if changed else _current_name(home)
    folders = await _switch(home, name, before, files, asterisk)
    if _history(home)[-1:] != [name]:
        _record(home, [*_history(home), name])
    return Published(name, changed, folders)


async def rollback(home: Path, asterisk: Asterisk | None) -> Published:
    """Makes the revision before the current one current. Raises LookupError when there is none.
    To be called inside `locked(home)`."""
    history = _history(home)
    if len(history) < 2:
        raise LookupError("there is no earlier revision to go back to")
    before, after = read_current(home), _read_files(home / "published" / "revisions" / history[-2])
    folders = await _switch(home, history[-2], before, after, asterisk)
    _record(home, history[:-1])
    return Published(history[-2], changed_paths(before, after), folders)


async def _switch(
    home: Path, name: str, before: Files, after: Files, asterisk: Asterisk | None,
) -> tuple[str, ...] | None:
    """Points Asterisk at a revision, has it read what it has not got, and lets live calls be decided by it last.
    Undone when Asterisk refuses. Returns the folders that were read again; None: no Asterisk runs."""
    previous = _current_name(home)
    _point_to(home, "current", name)
    folders = None
    if asterisk:
        try:
            folders = await _reload(asterisk, before, after)
        except BaseException as refusal:
            await _undo(home, previous, before, after, asterisk, refusal)
            raise
    _point_to(home, "decided", name)
    return folders


async def _undo(
    home: Path, previous: str, before: Files, after: Files, asterisk: Asterisk, refusal: BaseException,
) -> None:
    """Points back. A second refusal is told with the first one, never instead of it."""
    if not previous:
        (home / "published" / "current").unlink()
        return
    _point_to(home, "current", previous)
    try:
        await _reload(asterisk, after, before)
    except AsteriskRefused as second:
        raise AsteriskRefused(f"{refusal}; and it refused to go back to revision {previous}: {second}") from None


def _marker(home: Path, files: Files) -> Files:
    """A context whose one extension names what was rendered, and the instance's own files with it, such as the step
    loop: Asterisk is asked for it after a reload."""
    own = {path.name: path.read_text() for path in (home / "asterisk").glob("*.conf")}
    everything = {**own, **files}
    digest = hashlib.sha256("\0".join(f"{path}\0{everything[path]}" for path in sorted(everything)).encode()).hexdigest()[:24]
    return {MARKER: f"[centralka-revision]\nexten => {digest},1,NoOp()\n"}


def _marker_digest(files: Mapping[str, str]) -> str:
    return files[MARKER].split("exten => ")[1].split(",")[0]


def _write_revision(home: Path, files: Files) -> str:
    """Writes a whole revision under a name that sorts by age."""
    revisions = home / "published" / "revisions"
    number = max((int(path.name.split("-")[0]) for path in revisions.glob("[0-9]*-*")), default=0) + 1
    name = f"{number:06}-{_marker_digest(files)[:12]}"
    temporary = revisions / f".{name}"
    shutil.rmtree(temporary, ignore_errors=True)
    for path, text in files.items():
        file = temporary / path
        file.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o640)
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


def _folders(changed: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(folder for folder in RELOADS if any(path.startswith(f"{folder}/") for path in changed))


async def _reload(asterisk: Asterisk, before: Files, after: Files) -> tuple[str, ...]:
    """Has Asterisk read what changed, or everything if it never got the revision before (a publish was killed, or it was
    starting), and asks what it took. Returns the folders read. Raises AsteriskRefused."""
    is_known = await _has_marker(asterisk, before)
    folders = _folders(changed_paths(before, after)) if is_known else tuple(RELOADS)
    for folder in folders:
        for command in RELOADS[folder]:
            await asterisk.command(command)
    wrong = ""
    for _ in range(VERIFY_TRIES):
        wrong = await _what_is_wrong(asterisk, before, after, folders)
        if not wrong:
            return folders
        await asyncio.sleep(VERIFY_PAUSE_S)
    raise AsteriskRefused(wrong)


async def _has_marker(asterisk: Asterisk, files: Files) -> bool:
    """Whether Asterisk runs the dialplan of this revision."""
    if MARKER not in files:
        return False
    try:
        return f"'{_marker_digest(files)}'" in await asterisk.command("dialplan show centralka-revision")
    except AsteriskRefused:
        return False          # how it says that there is no such context


async def _what_is_wrong(asterisk: Asterisk, before: Files, after: Files, folders: tuple[str, ...]) -> str:
    """What Asterisk has not taken yet, '' when it has everything."""
    if not await _has_marker(asterisk, after):
        return "Asterisk did not take the new dialplan; its log says why"
    if "pjsip" in folders:
        expected, old = endpoints_in(after), endpoints_in(before)
        listed = await asterisk.command("pjsip list endpoints")
        present = {line.split()[1].split("/")[0] for line in listed.splitlines() if line.split()[:1] == ["Endpoint:"]}
        missing, left = expected - present, (old - expected) & present
        if missing:
            return f"Asterisk did not take the endpoints {', '.join(sorted(missing)[:10])}; its log says why"
        if left:
            return f"Asterisk still has the endpoints {', '.join(sorted(left)[:10])}"
    return ""


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """One change of the instance's secrets and revisions at a time. Raises BlockingIOError when another one runs."""
    with open(home / "published" / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BlockingIOError(f"another command is changing {home}") from None
        yield
