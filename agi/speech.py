"""Speech that is made during a call: what was said a moment ago is not made again, and nobody waits long for it."""

import asyncio
import hashlib
import os
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from routing.speech.phrases import Language

log = structlog.get_logger()

Make = Callable[[str, str, Language, Path], Awaitable[object]]    # the sound's name, text, language, folder

LIMIT_S: Final = 3.0
KEPT: Final = 1000              # sounds a tenant
KEPT_S: Final = 24 * 3600.0     # since one was last said: a balance or a name is not ours to keep


class Speech:
    """`make` makes a sound file, whole or not at all, and may raise OSError. The files are in `folder`, by tenant.
    One is made at a time for each tenant, so nobody's texts keep another's callers waiting."""

    def __init__(self, make: Make, folder: Path) -> None:
        self._make = make
        self._folder = folder
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def sound_of(self, tenant: str, text: str, language: Language) -> str:
        """The sound's name; '' when it could not be made in time."""
        name = hashlib.sha256(f"{language}\0{text}".encode()).hexdigest()[:32]
        folder = self._folder / tenant
        try:
            async with asyncio.timeout(LIMIT_S), self._turns[tenant]:
                if not said_again(folder / f"{name}.wav"):
                    await self._make(name, text, language, folder)
                    forget(folder, time.time())
        except (OSError, TimeoutError) as error:
            log.warning("speech_failed", tenant=tenant, problem=str(error) or f"not within {LIMIT_S} s")
            return ""
        return name


def said_again(file: Path) -> bool:
    """Whether the sound is there; then it is kept for longer."""
    try:
        os.utime(file)
    except FileNotFoundError:
        return False
    return True


def forget(folder: Path, now_s: float) -> None:
    """Removes what was not said for long, and the oldest of what is too many."""
    by_age = []
    for entry in os.scandir(folder):
        with suppress(FileNotFoundError):         # removed meanwhile
            by_age.append((entry.stat().st_mtime, entry.path))
    for i, (said_s, path) in enumerate(sorted(by_age, reverse=True)):
        if i >= KEPT or now_s - said_s > KEPT_S:
            Path(path).unlink(missing_ok=True)
