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
    """Makes `files` the current revision. Raises AsteriskRefused, with the revision before current again."""
    files = {**files, **_marker(files)}
    with _locked(home):
        before = read_current(home)
        changed = changed_paths(before, files)
        if not changed:
            return Published(_current_name(home), (), () if asterisk else None)
        previous = _current_name(home)
        name = _write_revision(home, files)
        _point_to(home, name)
        if asterisk is None:
            _record(home, name)
            return Published(name, changed, None)
        try:
            await _reload(asterisk, before, files, changed)
        except AsteriskRefused:
            if previous:
                _point_to(home, previous)
                await _reload(asterisk, files, before, changed)
            raise
        _record(home, name)
        return Published(name, changed, _folders(changed))


async def rollback(home: Path, asterisk: Asterisk | None) -> Published:
    """Makes the revision before the current one current. Raises LookupError when there is none."""
    history = _history(home)
    if len(history) < 2:
        raise LookupError("there is no earlier revision to go back to")
    with _locked(home):
        current, earlier = history[-1], history[-2]
        before, after = read_current(home), _read_files(home / "published" / "revisions" / earlier)
        changed = changed_paths(before, after)
        _point_to(home, earlier)
        if asterisk:
            try:
                await _reload(asterisk, before, after, changed)
            except AsteriskRefused:
                _point_to(home, current)
                await _reload(asterisk, after, before, changed)
                raise
        (home / "published" / "history").write_text("".join(f"{name}\n" for name in history[:-1]))
        return Published(earlier, changed, _folders(changed) if asterisk else None)


def _marker(files: Files) -> Files:
    """A context whose one extension names what was rendered: Asterisk is asked for it after a reload."""
    digest = hashlib.sha256("\0".join(f"{path}\0{files[path]}" for path in sorted(files)).encode()).hexdigest()[:24]
    return {"extensions/00-revision.conf": f"[centralka-revision]\nexten => {digest},1,NoOp()\n"}


def _marker_digest(files: Mapping[str, str]) -> str:
    return files["extensions/00-revision.conf"].split("exten => ")[1].split(",")[0]


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


def _point_to(home: Path, name: str) -> None:
    link = home / "published" / ".current"
    link.unlink(missing_ok=True)
    link.symlink_to(f"revisions/{name}")
    os.replace(link, home / "published" / "current")


def _current_name(home: Path) -> str:
    link = home / "published" / "current"
    return link.readlink().name if link.is_symlink() else ""


def _history(home: Path) -> list[str]:
    file = home / "published" / "history"
    return file.read_text().split() if file.exists() else []


def _record(home: Path, name: str) -> None:
    """Adds to the history and drops the revisions that are too old to go back to."""
    history = [*_history(home), name][-KEPT_REVISIONS:]
    (home / "published" / "history").write_text("".join(f"{line}\n" for line in history))
    for path in (home / "published" / "revisions").iterdir():
        if path.name not in history:
            shutil.rmtree(path)


def _folders(changed: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(folder for folder in RELOADS if any(path.startswith(f"{folder}/") for path in changed))


async def _reload(
    asterisk: Asterisk, before: Mapping[str, str], after: Mapping[str, str], changed: tuple[str, ...],
) -> None:
    """Has Asterisk read what changed, and asks what it took. Raises AsteriskRefused."""
    for folder in _folders(changed):
        for command in RELOADS[folder]:
            await asterisk.command(command)
    wrong = ""
    for _ in range(VERIFY_TRIES):
        wrong = await _what_is_wrong(asterisk, before, after, changed)
        if not wrong:
            return
        await asyncio.sleep(VERIFY_PAUSE_S)
    raise AsteriskRefused(wrong)


async def _what_is_wrong(
    asterisk: Asterisk, before: Mapping[str, str], after: Mapping[str, str], changed: tuple[str, ...],
) -> str:
    """What Asterisk has not taken yet, '' when it has everything."""
    if f"'{_marker_digest(after)}'" not in await asterisk.command("dialplan show centralka-revision"):
        return "Asterisk did not take the new dialplan; its log says why"
    if "pjsip" in _folders(changed):
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
def _locked(home: Path) -> Iterator[None]:
    """One publish at a time. Raises BlockingIOError when another one runs."""
    with open(home / "published" / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BlockingIOError(f"another apply or rollback is running in {home}") from None
        yield
