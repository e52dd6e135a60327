"""Carriers that tenants share: a mobile of users of several tenants is known by the number that was dialled."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

import pytest

from tests.agents import baresip
from tests.agents.audio import tone
from tests.live.firm import firm, path, until_reachable
from tests.live.pbx import Pbx, until
from tests.live.shared_carriers import PREFIX, TELCO, number, only_record, other
from tests.live.test_moving import hears, speaking

pytestmark = pytest.mark.live


@pytest.fixture
def pbx(carriers_pbx: Pbx) -> Pbx:
    return carriers_pbx


@asynccontextmanager
async def mobile(pbx: Pbx) -> AsyncIterator[baresip.Phone]:
    """Zofia's, who works for both firms."""
    async with baresip.phone(TELCO.host, speaks=tone(440, 60)) as phone:
        await phone.use("+48600711201", pbx.server)
        await until_reachable(pbx, "platform-trunk-telco")
        yield phone


async def asked(pbx: Pbx, tenant: str, prompt: str) -> None:
    async def is_asked() -> bool:
        channels = await asyncio.to_thread(pbx.runtime.asterisk_cli, "core show channels concise")
        return re.search(rf"!Read!\S*/sounds/{tenant}/{prompt}-", channels) is not None

    await until(is_asked, f"{prompt} of {tenant} is played")


@pytest.mark.parametrize("tenant", PREFIX)
async def test_user_on_the_mobile_is_known_by_the_tenant_whose_number_was_dialled(pbx: Pbx, tenant: str) -> None:
    began, pin = datetime.now(UTC), pbx.secrets.mobile_pins[f"{tenant}/203"]
    async with AsyncExitStack() as stack:
        anna, jan = [await speaking(pbx, stack, f"{tenant}-{user}-desk", hz) for user, hz in (("201", 700), ("202", 1000))]
        zofia = await stack.enter_async_context(mobile(pbx))
        await zofia.dial(number(tenant, "14"), pbx.server)
        await zofia.until("CALL_ESTABLISHED")
        await asked(pbx, tenant, "sys_mobile_pin")
        await zofia.press(f"{pin}#")
        await asked(pbx, tenant, "sys_mobile_number")
        await zofia.press("201#")
        assert "203@" in (await anna.until("CALL_INCOMING", unless="")).peer
        await anna.accept()
        await hears(anna, 440)
        await zofia.press("##202#")
        await jan.until("CALL_INCOMING", unless="")
        await jan.accept()
        await hears(anna, 1000)
        await anna.hang_up()
        record = await only_record(pbx, tenant, began)
    assert "203 transfers to 202" in [why for _, why in path(record)]


@pytest.mark.parametrize("tenant", PREFIX)
async def test_conversation_on_the_mobile_moves_to_the_desk_of_its_tenant_alone(pbx: Pbx, tenant: str) -> None:
    async with AsyncExitStack() as stack:
        zofia = await stack.enter_async_context(mobile(pbx))
        it = await stack.enter_async_context(firm(pbx, "202", tenant=tenant, outside=False))
        await it["202"].dial("203", pbx.server)
        await zofia.until("CALL_INCOMING", unless="")
        await zofia.accept()
        await zofia.until("CALL_ESTABLISHED", unless="")
        await confirms(pbx, zofia)
        await hears(it["202"], 440)
        desks = {each: await speaking(pbx, stack, f"{each}-203-desk", hz) for each, hz in ((other(tenant), 1600), (tenant, 1300))}
        await desks[other(tenant)].dial("*71", pbx.server)
        await desks[other(tenant)].until("CALL_CLOSED", unless="")
        await hears(it["202"], 440)
        await desks[tenant].dial("*71", pbx.server)
        await hears(it["202"], 1300)
        await zofia.until("CALL_CLOSED", unless="")
        await it["202"].hang_up()
        await pbx.nothing_is_left()


async def confirms(pbx: Pbx, phone: baresip.Phone) -> None:
    async def is_asked() -> bool:
        return "/sys_confirm-" in await asyncio.to_thread(pbx.runtime.asterisk_cli, "core show channels concise")

    await until(is_asked, "the key is asked for")
    await phone.press("1")
