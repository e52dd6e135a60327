"""What the operator is told of devices: never seen, gone, come from elsewhere."""

import json
import subprocess

import pytest

from runtime.instance import centralka_command
from runtime.process import Process
from tests.agents.baresip import phone
from tests.live.pbx import Pbx, until

pytestmark = pytest.mark.live
ENDPOINT = "desks-210-spare"


def notice(pbx: Pbx, endpoint: str) -> str:
    """Trunks that nobody is behind make the command end with 2."""
    done = subprocess.run(
        [*centralka_command(pbx.runtime.home), "status", "--json"], capture_output=True, text=True, timeout=60, check=False)
    (found,) = (phone["notice"] for phone in json.loads(done.stdout)["phones"] if phone["endpoint"] == endpoint)
    return str(found)


async def test_device_is_told_as_never_seen_as_gone_and_as_come_from_elsewhere(pbx: Pbx) -> None:
    account = pbx.account(ENDPOINT)
    assert notice(pbx, ENDPOINT) == "never seen"
    async with phone("127.77.9.41") as terminal:
        await terminal.register(account.user, account.password, pbx.server)
        await until(lambda: is_logged(pbx, "device_first_seen", "at=127.77.9.41"), "it is seen")
        assert notice(pbx, ENDPOINT) == ""
    await until(lambda: is_logged(pbx, "device_gone", "was_at=127.77.9.41"), "it has gone")
    assert notice(pbx, ENDPOINT).startswith("registers no more since ")
    async with phone("127.77.9.42") as terminal:
        await terminal.register(account.user, account.password, pbx.server)
        await until(lambda: is_logged(pbx, "device_registers_from_elsewhere", "at=127.77.9.42 before=127.77.9.41"), "it moved")
        assert notice(pbx, ENDPOINT).startswith("registers from 127.77.9.42 since ")
        assert notice(pbx, ENDPOINT).endswith("before from 127.77.9.41")


def is_logged(pbx: Pbx, event: str, rest: str) -> bool:
    expected = (f"event={event} tenant=desks", f"endpoint={ENDPOINT} {rest}")
    return any(all(part in line for part in expected) for line in pbx.runtime.log_of(Process.AMI).splitlines())
