"""Carriers that tenants share: changed, undone, moved between tenants, registered with, and shown by status."""

import asyncio
import json
import re
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runtime.instance import centralka_command
from sipp import Refused, run
from tests.live.firm import until_reachable
from tests.live.pbx import Pbx, until
from tests.live.shared_carriers import ANSWERS, HERE, TELCO, TENANTS, comes, number, only_record, until_recorded
from tests.live.started_instance import settings_at, started_instance

pytestmark = pytest.mark.live

VOICE = "127.77.0.9"
VOICE_TENANT = """\
tenant: voice
name: A carrier where one registers
country: PL
language: pl
timezone: Europe/Warsaw
users:
  "501": {name: The platform, devices: [line], ring_s: 10}
  "502": {name: Somebody, devices: [phone]}
failover: {ring: ["502"]}
"""


@pytest.fixture
def pbx(carriers_pbx: Pbx) -> Pbx:
    return carriers_pbx


def ends_with_2(pbx: Pbx, *arguments: str) -> str:
    """What a command says that finds something wrong, such as a carrier or a phone that is not there."""
    done = subprocess.run(
        [*centralka_command(pbx.runtime.home), *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2, done.stderr
    return done.stdout


async def test_status_shows_the_carriers_and_which_of_them_does_not_answer(pbx: Pbx) -> None:
    async with pbx.cast() as cast:
        await cast.callee(ANSWERS, at=TELCO, calls=0)
        await until_reachable(pbx, "platform-trunk-telco")
        await asyncio.to_thread(pbx.runtime.asterisk_cli, "pjsip qualify platform-trunk-spare")
        await until(lambda: re.search(r"151:\S+ +\S+ +Unavail", pbx.runtime.asterisk_cli("pjsip show contacts")), "nobody is there")
        told = json.loads(await asyncio.to_thread(ends_with_2, pbx, "status", "--json"))
    assert {trunk["endpoint"]: trunk["kind"] for trunk in told["trunks"]} == {
        "platform-trunk-spare": "address", "platform-trunk-telco": "address"}
    assert told["wrong"] == ["trunk platform-trunk-spare: its carrier doesn't answer OPTIONS"]


@pytest.fixture
def changed(pbx: Pbx, tmp_path: Path) -> Iterator[Path]:
    """A copy of the tenants' files to change; what was published before is published again at the end."""
    copy = tmp_path / "tenants"
    shutil.copytree(TENANTS, copy)
    yield copy
    pbx.runtime.apply(TENANTS)


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


async def test_changed_carrier_and_new_number_are_applied_undone_and_kept_while_a_password_changes(pbx: Pbx, changed: Path) -> None:
    edit(changed / "platform.yaml", "127.77.0.151, qualify_s: 3600", "127.77.0.152, qualify_s: 3600, country: PL")
    said = " ".join((await asyncio.to_thread(pbx.runtime.apply, changed)).split())
    assert "Asterisk reloaded extensions, pjsip and confirmed" in said
    call = comes(number("south", "13", "22{}"), pbx.outside_caller())
    await run(call, local="127.77.0.152", server=pbx.server)
    edit(changed / "north.yaml", 'numbers:\n', 'numbers:\n  "+48226660019": {to: ask}\n')
    await asyncio.to_thread(pbx.runtime.apply, changed)
    await run(comes("226660019", pbx.outside_caller()), local=TELCO.host, server=pbx.server)
    await asyncio.to_thread(pbx.centralka, "rollback")
    await run(comes("226660019", pbx.outside_caller(), Refused(404)), local=TELCO.host, server=pbx.server)
    said = await asyncio.to_thread(ends_with_2, pbx, "rotate", "north", "201-desk", "--minutes", "0")
    assert "both are right" in " ".join(said.split())
    await run(call, local="127.77.0.152", server=pbx.server)


async def test_number_that_moves_to_another_tenant_reaches_that_one_at_once(pbx: Pbx, changed: Path) -> None:
    caller, moved = pbx.outside_caller(), '  "+48226660019": {to: ask}\n'
    edit(changed / "south.yaml", "numbers:\n", f"numbers:\n{moved}")
    await asyncio.to_thread(pbx.runtime.apply, changed)
    edit(changed / "south.yaml", moved, "")
    edit(changed / "north.yaml", "numbers:\n", f"numbers:\n{moved}")
    said = " ".join((await asyncio.to_thread(pbx.runtime.apply, changed)).split())
    assert "Asterisk reloaded extensions and confirmed" in said
    await run(comes("+48226660019", caller), local=TELCO.host, server=pbx.server)
    assert (await pbx.record(caller, "north")).dialled == "+48226660019"


@pytest.fixture
def voice(tmp_path: Path) -> Iterator[Pbx]:
    """A carrier where one registers: a second instance."""
    folder = tmp_path / "voice"
    folder.mkdir()
    (folder / "voice.yaml").write_text(VOICE_TENANT)
    with started_instance("livevoice", settings_at(VOICE), folder) as voice:
        yield voice


async def test_carrier_where_we_register_calls_our_contact_and_the_number_stands_in_to(
    pbx: Pbx, changed: Path, voice: Pbx,
) -> None:
    line = f"  voice: {{kind: registration, server: {VOICE}, user: voice-501-line, country: PL, area_code: \"22\"}}\n"
    edit(changed / "platform.yaml", "carriers:\n", f"carriers:\n{line}")
    await asyncio.to_thread(pbx.centralka, "secret", "platform-trunk-voice", answer=voice.secrets.sip["voice-501-line"])
    await asyncio.to_thread(pbx.runtime.apply, changed)
    await until(lambda: "Registered" in pbx.runtime.asterisk_cli("pjsip show registrations"), "the carrier took the registration")
    registered = await asyncio.to_thread(voice.runtime.asterisk_cli, "database show registrar")
    (contact,) = re.findall(r'"uri":"(sip:platform@[^"]+)"', registered)
    _, line_of_it = contact.split(";")
    for to, whose in (("+48226660013", "north"), ("227770013", "south"), ("7770013", "south")):
        caller, began = pbx.outside_caller().number, datetime.now(UTC)
        assert await answer(contact, to, caller) == "200"
        record = await only_record(pbx, whose, began)
        assert (record.caller, record.dialled) == (caller, number(whose, "13", "+4822{}"))
        assert await answer(f"sip:{to}@{HERE};{line_of_it}", "platform", caller) == "200"
        await until_recorded(pbx, whose, began, 2)
    for to in ("platform", "201", "+48226660099", "+48226660013x", "", "x;y"):
        assert await answer(contact, to, "+48600711299") == "404"


class Carrier(asyncio.DatagramProtocol):
    """A carrier that writes its messages itself."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[str] = asyncio.Queue()

    def datagram_received(self, data: bytes, peer: tuple[str, int]) -> None:
        self.came.put_nowait(data.decode())


async def answer(uri: str, to: str, caller: str) -> str:
    """The final answer to an INVITE for this URI where To names another number; who is answered hangs up."""
    loop = asyncio.get_running_loop()
    transport, carrier = await loop.create_datagram_endpoint(Carrier, local_addr=(VOICE, 0))
    port, call = transport.get_extra_info("sockname")[1], uuid.uuid4().hex
    sdp = f"v=0\r\no=- 1 1 IN IP4 {VOICE}\r\ns=-\r\nc=IN IP4 {VOICE}\r\nt=0 0\r\nm=audio 30000 RTP/AVP 8\r\n"

    def send(method: str, to_tag: str, body: str = "") -> None:
        user = f"{to}@" if to else ""
        transport.sendto("\r\n".join([
            f"{method} {uri} SIP/2.0", f"Via: SIP/2.0/UDP {VOICE}:{port};branch=z9hG4bK{method}{call}",
            f"From: <sip:{caller}@{VOICE}>;tag=1", f"To: \"48226660013\" <sip:{user}{VOICE}>{to_tag}", f"Call-ID: {call}",
            f"CSeq: {2 if method == 'BYE' else 1} {method}", f"Contact: <sip:{VOICE}:{port}>", "Max-Forwards: 70",
            *(["Content-Type: application/sdp"] if body else []), f"Content-Length: {len(body)}", "", body]).encode(), (HERE, 5060))

    try:
        async with asyncio.timeout(15):
            send("INVITE", "", sdp)
            while (code := (text := await carrier.came.get()).split()[1]) < "200":
                pass
            (tag,) = re.findall(r"^To:.*(;tag=\S+)", text, re.MULTILINE)
            send("ACK", tag)
            if code == "200":
                send("BYE", tag)
                while "CSeq: 2 BYE" not in await carrier.came.get():
                    pass
        return code
    finally:
        transport.close()
