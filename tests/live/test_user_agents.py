"""Real phones (baresip): they register, call, press keys and hear each other through Asterisk."""

from datetime import UTC, datetime

import pytest

from routing.call.facts import DeviceState
from tests.agents.audio import dominant_frequency, tone
from tests.agents.baresip import phone
from tests.live.calling import MAIN, registered
from tests.live.pbx import TRUNK, Pbx, path_of

pytestmark = pytest.mark.live


@pytest.mark.docker
async def test_colleagues_call_each_other_and_hear_each_other(pbx: Pbx) -> None:
    began = datetime.now(UTC)
    async with phone("127.77.7.1", speaks=tone(440, 30)) as anna, phone("127.77.7.2", speaks=tone(1000, 30)) as jan:
        await registered(pbx, anna, "acme-201-desk")
        await registered(pbx, jan, "acme-202-desk")
        await anna.dial("202", pbx.server)
        await jan.until("CALL_INCOMING")
        await jan.accept()
        await anna.until("CALL_ESTABLISHED")
        assert abs(dominant_frequency(await anna.hear(1)) - 1000) < 20
        assert abs(dominant_frequency(await jan.hear(1)) - 440) < 20
        await jan.hang_up()
        await anna.until("CALL_CLOSED", unless="")
    call = await pbx.record("201", since=began)
    assert path_of(call) == pbx.simulated("202", extension="201", x202=DeviceState.IDLE)
    await pbx.nothing_is_left()


async def test_outside_caller_reaches_a_phone_through_the_menu_and_both_are_heard(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with phone(TRUNK["acme"], speaks=tone(440, 30)) as outside, phone("127.77.7.3", speaks=tone(1000, 30)) as anna:
        await registered(pbx, anna, "acme-201-desk")
        await outside.use(caller.number, pbx.server)
        await outside.dial(MAIN["acme"], pbx.server)
        await outside.until("CALL_ESTABLISHED")
        await outside.press("1")
        await anna.until("CALL_INCOMING")
        await anna.accept()
        await anna.until("CALL_ESTABLISHED")
        assert abs(dominant_frequency(await anna.hear(1)) - 440) < 20
        await outside.hear(3)
        assert abs(dominant_frequency(outside.heard()[-8000:]) - 1000) < 20       # the last second; the prompt came before
        await outside.hang_up()
    call = await pbx.record(caller)
    assert path_of(call) == pbx.simulated(MAIN["acme"], "1", x201=DeviceState.IDLE)[:-1]


async def test_transferred_caller_begins_a_new_flow(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with (
        phone(TRUNK["acme"], speaks=tone(440, 30)) as outside, phone("127.77.7.5") as anna,
        phone("127.77.7.6", speaks=tone(700, 30)) as jan,
    ):
        await registered(pbx, anna, "acme-201-desk")
        await registered(pbx, jan, "acme-202-desk")
        await outside.use(caller.number, pbx.server)
        await outside.dial("48221234568", pbx.server)
        await anna.until("CALL_INCOMING")
        await anna.accept()
        await anna.until("CALL_ESTABLISHED")
        await anna.hear(1)                      # they are connected
        await anna.transfer("202", pbx.server)
        await jan.until("CALL_INCOMING")
        await jan.accept()
        await jan.until("CALL_ESTABLISHED")
        await outside.hear(2)
        assert abs(dominant_frequency(outside.heard()[-4000:]) - 700) < 20
        await outside.hang_up()
    call = await pbx.record(caller)
    assert [entry.node for entry in call.path] == ["start", "201", "start", "202"]


async def test_wrong_password_is_refused(pbx: Pbx) -> None:
    async with phone("127.77.7.4") as anna:
        with pytest.raises(AssertionError, match="401"):
            await anna.register("acme-201-desk", "wrong", pbx.server)
