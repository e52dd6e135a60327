"""Queues on real phones: who is rung when, what agents set by command, and what restarts leave as it was."""

import asyncio
import itertools
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import redis

from routing.facts import DeviceState
from runtime.process import Process
from sipp import Answer, AwaitHangUp, Callee, Caller, HangUp, Ring
from store.lines import STOPPED
from store.records import Outcome
from tests.agents.audio import Samples, dominant_frequency, likeness, read_wav, tone
from tests.agents.baresip import Phone, phone
from tests.live.pbx import TRUNK, Pbx, path_of, until
from tests.live.test_calls import dials
from tests.live.test_user_agents import registered

pytestmark = pytest.mark.live

LINE, TOLD_LINE, BACKS, SHORT_LINE, SLOW_LINE = (f"4822400000{n}" for n in range(5, 10))
CALLERS = itertools.count(int(time.time()) % 1_000_000)      # mobile numbers that exist
ANNA, JAN = "told-201-desk", "told-202-desk"
ALIKE = 0.85
BEGINNING = 8000                                             # samples: a second
STAYS = AwaitHangUp(120_000)
SECOND = ["queue-thereare", "digits/2", "queue-callswaiting"]      # place in the line


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


async def test_agent_who_logs_out_is_rung_no_more_while_a_caller_waits_and_gets_the_caller_after_login(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    pbx.centralka("user", "told", "202", "--logout", "line")
    await until_paused(pbx, "told-line", "202")
    try:
        async with pbx.cast(limit_s=60) as cast:
            await pbx.phone(cast, ANNA, Callee(then=Ring()), calls=None)
            await pbx.phone(cast, JAN, Callee(then=Answer(ending=HangUp(200))))
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(cast.call(dials(LINE, caller, ending=STAYS), at=TRUNK["told"]))
                await pbx.until_state(ANNA, DeviceState.RINGING)
                await pbx.until_state(ANNA, DeviceState.IDLE)
                assert pbx.state_of(JAN) == DeviceState.IDLE
                pbx.centralka("user", "told", "202", "--login", "line")
    finally:
        pbx.centralka("user", "told", "202", "--login", "line")
    call = await pbx.record(caller, "told")
    assert (call.outcome, call.answered_by) == (Outcome.ANSWERED, "202")
    assert path_of(call)[1:] == [("line", "waits for 201"), ("line", "the conversation is over")]
    await until_paused(pbx, "told-line")


async def test_agent_rests_after_a_conversation(pbx: Pbx) -> None:
    first, second = pbx.outside_caller(), pbx.outside_caller()
    async with pbx.cast(limit_s=60) as cast:
        await pbx.phone(cast, ANNA, Callee(then=Answer(ending=HangUp(100))), calls=2)
        await cast.call(dials(LINE, first, ending=AwaitHangUp()), at=TRUNK["told"])
        await cast.call(dials(LINE, second, ending=AwaitHangUp()), at=TRUNK["told"])
    before, after = await pbx.record(first, "told"), await pbx.record(second, "told")
    assert after.answered_at is not None
    assert (after.answered_at - before.ended_at).total_seconds() > 3


async def test_who_is_paused_stays_paused_over_restarts_of_asterisk_and_of_the_service(pbx: Pbx) -> None:
    pbx.centralka("user", "told", "201", "--pause")
    try:
        await until_paused(pbx, "told-line", "201")
        await asyncio.to_thread(pbx.runtime.stop_process, Process.ASTERISK, kill=True)
        await asyncio.to_thread(pbx.runtime.start_process, Process.ASTERISK)
        await until_paused(pbx, "told-line", "201")
        await asyncio.to_thread(pbx.runtime.stop_process, Process.AMI, kill=True)
        pbx.centralka("user", "told", "201", "--no-pause")
        pbx.centralka("user", "told", "202", "--pause")
        await asyncio.to_thread(pbx.runtime.start_process, Process.AMI)
        await until_paused(pbx, "told-line", "202")
    finally:
        pbx.centralka("user", "told", "201", "--no-pause")
        pbx.centralka("user", "told", "202", "--no-pause")
    await until_paused(pbx, "told-line")


async def test_reload_keeps_who_waits_and_who_is_paused(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    pbx.centralka("user", "told", "202", "--pause")
    try:
        await until_paused(pbx, "told-line", "202")
        async with pbx.cast(limit_s=60) as cast:
            await pbx.phone(cast, ANNA, Callee(then=Ring()), calls=None)
            async with asyncio.TaskGroup() as tasks:
                calling = tasks.create_task(cast.call(dials(LINE, caller, ending=STAYS), at=TRUNK["told"]))
                await waiting(pbx, "told-line", 1)
                pbx.runtime.asterisk_cli("queue reload all")
                await until_paused(pbx, "told-line", "202")
                await waiting(pbx, "told-line", 1)
                assert not calling.done()
                await hangs_up(pbx, caller)
    finally:
        pbx.centralka("user", "told", "202", "--no-pause")
    assert path_of(await pbx.record(caller, "told"))[1:] == [("line", "waits for 201")]


def numbers(pbx: Pbx) -> dict[str, Any]:
    (found,) = json.loads(pbx.centralka("queue", "told", "line", "--json"))
    return dict(found)


async def test_numbers_of_a_queue_tell_who_waits_who_is_there_and_what_became_of_the_callers(pbx: Pbx) -> None:
    answered, lost = pbx.outside_caller(), pbx.outside_caller()
    before = numbers(pbx)["today"]
    async with pbx.cast(limit_s=60) as cast:
        await pbx.phone(cast, ANNA, Callee(then=Answer(ending=HangUp(100))))
        await cast.call(dials(LINE, answered, ending=AwaitHangUp()), at=TRUNK["told"])
    await pbx.record(answered, "told")
    pbx.centralka("user", "told", "202", "--pause")
    try:
        async with pbx.cast(limit_s=60) as cast:
            await pbx.phone(cast, ANNA, Callee(then=Ring()), calls=None)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(cast.call(dials(LINE, lost, ending=STAYS), at=TRUNK["told"]))
                await waiting(pbx, "told-line", 1)
                now = numbers(pbx)
                await hangs_up(pbx, lost)
    finally:
        pbx.centralka("user", "told", "202", "--no-pause")
    await pbx.record(lost, "told")
    after = numbers(pbx)["today"]
    assert (now["waiting"], now["agents"]["logged_in"], now["agents"]["paused"]) == (1, 2, 1)
    assert [after[what] - before[what] for what in ("answered", "in_time", "abandoned", "left")] == [1, 1, 1, 0]


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
        await pbx.phone(cast, "told-203-desk", Callee(then=Answer(ending=HangUp(100))), calls=5)
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


async def test_caller_who_waits_goes_on_when_the_last_agent_logs_out(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    try:
        async with pbx.cast(limit_s=60) as cast:
            await pbx.phone(cast, ANNA, Callee(then=Ring()), calls=None)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(cast.call(dials(SHORT_LINE, caller, ending=STAYS), at=TRUNK["told"]))
                await pbx.until_state(ANNA, DeviceState.RINGING)
                pbx.centralka("user", "told", "201", "--pause")
    finally:
        pbx.centralka("user", "told", "201", "--no-pause")
    assert path_of(await pbx.record(caller, "told"))[2:4] == [
        ("short_line", "no agent is there any more, on to mail"), ("mail", "plays goodbye")]


async def test_caller_who_hangs_up_keeps_the_place_and_is_called_back_when_it_comes_up(pbx: Pbx) -> None:
    """Anna is in a call; the first caller asks to be called back, the second one waits."""
    first, second = (Caller(f"+48600{next(CALLERS):06}") for _ in range(2))
    async with (
        pbx.cast(limit_s=90) as cast, phone("127.77.7.61", speaks=tone(440, 60)) as anna,
        phone(TRUNK["told"], port=5080, speaks=tone(1000, 60)) as customer,
    ):
        await registered(pbx, anna, ANNA)
        await carrier_is_known(pbx)
        await anna.dial("800", pbx.server)                                                     # alone in a room: she is busy
        await anna.until("CALL_ESTABLISHED")
        await pbx.until_state(ANNA, DeviceState.IN_USE)
        await customer.use(first.number, pbx.server)
        await customer.dial(BACKS, pbx.server)
        await waiting(pbx, "told-backs", 1)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(cast.call(dials(BACKS, second, ending=STAYS), at=TRUNK["told"]))
            await waiting(pbx, "told-backs", 2)
            await customer.press("1")
            await waiting(pbx, "told-backs", 1)
            offer = sound(pbx, "sys_queue_call_back")[:BEGINNING]
            await until(lambda: likeness(customer.heard(), offer) > ALIKE, "the offer to call back is heard")
            await customer.press("1")
            await waiting(pbx, "told-backs", 2)                                                # half of a Local channel
            await customer.until("CALL_CLOSED", unless="")
            shown = pbx.runtime.asterisk_cli("queue show told-backs")
            assert re.search(r"1\. Local/hold@call_back.*\n.*2\. PJSIP/told-trunk-carrier", shown), shown
            await anna.hang_up()
            await anna.until("CALL_INCOMING", unless="", within_s=20)
            await anna.accept()
            await customer.until("CALL_INCOMING", unless="", within_s=20)
            await customer.accept()
            await customer.hear(3)
            assert abs(dominant_frequency(customer.heard()[-8000:]) - 440) < 20
            assert abs(dominant_frequency(anna.heard()[-8000:]) - 1000) < 20
            await customer.hang_up()
            await anna.until("CALL_CLOSED", unless="")
            await hangs_up(pbx, second)
    asked, called = sorted(await pbx.records(first, "told", at_least=2), key=lambda call: call.started_at)
    assert path_of(asked)[-2:] == [("backs", f"calls {first.number} back from place 1"), ("backs", "hangs up")]
    assert (called.answered_by, path_of(called)) == ("201", [("backs", "waits for an agent to call back")])


async def test_promised_call_back_outlasts_the_time_in_which_no_agent_is_there(pbx: Pbx) -> None:
    """Anna, the only agent, is in a call, then pauses, and goes on."""
    caller = Caller(f"+48600{next(CALLERS):06}")
    try:
        async with phone("127.77.7.61") as anna, phone(TRUNK["told"], port=5080) as customer:
            await registered(pbx, anna, ANNA)
            await carrier_is_known(pbx)
            await anna.dial("800", pbx.server)
            await anna.until("CALL_ESTABLISHED")
            await pbx.until_state(ANNA, DeviceState.IN_USE)
            await asks_to_be_called_back(pbx, customer, caller)
            pbx.centralka("user", "told", "201", "--pause")
            await waiting(pbx, "told-backs", 0)
            await anna.hang_up()
            pbx.centralka("user", "told", "201", "--no-pause")
            await anna.until("CALL_INCOMING", unless="", within_s=20)
            await anna.accept()
            await customer.until("CALL_INCOMING", unless="", within_s=20)
            await customer.accept()
            await customer.hear(1)
            await customer.hang_up()
            await anna.until("CALL_CLOSED", unless="")
    finally:
        pbx.centralka("user", "told", "201", "--no-pause")
    _, called = sorted(await pbx.records(caller, "told", at_least=2), key=lambda call: call.started_at)
    assert called.answered_by == "201"


async def test_promised_call_back_is_not_made_while_calls_outside_are_stopped_and_the_agent_hears_so(pbx: Pbx) -> None:
    caller = Caller(f"+48600{next(CALLERS):06}")
    with redis.Redis.from_url(pbx.settings.redis_url) as client:
        try:
            async with phone("127.77.7.61") as anna, phone(TRUNK["told"], port=5080) as customer:
                await registered(pbx, anna, ANNA)
                await carrier_is_known(pbx)
                await anna.dial("800", pbx.server)
                await anna.until("CALL_ESTABLISHED")
                await pbx.until_state(ANNA, DeviceState.IN_USE)
                await asks_to_be_called_back(pbx, customer, caller)
                client.hset(STOPPED, "told/", "the test says so")
                await anna.hang_up()
                await anna.until("CALL_INCOMING", unless="", within_s=20)
                await anna.accept()
                await anna.until("CALL_CLOSED", unless="", within_s=40)
                assert likeness(anna.heard(), sound(pbx, "sys_queue_call_back_refused")[:-800]) > ALIKE
                assert not [event for event in customer.events if event.kind == "CALL_INCOMING"]
        finally:
            client.hdel(STOPPED, "told/")
    _, called = sorted(await pbx.records(caller, "told", at_least=2), key=lambda call: call.started_at)
    assert path_of(called) == [
        ("backs", "waits for an agent to call back"), ("backs", "is not called back, no call outside is let out")]


async def asks_to_be_called_back(pbx: Pbx, customer: Phone, caller: Caller) -> None:
    """And hangs up, alone in the line."""
    await customer.use(caller.number, pbx.server)
    await customer.dial(BACKS, pbx.server)
    await waiting(pbx, "told-backs", 1)
    await customer.press("1")
    await waiting(pbx, "told-backs", 0)
    offer = sound(pbx, "sys_queue_call_back")[:BEGINNING]
    await until(lambda: likeness(customer.heard(), offer) > ALIKE, "the offer to call back is heard")
    await customer.press("1")
    await waiting(pbx, "told-backs", 1)                                                        # half of a Local channel
    await customer.until("CALL_CLOSED", unless="")


def sound(pbx: Pbx, prompt: str) -> Samples:
    """As it was made for the tenant."""
    (file,) = (pbx.settings.home / "sounds" / "told").glob(f"{prompt}-{'[0-9a-f]' * 16}.wav")
    return read_wav(file)


def line_sound(pbx: Pbx, name: str) -> Samples:
    """As a queue says it in Polish."""
    return read_wav(pbx.settings.home / "data" / "sounds" / "pl_line" / f"{name}.wav")


async def carrier_is_known(pbx: Pbx) -> None:
    """Asterisk has asked it, and it has answered."""
    pbx.runtime.asterisk_cli("pjsip qualify told-trunk-carrier")

    async def answers() -> bool:
        return "Avail" in await asyncio.to_thread(pbx.runtime.asterisk_cli, "pjsip show aor told-trunk-carrier")

    await until(answers, "the carrier answers")
