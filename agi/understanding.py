"""Speech recognition of callers: in a separate process, with a time limit, a few at once; the recording is then deleted."""

import asyncio
import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Final

import structlog

from routing.call.questions import MOST_UNDERSTOOD, Understand

log = structlog.get_logger()

LIMIT_S: Final = 12.0           # a directory of 200 names takes some 2 s of one processor
AT_ONCE: Final = 2
KEPT_S: Final = 30              # of a caller who hung up or keyed instead; nobody speaks for longer
MAX_BYTES: Final = 400_000      # 25 s


class Understanding:
    """`folder` is where Asterisk leaves a recording by the call's unique id: 16 bit, 8000 Hz mono, without a header."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._free = asyncio.Semaphore(AT_ONCE)

    async def said_in(self, call: str, tenant: str, question: Understand) -> tuple[str, ...]:
        """The users whom the caller may mean, best match first; empty if nothing was said or the time limit passed."""
        if not re.fullmatch(r"[0-9.]{1,64}", call, re.ASCII):
            return ()
        sound = self._folder / f"{call}.sln"
        began = time.perf_counter()
        try:
            async with asyncio.timeout(LIMIT_S), self._free:
                places = await recognised(sound, question)
        except (OSError, ValueError, TimeoutError) as error:
            log.warning("recognition_failed", tenant=tenant, call=call, problem=str(error) or f"not within {LIMIT_S} s")
            return ()
        finally:
            sound.unlink(missing_ok=True)
        took_ms = round((time.perf_counter() - began) * 1e3)
        log.info("recognised", tenant=tenant, call=call, matches=len(places), took_ms=took_ms)
        return tuple(question.names[place][0] for place in places)

    async def forget(self) -> None:
        """Removes, for as long as it runs, recordings that no decision has asked for."""
        while True:
            try:
                forget(self._folder, time.time())
            except OSError as error:         # the folder cannot be read now; perhaps it can later
                log.error("recordings_kept", problem=str(error))
            await asyncio.sleep(KEPT_S / 3)


async def recognised(sound: Path, question: Understand) -> list[int]:
    """The places of the names. Raises OSError and ValueError."""
    if sound.stat().st_size > MAX_BYTES:
        raise ValueError(f"a recording of {sound.stat().st_size} bytes, expected at most {MAX_BYTES}")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agi.recogniser", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE)
    try:
        asked = {"sound": str(sound), "names": [list(ways) for _, ways in question.names], "language": question.language,
                 "most": MOST_UNDERSTOOD}
        answer, errors = await process.communicate(json.dumps(asked).encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise OSError(f"the recogniser ended with {process.returncode}: {errors.decode(errors='replace').strip()[-200:]}")
    places = json.loads(answer)
    if not isinstance(places, list) or not all(type(place) is int and 0 <= place < len(question.names) for place in places):
        raise ValueError(f"the recogniser answered {answer[:80]!r}")
    return places


def forget(folder: Path, now_s: float) -> None:
    for entry in os.scandir(folder):
        try:
            if entry.name.endswith(".sln") and now_s - entry.stat().st_mtime > KEPT_S:
                os.unlink(entry.path)
        except FileNotFoundError:            # a decision has asked for it meanwhile
            continue
        except OSError as error:
            log.error("recording_kept", file=entry.path, problem=str(error))
