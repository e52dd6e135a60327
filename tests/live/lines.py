"""Callers in the lines of queues: the numbers they call, what is seen of them, and what they hear."""

import asyncio
import itertools
import time

from sipp import AwaitHangUp, Caller
from tests.agents.audio import Samples, read_wav
from tests.live.pbx import Pbx, until

LINE, TOLD_LINE, BACKS, SHORT_LINE, SLOW_LINE = (f"4822400000{n}" for n in range(5, 10))
CALLERS = itertools.count(int(time.time()) % 1_000_000)      # mobile numbers that exist
ANNA, JAN = "told-201-desk", "told-202-desk"
ALIKE = 0.85
BEGINNING = 8000                                             # samples: a second
STAYS = AwaitHangUp(120_000)


async def until_paused(pbx: Pbx, queue: str, *extensions: str) -> None:
    async def are_paused() -> bool:
        shown = await asyncio.to_thread(pbx.runtime.asterisk_cli, f"queue show {queue}")
        members = {line.split("@")[0].split("/")[-1]: "paused" in line for line in shown.splitlines() if "Local/" in line}
        return {member for member, paused in members.items() if paused} == set(extensions)

    await until(are_paused, f"{extensions} are paused in {queue}")


async def waiting(pbx: Pbx, queue: str, many: int) -> None:
    async def are_waiting() -> bool:
        return f"has {many} calls" in await asyncio.to_thread(pbx.runtime.asterisk_cli, f"queue show {queue}")

    await until(are_waiting, f"{many} wait in {queue}")


async def hangs_up(pbx: Pbx, caller: Caller) -> None:
    """However long everything before has taken."""
    shown = await asyncio.to_thread(pbx.runtime.asterisk_cli, "core show channels concise")
    (channel,) = [line.split("!")[0] for line in shown.splitlines() if line.startswith("PJSIP/") and f"!{caller.number}!" in line]
    await asyncio.to_thread(pbx.runtime.asterisk_cli, f"channel request hangup {channel}")


def sound(pbx: Pbx, prompt: str) -> Samples:
    """As it was made for the tenant."""
    (file,) = (pbx.settings.home / "sounds" / "told").glob(f"{prompt}-{'[0-9a-f]' * 16}.wav")
    return read_wav(file)


def line_sound(pbx: Pbx, name: str) -> Samples:
    """As a queue says it in Polish."""
    return read_wav(pbx.settings.home / "data" / "sounds" / "pl_line" / f"{name}.wav")
