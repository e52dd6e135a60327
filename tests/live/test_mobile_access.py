"""A user calls the firm from the mobile, keys the PIN, and has the call of a colleague at the desk: transfers, too."""

import asyncio
import re
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pytest

from routing.call.english import in_english
from tests.agents import baresip
from tests.agents.audio import tone
from tests.live.pbx import Pbx, until
from tests.live.test_moving import hears, speaking

pytestmark = pytest.mark.live

TRUNK, NUMBER, ANNA = "127.77.0.36", "48227000108", "+48600711201"


async def until_asked(pbx: Pbx, prompt: str) -> None:
    async def is_asked() -> bool:
        channels = await asyncio.to_thread(pbx.runtime.asterisk_cli, "core show channels concise")
        return re.search(rf"!Read!\S*/sounds/alfa/{prompt}-", channels) is not None      # not yet Exec(), which loses keys

    await until(is_asked, f"{prompt} is played")


async def test_user_on_the_mobile_is_shown_as_a_colleague_and_transfers_by_keys(pbx: Pbx) -> None:
    began, pin = datetime.now(UTC), pbx.secrets.mobile_pins["alfa/201"]
    async with AsyncExitStack() as stack:
        jan, anna = [await speaking(pbx, stack, endpoint, hz) for endpoint, hz in (("alfa-202-desk", 700), ("alfa-201-desk", 1000))]
        mobile = await stack.enter_async_context(baresip.phone(TRUNK, speaks=tone(440, 60)))
        await mobile.use(ANNA, pbx.server)
        await mobile.dial(NUMBER, pbx.server)
        await mobile.until("CALL_ESTABLISHED")
        await until_asked(pbx, "sys_mobile_pin")
        await mobile.press(f"{pin}#")
        await until_asked(pbx, "sys_mobile_number")
        await mobile.press("202#")
        assert "201@" in (await jan.until("CALL_INCOMING", unless="")).peer
        await jan.accept()
        await hears(jan, 440)
        await mobile.press("##201#")
        await anna.until("CALL_INCOMING", unless="")
        await anna.accept()
        await hears(jan, 1000)
        await mobile.until("CALL_CLOSED", unless="")
        await jan.hang_up()
        await pbx.nothing_is_left()
    (call,) = await pbx.since("alfa", began)
    whys = [in_english(entry.why) for entry in call.path]
    assert "the PIN is right, asks for a number" in whys
    assert "201 transfers to 201" in whys
    logs = [*(pbx.settings.home / "log").iterdir()]
    assert not any(pin in log.read_text(errors="replace") for log in logs if log.is_file())
