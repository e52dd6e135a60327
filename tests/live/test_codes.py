"""What codes do on real phones: who rings afterwards, who is woken up, and what is told when nothing could be changed."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import redis

from routing.call.facts import NOTHING_SET, DeviceState, Personal
from runtime.process import Process
from sipp import Answer, AwaitHangUp, Callee, Ring, SendHangUp, Silence, SippFailed
from store import live, personal
from store.records import Outcome
from tests.agents.audio import Samples, dominant_frequency, likeness, read_wav, tone
from tests.agents.baresip import Phone, phone
from tests.live.calling import dials, registered
from tests.live.lines import until_paused, waiting
from tests.live.pbx import Pbx, path_of, until

pytestmark = pytest.mark.live

ANNA, ANNAS_HOME, JAN = "keys-201-desk", "keys-201-home", "keys-202-desk"
DIRECT, LINE, TRUNK = "48227700101", "48227700102", "127.77.0.46"
ALIKE = 0.85


@pytest.fixture(autouse=True)
async def as_at_first(pbx: Pbx) -> AsyncIterator[None]:
    yield
    async with live.connect(pbx.settings.redis_url) as client:
        for extension in ("201", "202"):
            await personal.change(client, "keys", extension, lambda _: NOTHING_SET)
    with redis.Redis.from_url(pbx.settings.redis_url) as client:
        for key in client.scan_iter("centralka:wak*:keys/*"):
            client.delete(key)
    await until_paused(pbx, "keys-support")


@asynccontextmanager
async def anna_at(pbx: Pbx, endpoint: str = ANNA, address: str = "127.77.7.81") -> AsyncIterator[Phone]:
    async with phone(address) as found:
        await registered(pbx, found, endpoint)
        yield found


async def key(pbx: Pbx, user: Phone, code: str) -> Samples:
    """What the user hears who dials it."""
    before = len(user.heard())
    await user.dial(code, pbx.server)
    await user.until("CALL_ESTABLISHED")
    await user.until("CALL_CLOSED", unless="", within_s=20)
    return user.heard()[before:]


def sound(pbx: Pbx, tenant: str, prompt: str) -> Samples:
    (file,) = (pbx.settings.home / "sounds" / tenant).glob(f"{prompt}-*.wav")
    return read_wav(file)


def told(pbx: Pbx, heard: Samples, *prompts: str) -> bool:
    """The call ends with the last of them, some hundredths of a second too early."""
    return all(likeness(heard, sound(pbx, "keys", prompt)[:-800]) > ALIKE for prompt in prompts)


async def test_phone_does_not_ring_after_the_code_for_not_to_be_disturbed_and_rings_after_the_other(pbx: Pbx) -> None:
    first, second = pbx.outside_caller(), pbx.outside_caller()
    async with pbx.cast() as cast, anna_at(pbx, ANNAS_HOME) as anna:
        assert told(pbx, await key(pbx, anna, "*78"), "sys_dnd_on")
        await pbx.phone(cast, ANNA, Callee(then=Answer(ending=SendHangUp(200))))      # would answer at once
        with pytest.raises(SippFailed, match="486 Busy Here"):
            await cast.call(dials(DIRECT, first, ending=AwaitHangUp()), at=TRUNK)
        assert path_of(await pbx.record(first, "keys"))[1] == ("201", "201 is not to be disturbed, no mailbox")
        assert told(pbx, await key(pbx, anna, "*79"), "sys_dnd_off")
        await cast.call(dials(DIRECT, second, ending=AwaitHangUp()), at=TRUNK)
    assert (await pbx.record(second, "keys")).answered_by == "201"


async def test_queue_rings_the_agent_who_logs_in_while_a_caller_waits(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast(limit_s=60) as cast, anna_at(pbx, ANNAS_HOME) as anna:
        assert told(pbx, await key(pbx, anna, "*51400"), "sys_logged_out_of", "sys_element_support")
        await until_paused(pbx, "keys-support", "201")
        await pbx.phone(cast, ANNA, Callee(then=Answer(ending=SendHangUp(200))))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(cast.call(dials(LINE, caller, ending=AwaitHangUp(45_000)), at=TRUNK))
            await waiting(pbx, "keys-support", 1)
            assert pbx.state_of(ANNA) == DeviceState.IDLE
            assert told(pbx, await key(pbx, anna, "*50"), "sys_logged_in")
    assert (await pbx.record(caller, "keys")).answered_by == "201"


async def test_agent_in_a_call_of_the_queue_pauses_from_another_own_phone_and_the_next_caller_waits(pbx: Pbx) -> None:
    first, second = pbx.outside_caller(), pbx.outside_caller()
    async with pbx.cast(limit_s=60) as cast, anna_at(pbx, ANNAS_HOME) as anna:
        await pbx.phone(cast, ANNA, Callee(then=Answer(ending=SendHangUp(12_000))))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(cast.call(dials(LINE, first, ending=AwaitHangUp()), at=TRUNK))
            await pbx.until_state(ANNA, DeviceState.IN_USE)
            await anna.until("CALL_CLOSED", unless="")                             # the queue rang both
            assert told(pbx, await key(pbx, anna, "*52"), "sys_paused")
            await until_paused(pbx, "keys-support", "201")
            assert pbx.state_of(ANNA) == DeviceState.IN_USE
        await cast.call(dials(LINE, second, Silence(3000), ending=SendHangUp()), at=TRUNK)
    assert (await pbx.record(first, "keys")).answered_by == "201"
    assert (await pbx.record(second, "keys")).outcome is Outcome.UNANSWERED


async def test_forward_by_code_rings_the_colleague(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast() as cast, anna_at(pbx) as anna:
        heard = await key(pbx, anna, "*72202")
        assert told(pbx, heard, "sys_forward_unconditional", "sys_digit_2", "sys_digit_0")
        await pbx.phone(cast, JAN, Callee(then=Answer(ending=SendHangUp(200))))
        await cast.call(dials(DIRECT, caller, ending=AwaitHangUp()), at=TRUNK)
    assert (await pbx.record(caller, "keys")).answered_by == "202"


async def test_missed_caller_is_called_back(pbx: Pbx) -> None:
    async with anna_at(pbx) as anna, anna_at(pbx, JAN, "127.77.7.82") as jan:
        await jan.dial("201", pbx.server)
        await anna.until("CALL_INCOMING")
        await jan.hang_up()
        await anna.until("CALL_CLOSED", unless="")

        def is_known() -> bool:
            with redis.Redis.from_url(pbx.settings.redis_url, decode_responses=True) as client:
                return str(client.hget("centralka:last_callers", "keys/201")).endswith(" 202")

        await until(is_known, "the call is over")
        await anna.dial("*69", pbx.server)
        await jan.until("CALL_INCOMING", unless="")
        await jan.accept()
        await anna.until("CALL_ESTABLISHED")
        await anna.hang_up()
        await jan.until("CALL_CLOSED", unless="")


async def test_caller_hears_the_own_voice_and_the_call_ends_with_hash(pbx: Pbx) -> None:
    async with phone("127.77.7.81", speaks=tone(700, 60)) as anna:
        await registered(pbx, anna, ANNA)
        await anna.dial("*43", pbx.server)
        await anna.until("CALL_ESTABLISHED")
        seconds = len(sound(pbx, "keys", "sys_echo")) / 8000
        await anna.hear(seconds + 2, within_s=seconds + 10)
        assert abs(dominant_frequency(anna.heard()[-8000:]) - 700) < 20
        await anna.press("#")
        await anna.until("CALL_CLOSED", unless="")


async def test_without_redis_nothing_is_changed_and_the_user_is_told_so(pbx: Pbx) -> None:
    async with anna_at(pbx) as anna:
        pbx.runtime.stop_process(Process.REDIS, kill=True)
        try:
            heard = await key(pbx, anna, "*78")
        finally:
            pbx.runtime.start_process(Process.REDIS)
        pbx.runtime.wait_ready(Process.AMI)
    assert told(pbx, heard, "sys_code_failed")
    assert not told(pbx, heard, "sys_dnd_on")
    assert "nothing is set" in pbx.centralka("user", "keys", "201")


async def test_without_the_decision_service_the_user_hears_that_the_code_has_failed_and_nobody_is_rung(pbx: Pbx) -> None:
    async with pbx.cast(limit_s=60) as cast, anna_at(pbx, ANNAS_HOME) as anna:
        await pbx.phone(cast, ANNA, Callee(then=Ring()), calls=0)
        pbx.runtime.stop_process(Process.AGI, kill=True)
        try:
            assert told(pbx, await key(pbx, anna, "*78"), "sys_code_failed")
        finally:
            pbx.runtime.start_process(Process.AGI)
    assert "nothing is set" in pbx.centralka("user", "keys", "201")


async def personal_settings(pbx: Pbx) -> Personal:
    async with live.connect(pbx.settings.redis_url) as client:
        return await personal.read(client, "keys", "201")


async def set_to_wake_up(pbx: Pbx, at: datetime) -> None:
    async with live.connect(pbx.settings.redis_url) as client:
        await personal.change(client, "keys", "201", lambda _: Personal(wake_up=at))


async def test_wake_up_call_that_was_keyed_rings_all_phones_at_its_time_and_then_no_more(pbx: Pbx) -> None:
    async with anna_at(pbx) as anna, anna_at(pbx, ANNAS_HOME, "127.77.7.82") as home:
        tomorrow = (datetime.now(UTC) + timedelta(hours=20)).replace(second=0, microsecond=0)
        local = tomorrow.astimezone(ZoneInfo(pbx.tenants["keys"].timezone)).strftime("%H%M")
        assert told(pbx, await key(pbx, anna, f"*55{local}"), "sys_wake_up_at")
        assert f"{local[:2]}:{local[2:]}" in pbx.centralka("user", "keys", "201")
        assert (await personal_settings(pbx)).wake_up == tomorrow
        at = datetime.now(UTC) + timedelta(seconds=2)
        await set_to_wake_up(pbx, at)
        await home.until("CALL_INCOMING", within_s=30)
        assert datetime.now(UTC) >= at
        await anna.until("CALL_INCOMING")
        await anna.accept()
        await anna.until("CALL_ESTABLISHED")
        await anna.until("CALL_CLOSED", unless="", within_s=20)
        await home.until("CALL_CLOSED", unless="")
        assert told(pbx, anna.heard(), "sys_wake_up", "sys_time_is")
    assert "nothing is set" in pbx.centralka("user", "keys", "201")
    call = await pbx.record("", "keys", since=at - timedelta(seconds=2))
    assert (call.answered_by, path_of(call)) == ("201", [
        ("start", "wakes 201 up"), ("start", "201 is awake"), ("start", "hangs up")])


async def test_wake_up_call_that_falls_into_a_restart_of_everything_is_made_afterwards(pbx: Pbx) -> None:
    def is_kept() -> bool:
        """Asterisk writes registrations to the disk once a second; what is younger is lost when it is killed."""
        known = pbx.runtime.asterisk_cli("database show registrar/contact")
        with closing(sqlite3.connect(pbx.settings.home / "db" / "astdb.sqlite3")) as disk:
            kept = disk.execute("select value from astdb where key like ?", (f"/registrar/contact/{ANNA};%",)).fetchall()
        return len(kept) == known.count(f"/registrar/contact/{ANNA};") and all(value in known for (value,) in kept)

    async with anna_at(pbx) as anna:
        await until(is_kept, f"Asterisk has kept where {ANNA} is")
        for process in (Process.AMI, Process.ASTERISK):
            await asyncio.to_thread(pbx.runtime.stop_process, process, kill=True)
        await set_to_wake_up(pbx, datetime.now(UTC) - timedelta(minutes=2))
        for process in (Process.ASTERISK, Process.AMI):
            await asyncio.to_thread(pbx.runtime.start_process, process)
        await anna.until("CALL_INCOMING", unless="", within_s=30)
        await anna.accept()
        await anna.until("CALL_CLOSED", unless="", within_s=20)
    assert "nothing is set" in pbx.centralka("user", "keys", "201")


async def test_who_does_not_answer_is_rung_again_three_times_and_then_no_more(pbx: Pbx) -> None:
    def may_ring_again() -> None:
        with redis.Redis.from_url(pbx.settings.redis_url) as client:
            client.delete("centralka:waking:keys/201")

    async with anna_at(pbx) as anna:
        await set_to_wake_up(pbx, datetime.now(UTC))
        for _ in range(3):
            await anna.until("CALL_INCOMING", unless="", within_s=15)
            assert "wake-up call at" in pbx.centralka("user", "keys", "201")
            await anna.hang_up()
            await anna.until("CALL_CLOSED", unless="")
            may_ring_again()
        await until(lambda: "nothing is set" in pbx.centralka("user", "keys", "201"), "it is given up")
        assert not [event for event in anna.events if event.kind == "CALL_INCOMING"][3:]


async def test_wake_up_call_that_is_more_than_an_hour_late_is_not_made(pbx: Pbx) -> None:
    async with anna_at(pbx) as anna:
        await set_to_wake_up(pbx, datetime.now(UTC) - timedelta(minutes=61))
        await until(lambda: "nothing is set" in pbx.centralka("user", "keys", "201"), "it is given up")
        assert not [event for event in anna.events if event.kind == "CALL_INCOMING"]


async def test_woken_user_hears_so_without_the_decision_service_and_nobody_else_is_rung(pbx: Pbx) -> None:
    async with pbx.cast(limit_s=60) as cast, anna_at(pbx) as anna:
        await pbx.phone(cast, JAN, Callee(then=Ring()), calls=0)
        pbx.runtime.stop_process(Process.AGI, kill=True)
        try:
            await set_to_wake_up(pbx, datetime.now(UTC))
            await anna.until("CALL_INCOMING", unless="", within_s=15)
            await anna.accept()
            await anna.until("CALL_CLOSED", unless="", within_s=40)
        finally:
            pbx.runtime.start_process(Process.AGI)
        assert told(pbx, anna.heard(), "sys_wake_up")
        assert "wake-up call at" in pbx.centralka("user", "keys", "201")       # it rings again
