"""A device's password is changed while it is in use."""

import asyncio

import pytest

from sipp import Account, Register, run
from tests.live.pbx import Pbx, until

pytestmark = pytest.mark.live
ENDPOINT = "desks-202-desk"


async def registers(pbx: Pbx, password: str, *, expect: int = 200) -> None:
    await run(Register(account=Account(ENDPOINT, password), expect=expect), local="127.77.9.31", server=pbx.server)


async def test_both_passwords_are_right_until_the_device_uses_the_new_one(pbx: Pbx) -> None:
    old = pbx.secrets.sip[ENDPOINT]
    await registers(pbx, old)
    rotating = asyncio.create_task(asyncio.to_thread(pbx.centralka, "rotate", "desks", "202-desk", "--minutes", "0.5"))
    await until(lambda: pbx.secrets.next_sip.get(ENDPOINT), "there is a new password")
    new = pbx.secrets.next_sip[ENDPOINT]
    assert new != old
    await until(lambda: (pbx.settings.home / "log" / "rotation").exists(), "it is watched which is used")
    await registers(pbx, old)
    assert not rotating.done()
    await registers(pbx, "wrong", expect=401)
    assert not rotating.done()
    await registers(pbx, new)
    assert "has used its new password" in await rotating
    assert (pbx.secrets.sip[ENDPOINT], pbx.secrets.next_sip) == (new, {})
    await registers(pbx, new)
    await registers(pbx, old, expect=401)
    assert not (pbx.settings.home / "log" / "rotation").exists()


async def test_device_that_does_not_use_the_new_password_keeps_both(pbx: Pbx) -> None:
    old = pbx.secrets.sip[ENDPOINT]
    with pytest.raises(AssertionError):
        await asyncio.to_thread(pbx.centralka, "rotate", "desks", "202-desk", "--minutes", "0.01")
    new = pbx.secrets.next_sip[ENDPOINT]
    await registers(pbx, old)
    await registers(pbx, new)
    assert pbx.secrets.next_sip[ENDPOINT] == new


async def test_second_rotation_at_the_same_time_is_refused_and_changes_nothing(pbx: Pbx) -> None:
    rotating = asyncio.create_task(asyncio.to_thread(pbx.centralka, "rotate", "desks", "202-desk", "--minutes", "0.5"))
    await until(lambda: (pbx.settings.home / "log" / "rotation").exists(), "the first one waits")
    before = pbx.secrets
    with pytest.raises(AssertionError, match="has not been changed: another command waits for desks-202-desk"):
        await asyncio.to_thread(pbx.centralka, "rotate", "desks", "201-desk")
    assert pbx.secrets == before
    await registers(pbx, before.next_sip[ENDPOINT])
    assert "has used its new password" in await rotating
