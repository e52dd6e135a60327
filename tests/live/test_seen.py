"""What the operator is told of devices: never seen, gone, come from elsewhere."""

import json
import subprocess

import pytest

from runtime.instance import centralka_command
from runtime.process import Process
from sipp import Register, run
from tests.live.pbx import Pbx, until

pytestmark = pytest.mark.live
ENDPOINT = "desks-208-terminal"


def notice(pbx: Pbx, endpoint: str) -> str:
    """Trunks that nobody is behind make the command end with 2."""
    done = subprocess.run(
        [*centralka_command(pbx.runtime.home), "status", "--json"], capture_output=True, text=True, timeout=60, check=False)
    (found,) = (phone["notice"] for phone in json.loads(done.stdout)["phones"] if phone["endpoint"] == endpoint)
    return str(found)


async def test_device_is_told_as_never_seen_as_gone_and_as_come_from_elsewhere(pbx: Pbx) -> None:
    account = pbx.account(ENDPOINT)
    assert notice(pbx, ENDPOINT) == "never seen"
    await run(Register(account=account), local="127.77.9.41", server=pbx.server)
    await until(lambda: is_logged(pbx, "device_first_seen", "at=127.77.9.41"), "it is seen")
    await until(lambda: is_logged(pbx, "device_gone", "was_at=127.77.9.41"), "nobody answers there any more")
    assert notice(pbx, ENDPOINT).startswith("does not answer since ")
    await run(Register(account=account, expires_s=0), local="127.77.9.41", server=pbx.server)
    assert notice(pbx, ENDPOINT).startswith("registers no more since ")
    await run(Register(account=account), local="127.77.9.42", server=pbx.server)
    await until(lambda: is_logged(pbx, "device_registers_from_elsewhere", "at=127.77.9.42 before=127.77.9.41"), "it moved")
    await run(Register(account=account, expires_s=0), local="127.77.9.42", server=pbx.server)


def is_logged(pbx: Pbx, event: str, rest: str) -> bool:
    expected = (f"event={event} tenant=desks", f"endpoint={ENDPOINT} {rest}")
    return any(all(part in line for part in expected) for line in pbx.runtime.log_of(Process.AMI).splitlines())
