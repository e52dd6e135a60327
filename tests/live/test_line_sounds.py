"""What a queue tells those who wait, in the language of its line, when it is due."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from routing.call.facts import DeviceState
from sipp import Answer, Callee, Caller, Ring, SendHangUp
from store.records import Outcome
from tests.agents.audio import likeness
from tests.agents.baresip import phone
from tests.live.calling import dials
from tests.live.lines import (
    ALIKE,
    ANNA,
    BEGINNING,
    SHORT_LINE,
    SLOW_LINE,
    STAYS,
    TOLD_LINE,
    hangs_up,
    line_sound,
    sound,
    waiting,
)
from tests.live.pbx import TRUNK, Pbx, path_of, until

pytestmark = pytest.mark.live

SECOND = ["queue-thereare", "digits/2", "queue-callswaiting"]      # place in the line


@asynccontextmanager
async def played(pbx: Pbx) -> AsyncIterator[Callable[[Caller], list[str]]]:
    """The words and numbers of a line that Asterisk has played to a caller."""
    size = (pbx.settings.home / "log" / "played").stat().st_size if (pbx.settings.home / "log" / "played").exists() else 0
    channels: dict[str, str] = {}

    def to(caller: Caller) -> list[str]:
        shown = pbx.runtime.asterisk_cli("core show channels concise")
        channels[caller.number] = next(
            (line.split("!")[0] for line in shown.splitlines() if f"!{caller.number}!" in line), channels.get(caller.number, ""))
        log = pbx.log_since(size, "played")
        return re.findall(rf"<{channels[caller.number]}> Playing '(queue-[a-z0-9]+|digits/[a-z0-9]+)\.slin' \(language 'pl_line'\)", log)

    pbx.runtime.asterisk_cli("logger add channel played verbose(3)")
    try:
        yield to
    finally:
        pbx.runtime.asterisk_cli("logger remove channel played")


async def test_waiting_caller_hears_the_place_when_it_changes_and_again_and_the_periodic_prompt(pbx: Pbx) -> None:
    first, second = pbx.outside_caller(), pbx.outside_caller()
    async with pbx.cast(limit_s=120) as cast, phone(TRUNK["told"], port=5070) as outside, played(pbx) as sounds:
        await pbx.phone(cast, ANNA, Callee(then=Ring()), calls=None)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(cast.call(dials(TOLD_LINE, first, ending=STAYS), at=TRUNK["told"]))
            await waiting(pbx, "told-told_line", 1)
            await outside.use(second.number, pbx.server)
            await outside.dial(TOLD_LINE, pbx.server)
            await until(lambda: sounds(second) == SECOND, "the second place is told")
            await until(lambda: likeness(outside.heard(), sound(pbx, "hold")) > ALIKE, "the periodic prompt is heard", limit_s=20)
            await until(lambda: sounds(second)[:6] == [*SECOND, *SECOND], "the second place is told again", limit_s=40)
            await hangs_up(pbx, first)
            await until(lambda: sounds(second)[-1:] == ["queue-youarenext"], "the first place is told", limit_s=40)
            await pbx.until_state(ANNA, DeviceState.RINGING)
            heard = outside.heard()
            await outside.hang_up()
    for name in ("queue-thereare", "digits/2", "queue-youarenext"):
        assert likeness(heard, line_sound(pbx, name)) > ALIKE
    assert (await pbx.record(second, "told")).outcome is Outcome.UNANSWERED


async def test_waiting_time_of_others_is_told_once(pbx: Pbx) -> None:
    """Five who have waited for 45 s make an average of over half a minute."""
    caller = pbx.outside_caller()
    pbx.runtime.asterisk_cli("module load res_clioriginate.so")
    for _ in range(5):
        pbx.runtime.asterisk_cli("channel originate Local/810@told-phone/n application Wait 200")
    await waiting(pbx, "told-slow_line", 5)

    async def have_waited() -> bool:
        shown = await asyncio.to_thread(pbx.runtime.asterisk_cli, "queue show told-slow_line")
        waits = [int(minutes) * 60 + int(seconds) for minutes, seconds in re.findall(r"wait: (\d+):(\d+)", shown)]
        return min(waits) >= 45

    await until(have_waited, "all have waited for 45 s", limit_s=60)
    async with pbx.cast(limit_s=60) as cast:
        await pbx.phone(cast, "told-203-desk", Callee(then=Answer(ending=SendHangUp(100))), calls=5)
        await waiting(pbx, "told-slow_line", 0)
    pbx.runtime.asterisk_cli("channel originate Local/810@told-phone/n application Wait 200")
    await waiting(pbx, "told-slow_line", 1)
    async with phone(TRUNK["told"], port=5070) as outside, played(pbx) as sounds:
        await outside.use(caller.number, pbx.server)
        await outside.dial(SLOW_LINE, pbx.server)
        await until(lambda: sounds(caller) == [*SECOND, "queue-holdtime", "digits/1", "queue-minute"], "all is told")
        await until(lambda: likeness(outside.heard(), line_sound(pbx, "queue-minute")) > ALIKE, "it is heard to its end")
        heard = outside.heard()
        await outside.hang_up()
    pbx.runtime.asterisk_cli("channel request hangup all")
    for name in ("queue-holdtime", "digits/1"):
        assert likeness(heard, line_sound(pbx, name)) > ALIKE


async def test_every_number_is_told_in_the_language_of_the_line(pbx: Pbx) -> None:
    """Asterisk falls back to its English sounds, which are GSM."""
    cli, size = pbx.runtime.asterisk_cli, (pbx.settings.home / "log" / "played")
    cli("module load res_clioriginate.so")
    before = size.stat().st_size if size.exists() else 0
    cli("logger add channel played verbose(3)")
    try:
        numbers = (1, 2, 10, 13, 21, 28, 37, 60, 99, 119, 200)
        said = ["Set(CHANNEL(language)=pl_line)", *(f"SayNumber({number})" for number in numbers)]
        for priority, application in enumerate(said, start=1):
            cli(f"dialplan add extension said,{priority},{application} into numbers replace")
        cli("channel originate Local/said@numbers/n application Wait 60")
        await until(lambda: not cli("core show channels concise").count("@numbers"), "all numbers are said", limit_s=60)
        log = pbx.log_since(before, "played")
    finally:
        cli("logger remove channel played")
    played = re.findall(r"<Local/\S*> Playing '(\S+)' \(language 'pl_line'\)", log)
    assert all(name.startswith("digits/") and name.endswith(".slin") for name in played), played
    assert len(played) == 16, played


async def test_who_finds_the_line_full_is_told_no_place_in_it(pbx: Pbx) -> None:
    first, second = pbx.outside_caller(), pbx.outside_caller()
    async with pbx.cast(limit_s=90) as cast, phone(TRUNK["told"], port=5070) as outside:
        await pbx.phone(cast, ANNA, Callee(then=Ring()), calls=None)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(cast.call(dials(SHORT_LINE, first, ending=STAYS), at=TRUNK["told"]))
            await waiting(pbx, "told-short_line", 1)
            await outside.use(second.number, pbx.server)
            await outside.dial(SHORT_LINE, pbx.server)
            call = await pbx.record(second, "told")
            heard = outside.heard()
            await hangs_up(pbx, first)
    assert path_of(call)[2] == ("short_line", "the line is full, on to bye")
    assert likeness(heard, sound(pbx, "goodbye")[:BEGINNING]) > ALIKE         # its last packet comes with the end of the call
    assert likeness(heard, line_sound(pbx, "queue-thereare")) < ALIKE
