"""Revisions on disk. A revision is a directory of links to folders, and a folder holds one file for each tenant; what did not
change is not written again: folders are linked, and in a folder that changed the other files are.

    published/revisions/000012-5d2c1f0a9b3e/extensions -> ../../folders/000009-77ab.../extensions
"""

import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from confgen.publish.ownership import own_published
from confgen.render.tenant_files import Files

KEPT_REVISIONS = 50


class Revision(Mapping[str, str]):
    """The files of a revision, each read when it is asked for. `name` is empty before the first publish."""

    def __init__(self, home: Path, name: str) -> None:
        self.name = name
        self._directory = home / "published" / "revisions" / name
        self._files = {
            f"{folder.name}/{file.name}": file.inode()
            for folder in self.folders() for file in sorted(os.scandir(folder.path), key=lambda each: each.name)}

    def folders(self) -> list["os.DirEntry[str]"]:
        return sorted(os.scandir(self._directory), key=lambda each: each.name) if self.name else []

    def __getitem__(self, path: str) -> str:
        self._files[path]
        with open(f"{self._directory}/{path}", encoding="utf-8") as file:
            return file.read()

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def __contains__(self, path: object) -> bool:
        return path in self._files

    def changed(self, other: "Revision") -> tuple[str, ...]:
        """The paths that are not the same file in both."""
        mine, others = self._files, other._files
        return tuple(sorted(path for path in mine.keys() | others.keys() if mine.get(path) != others.get(path)))


def current(home: Path) -> Revision:
    return Revision(home, current_name(home))


def current_name(home: Path) -> str:
    link = home / "published" / "current"
    return link.readlink().name if link.is_symlink() else ""


def point_to(home: Path, link: str, name: str) -> None:
    """`current` is what Asterisk reads, `decided` what the decision service does; each changes at once or not at all."""
    new = home / "published" / f".{link}"
    new.unlink(missing_ok=True)
    new.symlink_to(f"revisions/{name}")
    os.replace(new, home / "published" / link)


def write_revision(home: Path, before: Revision, written: Files, gone: Collection[str], digest: str) -> Revision:
    """A revision that differs from the one before by these files, under a name that sorts by age."""
    published = home / "published"
    number = max((int(path.name.split("-")[0]) for path in (published / "revisions").glob("[0-9]*-*")), default=0) + 1
    name = f"{number:06}-{digest}"
    discard(home, name)         # left by a command that was killed
    try:
        _write(published, name, before, written, gone)
    except BaseException:
        discard(home, name)
        raise
    return Revision(home, name)


def _write(published: Path, name: str, before: Revision, written: Files, gone: Collection[str]) -> None:
    made, temporary = published / "folders" / name, published / "revisions" / f".{name}"
    for new in (made, temporary):
        new.mkdir(mode=0o750, parents=True)       # an instance made before there were such folders has none
    changed = {_folder(path) for path in (*written, *gone)}
    changed |= {folder.name for folder in before.folders() if not folder.is_symlink()}
    kept: dict[str, list[str]] = {folder: [] for folder in changed}
    for path in before:
        folder = _folder(path)
        if folder in changed and path not in written and path not in gone:
            kept[folder].append(path)
    for folder, paths in kept.items():
        (made / folder).mkdir(mode=0o750)
        own_published(made / folder)
        (temporary / folder).symlink_to(f"../../folders/{name}/{folder}")
        for path in paths:
            os.link(f"{published}/revisions/{before.name}/{path}", f"{made}/{path}")
    for unchanged in before.folders():
        if unchanged.name not in changed:
            (temporary / unchanged.name).symlink_to(os.readlink(unchanged.path))
    for path, text in written.items():
        (made / path).write_text(text)
        (made / path).chmod(0o640)
    temporary.rename(published / "revisions" / name)


def discard(home: Path, name: str) -> None:
    """Deletes a revision that has never become current, and its folders, which no other revision links to. Never fails."""
    published = home / "published"
    for made in (published / "revisions" / f".{name}", published / "revisions" / name, published / "folders" / name):
        shutil.rmtree(made, ignore_errors=True)


def history(home: Path) -> list[str]:
    """The revisions to which a rollback is possible, then the current one."""
    file = home / "published" / "history"
    return file.read_text().split() if file.exists() else []


def record(home: Path, names: list[str]) -> None:
    """Writes the history and drops the revisions that are not in it, or too old to go back to."""
    published, kept = home / "published", names[-KEPT_REVISIONS:]
    new = published / ".history"
    new.write_text("".join(f"{name}\n" for name in kept))
    new.replace(published / "history")
    dropped = [path for path in (published / "revisions").iterdir() if path.name not in kept]
    for path in dropped:
        shutil.rmtree(path)
    if dropped:
        used = {os.readlink(folder.path) for name in kept for folder in os.scandir(published / "revisions" / name)}
        for made in (published / "folders").iterdir():
            for folder in made.iterdir():
                if f"../../folders/{made.name}/{folder.name}" not in used:
                    shutil.rmtree(folder)
            if not any(made.iterdir()):
                made.rmdir()


def _folder(path: str) -> str:
    return path.partition("/")[0]
