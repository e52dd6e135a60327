"""Text-to-speech during a call, cached, with a time limit for each sound."""

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
KEPT_S: Final = 24 * 3600.0     # after a sound was last played: balances and names must not be kept longer


class Speech:
    """`make` makes a sound file, whole or not at all, and may raise OSError. The files are in `folder`, by tenant.
    Each tenant makes one at a time, so that one tenant's texts do not delay another's callers."""

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
    """True if the sound exists; it is then kept for longer."""
    try:
        os.utime(file)
    except FileNotFoundError:
        return False
    return True


def forget(folder: Path, now_s: float) -> None:
    """Removes sounds not played for KEPT_S, and the oldest beyond KEPT."""
    by_age = []
    for entry in os.scandir(folder):
        with suppress(FileNotFoundError):         # removed meanwhile
            by_age.append((entry.stat().st_mtime, entry.path))
    for i, (said_s, path) in enumerate(sorted(by_age, reverse=True)):
        if i >= KEPT or now_s - said_s > KEPT_S:
            Path(path).unlink(missing_ok=True)
