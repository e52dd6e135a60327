"""Who hangs up and keeps the place in a line is called back when it comes up."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import redis

from routing.call.facts import DeviceState
from sipp import Caller
from store.lines import STOPPED
from tests.agents.audio import dominant_frequency, likeness, tone
from tests.agents.baresip import Phone, phone
from tests.live.calling import dials, registered
from tests.live.lines import ALIKE, ANNA, BACKS, BEGINNING, CALLERS, STAYS, hangs_up, sound, waiting
from tests.live.pbx import TRUNK, Pbx, path_of, until

pytestmark = pytest.mark.live


@asynccontextmanager
async def customer_of_a_busy_agent(pbx: Pbx, caller: Caller) -> AsyncIterator[tuple[Phone, Phone]]:
    """Anna, the only agent, is in a call, and the customer waits, alone in the line: their telephones."""
    async with (
        phone("127.77.7.61", speaks=tone(440, 60)) as anna, phone(TRUNK["told"], port=5080, speaks=tone(1000, 60)) as customer,
    ):
        await registered(pbx, anna, ANNA)
        await carrier_is_known(pbx)
        await anna.dial("800", pbx.server)                                                     # alone in a room
        await anna.until("CALL_ESTABLISHED")
        await pbx.until_state(ANNA, DeviceState.IN_USE)
        await customer.use(caller.number, pbx.server)
        await customer.dial(BACKS, pbx.server)
        await waiting(pbx, "told-backs", 1)
        yield anna, customer


async def asks_to_be_called_back(pbx: Pbx, customer: Phone, others: int) -> None:
    """And hangs up; so many others are in the line."""
    await customer.press("1")
    await waiting(pbx, "told-backs", others)
    offer = sound(pbx, "sys_queue_call_back")[:BEGINNING]
    await until(lambda: likeness(customer.heard(), offer) > ALIKE, "the offer to call back is heard")
    await customer.press("1")
    await waiting(pbx, "told-backs", others + 1)                                               # half of a Local channel
    await customer.until("CALL_CLOSED", unless="")


async def is_called_back(anna: Phone, customer: Phone) -> None:
    await anna.until("CALL_INCOMING", unless="", within_s=20)
    await anna.accept()
    await customer.until("CALL_INCOMING", unless="", within_s=20)
    await customer.accept()


async def carrier_is_known(pbx: Pbx) -> None:
    """Asterisk has asked it, and it has answered."""
    pbx.runtime.asterisk_cli("pjsip qualify told-trunk-carrier")

    async def answers() -> bool:
        return "Avail" in await asyncio.to_thread(pbx.runtime.asterisk_cli, "pjsip show aor told-trunk-carrier")

    await until(answers, "the carrier answers")


async def test_caller_who_hangs_up_keeps_the_place_and_is_called_back_when_it_comes_up(pbx: Pbx) -> None:
    """The first caller asks to be called back, the second one waits."""
    first, second = (Caller(f"+48600{next(CALLERS):06}") for _ in range(2))
    async with pbx.cast(limit_s=90) as cast, customer_of_a_busy_agent(pbx, first) as (anna, customer), asyncio.TaskGroup() as tasks:
        tasks.create_task(cast.call(dials(BACKS, second, ending=STAYS), at=TRUNK["told"]))
        await waiting(pbx, "told-backs", 2)
        await asks_to_be_called_back(pbx, customer, others=1)
        shown = pbx.runtime.asterisk_cli("queue show told-backs")
        assert re.search(r"1\. Local/hold@call_back.*\n.*2\. PJSIP/told-trunk-carrier", shown), shown
        await anna.hang_up()
        await is_called_back(anna, customer)
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
    """Anna pauses, and goes on."""
    caller = Caller(f"+48600{next(CALLERS):06}")
    try:
        async with customer_of_a_busy_agent(pbx, caller) as (anna, customer):
            await asks_to_be_called_back(pbx, customer, others=0)
            pbx.centralka("user", "told", "201", "--pause")
            await waiting(pbx, "told-backs", 0)
            await anna.hang_up()
            pbx.centralka("user", "told", "201", "--no-pause")
            await is_called_back(anna, customer)
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
            async with customer_of_a_busy_agent(pbx, caller) as (anna, customer):
                await asks_to_be_called_back(pbx, customer, others=0)
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
        ("backs", "waits for an agent to call back"), ("backs", "is not called back, external calls are stopped")]
