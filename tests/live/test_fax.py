"""Fax machines on analogue ports send pages to fax machines outside, and take pages from them."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from PIL import Image, ImageChops

from routing.call.facts import DeviceState
from sipp import Account, Address
from tests.agents.fax import Faxed, FaxMachine, fax_machine, page_of
from tests.live.pbx import Pbx, until
from tests.live.test_phones import fetch

pytestmark = pytest.mark.live

CARRIER, PORT = "127.77.0.48", "127.77.10.9"
FAR, OWN = "587000001", "48229990002"
BY_T38, BY_G711 = Faxed("SUCCESS", "T38", 1), Faxed("SUCCESS", "audio", 1)


@asynccontextmanager
async def port(pbx: Pbx, maker: str = "patton", *, t38: bool = True) -> AsyncIterator[FaxMachine]:
    """What is plugged into the first port of a gateway, which is set up as its file says."""
    told = fetch(pbx, maker).accounts[0]
    account, server = Account(told.user, told.password), Address(told.host, told.port)
    async with fax_machine(PORT, server, account=account, t38=t38, secure=told.secure) as machine:
        # Asterisk may have found the machine of the test before gone, at the same address, and asks this one in a minute only.
        await asyncio.to_thread(pbx.runtime.asterisk_cli, f"pjsip qualify {told.user}")
        await pbx.until_state(told.user, DeviceState.IDLE)
        yield machine


async def knows_the_carrier(pbx: Pbx) -> None:
    await asyncio.to_thread(pbx.runtime.asterisk_cli, "pjsip qualify desks-trunk-carrier")
    await until(
        lambda: re.search(rf"{CARRIER}:\S+ +\S+ +Avail", pbx.runtime.asterisk_cli("pjsip show contacts")), "the carrier is known")


def is_the_page(received: Image.Image, sent: Image.Image) -> bool:
    """Dot for dot: error correction mode."""
    return received.size == sent.size and ImageChops.difference(received.convert("L"), sent.convert("L")).getbbox() is None


async def both(pbx: Pbx, one: FaxMachine, other: FaxMachine) -> tuple[Faxed, Faxed]:
    """What each says of the fax, once the call is over."""
    told = await one.faxed(), await other.faxed()
    await pbx.nothing_is_left()
    return told


@pytest.mark.parametrize("maker", ["patton", "ata"])
async def test_page_goes_out_through_the_trunk_by_t38(pbx: Pbx, maker: str) -> None:
    page = page_of("from the port")
    async with fax_machine(CARRIER, pbx.server) as far, port(pbx, maker) as own:
        await knows_the_carrier(pbx)
        await own.send(FAR, page)
        assert await both(pbx, own, far) == (BY_T38, BY_T38)
        assert is_the_page(far.received(), page)


@pytest.mark.parametrize(("maker", "number"), [("patton", OWN), ("ata", "48229990003")])
async def test_page_from_outside_reaches_the_port_by_t38(pbx: Pbx, maker: str, number: str) -> None:
    page = page_of("from outside")
    async with fax_machine(CARRIER, pbx.server) as far, port(pbx, maker) as own:
        await far.send(number, page)
        assert await both(pbx, far, own) == (BY_T38, BY_T38)
        assert is_the_page(own.received(), page)


@pytest.mark.parametrize("far_can", [True, False])
async def test_page_goes_out_by_g711_where_one_end_has_no_t38(pbx: Pbx, far_can: bool) -> None:
    page = page_of("by tones")
    async with fax_machine(CARRIER, pbx.server, t38=far_can) as far, port(pbx, t38=not far_can) as own:
        await knows_the_carrier(pbx)
        await own.send(FAR, page)
        assert await both(pbx, own, far) == (BY_G711, BY_G711)
        assert is_the_page(far.received(), page)


async def test_page_from_outside_reaches_the_port_by_g711_where_the_carrier_has_no_t38(pbx: Pbx) -> None:
    page = page_of("by tones")
    async with fax_machine(CARRIER, pbx.server, t38=False) as far, port(pbx) as own:
        await far.send(OWN, page)
        assert await both(pbx, far, own) == (BY_G711, BY_G711)
        assert is_the_page(own.received(), page)
