"""A trunk that registers, at a carrier that is a second Asterisk."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sipp import Account, Address, Call, Caller, SendHangUp, Silence, run
from tests.live.pbx import TENANTS, Pbx, path_of, until
from tests.live.started_instance import settings_at, started_instance

pytestmark = pytest.mark.live

CARRIER = "127.77.0.9"
CARRIER_TENANT = """\
tenant: carrier
name: Carrier
country: IT
language: it
timezone: Europe/Rome
users:
  "501": {name: Line of Rossi, devices: [line], ring_s: 10}
  "502": {name: Somebody, devices: [phone]}
failover: {ring: ["502"]}
"""


@pytest.fixture
def carrier(tmp_path: Path) -> Iterator[Pbx]:
    (tmp_path / "carrier").mkdir()
    (tmp_path / "carrier" / "carrier.yaml").write_text(CARRIER_TENANT)
    with started_instance("livecarrier", settings_at(CARRIER), tmp_path / "carrier") as carrier:
        yield carrier


async def test_call_comes_in_over_a_trunk_that_registered_once_its_password_was_right(pbx: Pbx, carrier: Pbx, tmp_path: Path) -> None:
    tenants = tmp_path / "tenants"
    shutil.copytree(TENANTS, tenants)
    file = tenants / "rossi.yaml"
    line = f"  line: {{kind: registration, server: {CARRIER}, user: carrier-501-line, number: \"+390612345678\"}}\n"
    file.write_text(file.read_text().replace("trunks:\n", f"trunks:\n{line}"))
    await asyncio.to_thread(pbx.centralka, "secret", "rossi-trunk-line", answer="mistyped")
    try:
        await asyncio.to_thread(pbx.runtime.apply, tenants)
        await until(lambda: "Rejected" in pbx.runtime.asterisk_cli("pjsip show registrations"), "the trunk is refused")
        await asyncio.to_thread(pbx.centralka, "secret", "rossi-trunk-line", answer=carrier.secrets.sip["carrier-501-line"])
        await asyncio.to_thread(pbx.runtime.apply, tenants)
        await until(lambda: "Registered" in pbx.runtime.asterisk_cli("pjsip show registrations"), "the trunk is registered")
        me = Account("carrier-502-phone", carrier.secrets.sip["carrier-502-phone"])
        call = Call(number="501", caller=Caller(me.user), account=me, media=(Silence(1000),), ending=SendHangUp(500))
        await run(call, local="127.77.9.30", server=Address(CARRIER))
        record = await pbx.record("502", "rossi")
        assert path_of(record)[:2] == pbx.simulated("+390612345678", tenant="rossi")[:2]
    finally:
        await asyncio.to_thread(pbx.runtime.apply, TENANTS)
