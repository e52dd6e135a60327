"""The raw SIP peer of the live tests, against Asterisk."""

import pytest

from sipp import Address
from tests.agents.raw_sip import Dialog, raw_sip
from tests.live.pbx import Pbx

pytestmark = pytest.mark.live


async def test_raw_phone_registers_is_called_and_calls(pbx: Pbx) -> None:
    account = pbx.account("acme-201-desk")
    caller_account = pbx.account("acme-203-desk")
    async with raw_sip(pbx.new_address(), pbx.server) as phone, raw_sip(pbx.new_address(), pbx.server) as caller:
        assert (await phone.register(account)).status == 200
        dialog = Dialog(f"sip:201@{pbx.server.host}", f"sip:{caller_account.user}@{pbx.server.host}")
        phone.answers["INVITE"] = lambda request: phone.reply(
            request, 200, "OK", body=phone.sdp(Address(phone.at.host, 40000)))
        phone.answers["BYE"] = lambda request: phone.reply(request, 200, "OK")
        answered = await caller.ask(dialog, "INVITE", body=caller.sdp(Address(caller.at.host, 40000)), account=caller_account)
        assert answered.status == 200
        await phone.request("ACK")
        assert (await caller.ask(dialog, "BYE")).status == 200
        await phone.request("BYE")
        assert (await phone.register(account, expires_s=0)).status == 200
