"""Who may register and call."""

import pytest

from sipp import Account, Call, Caller, Refused, Register, run
from tests.live.pbx import Pbx, until

pytestmark = pytest.mark.live


@pytest.mark.docker
async def test_phone_registers_with_its_password(pbx: Pbx) -> None:
    account = pbx.account("acme-202-desk")
    await run(Register(account=account), local="127.77.9.1", server=pbx.server)
    assert "127.77.9.1" in pbx.runtime.asterisk_cli("pjsip show contacts")
    await run(Register(account=account, expires_s=0), local="127.77.9.1", server=pbx.server)


@pytest.mark.parametrize("account", [
    Account("acme-202-desk", "wrong"), Account("acme-999-desk", "wrong"), Account("rossi-202", "wrong")])
@pytest.mark.docker
async def test_wrong_password_and_unknown_user_are_refused_and_logged_with_the_address(pbx: Pbx, account: Account) -> None:
    before = (pbx.settings.home / "log" / "security.log").stat().st_size
    await run(Register(account=account, expect=401), local="127.77.9.2", server=pbx.server)
    await until(lambda: "127.77.9.2" in pbx.log_since(before, "security.log"), "the log names the address")


async def test_call_without_an_account_is_refused_and_logged_with_the_address(pbx: Pbx) -> None:
    before = (pbx.settings.home / "log" / "security.log").stat().st_size
    for number in ("201", "48221234567"):
        for sender in ("acme-201-desk", "acme-trunk-carrier", "rossi-trunk-carrier", "nobody", "anonymous"):
            call = Call(number=number, caller=Caller(sender), ending=Refused(401))
            await run(call, local="127.77.9.3", server=pbx.server)
    await until(lambda: "127.77.9.3" in pbx.log_since(before, "security.log"), "the log names the address")
    await pbx.nothing_is_left()


async def test_one_tenants_password_does_not_open_the_others_account(pbx: Pbx) -> None:
    stolen = Account("rossi-201-desk", pbx.account("acme-201-desk").password)
    await run(Register(account=stolen, expect=401), local="127.77.9.4", server=pbx.server)
