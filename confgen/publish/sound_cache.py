"""A cache of spoken prompts, shared by all instances of one user on one machine: a text is synthesised once.

It is optional: where its folder cannot be used, nothing is kept and nothing fails. A file holds the SHA-256 of a sound and the
sound; one that is broken counts as missing.
"""

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

MAX_BYTES = 200_000_000       # some 4,000 sentences
_DIGEST_BYTES = hashlib.sha256().digest_size


def users_sound_cache() -> Path | None:
    """Its place by the XDG Base Directory Specification; None for a user without a home directory."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    try:
        return (Path(given) if given.startswith("/") else Path.home() / ".cache") / "centralka" / "sounds"
    except RuntimeError:
        return None


class SoundCache:
    """Several processes may use one folder at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, key: str) -> bytes | None:
        """The sound of that key; None where it is missing or broken."""
        file = self._file(key)
        try:
            self._own_folder()
            content = file.read_bytes()
            digest, sound = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
            if hashlib.sha256(sound).digest() != digest:
                file.unlink()
                return None
            os.utime(file)
        except OSError:
            return None
        return sound

    def keep(self, key: str, sound: bytes) -> None:
        """Writes atomically."""
        with suppress(OSError):
            self._own_folder()
            with NamedTemporaryFile(dir=self._folder, prefix=".", delete=False) as new:
                try:
                    new.write(hashlib.sha256(sound).digest() + sound)
                    new.close()
                    os.replace(new.name, self._file(key))
                except OSError:
                    os.unlink(new.name)
                    raise

    def shrink(self, max_bytes: int = MAX_BYTES) -> None:
        """Removes the sounds that were not used for longest, until the rest is no more than that. Another process may do the
        same at this moment."""
        found: list[tuple[float, int, str]] = []
        with suppress(OSError):
            for entry in os.scandir(self._folder):
                with suppress(FileNotFoundError):
                    found.append((entry.stat().st_mtime, entry.stat().st_size, entry.path))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= max_bytes:
                break
            with suppress(OSError):
                os.unlink(path)
            total -= size

    def _file(self, key: str) -> Path:
        return self._folder / hashlib.sha256(key.encode()).hexdigest()

    def _own_folder(self) -> None:
        """Makes the folder. Raises OSError unless this user alone can write in it."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = self._folder.stat()
        if found.st_uid != os.geteuid() or found.st_mode & 0o022:
            raise PermissionError(f"{self._folder} is not only this user's")
