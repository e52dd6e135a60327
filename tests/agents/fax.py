"""Fax machines for tests: each an Asterisk of its own, from the same Debian root, that sends one page and takes one (res_fax)."""

import asyncio
import re
import shutil
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from confgen.publish.ownership import Id
from runtime.places import ROOT
from sipp import Account, Address

WIDTH = 1728          # of a page, in dots (ITU-T T.4)
_MODULES = (
    "res_pjproject", "res_sorcery_config", "res_sorcery_memory", "res_sorcery_astdb", "res_pjsip", "res_pjsip_session", "res_pjsip_pubsub",
    "res_pjsip_authenticator_digest", "res_pjsip_outbound_authenticator_digest", "res_pjsip_outbound_registration",
    "res_pjsip_endpoint_identifier_ip", "res_pjsip_sdp_rtp", "res_pjsip_caller_id", "res_pjsip_t38", "res_rtp_asterisk", "res_srtp", "chan_pjsip",
    "res_timing_timerfd", "codec_alaw", "codec_ulaw", "codec_a_mu", "format_sln", "res_fax", "res_fax_spandsp", "pbx_config",
    "app_verbose", "res_clioriginate")
_FILES = {
    "asterisk.conf": "[directories]\nastetcdir => {home}\nastdbdir => {home}\nastrundir => {home}\nastlogdir => {home}\n"
                     "astspooldir => {home}\nastdatadir => /usr/share/asterisk\n[options]\nhideconnect = yes\n",
    "modules.conf": "[modules]\nautoload = no\n" + "".join(f"load = {name}.so\n" for name in _MODULES),
    "logger.conf": "[logfiles]\nfaxes.log = notice,warning,error,verbose(3)\n",
    "rtp.conf": "[general]\nrtpstart = 14000\nrtpend = 14999\n",
    "extensions.conf": """[fax]
exten => send,1,SendFAX({home}/page.tif,{fallback})
exten => _[+0-9]!,1,Answer()
 same => n,ReceiveFAX({home}/received.tif,{fallback})
exten => h,1,Log(NOTICE,ended ${{FAXSTATUS}} by ${{FAXMODE}} pages ${{FAXPAGES}}: ${{FAXERROR}})
""",
    "pjsip.conf": """[way]
type = transport
protocol = {protocol}
method = tlsv1_2
bind = {host}
[pbx]
type = endpoint
transport = way
media_encryption = {encryption}
context = fax
disallow = all
allow = alaw
aors = pbx
direct_media = no
media_address = {host}
t38_udptl = {t38}
t38_udptl_ec = redundancy
t38_bind_udptl_to_media_address = yes
from_user = {user}
{auth}
[pbx]
type = aor
contact = sip:{server}\\;transport={protocol}
[pbx]
type = identify
endpoint = pbx
match = {server.host}
""",
}
_REGISTERED = """outbound_auth = pbx
[pbx]
type = auth
auth_type = digest
username = {account.user}
password = {account.password}
[pbx]
type = registration
transport = way
outbound_auth = pbx
server_uri = sip:{server}\\;transport={protocol}
client_uri = sip:{account.user}@{server}
contact_user = 1
retry_interval = 5
"""


@dataclass(frozen=True, slots=True)
class Faxed:
    """What a machine says of a fax when it is over. `mode`: T38 or audio."""

    status: str
    mode: str
    pages: int


class FaxMachine:
    def __init__(self, home: Path) -> None:
        self._home = home

    async def send(self, number: str, page: Image.Image) -> None:
        """Begins to call that number; returns before it is answered."""
        page.save(self._home / "page.tif", compression="group4", dpi=(204, 196))
        await self._console(f"channel originate PJSIP/{number}@pbx extension send@fax")

    async def faxed(self, within_s: float = 90) -> Faxed:
        """What came of the one fax."""
        pattern = re.compile(r"Ext\. h: ended (\w*) by (\w*) pages (\d*):")
        try:
            async with asyncio.timeout(within_s):
                while not (found := pattern.search(self.log())):  # noqa: ASYNC110 - a file tells nobody that it grew
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"no fax has ended within {within_s} s:\n{self.log()}") from None
        status, mode, pages = found.groups()
        return Faxed(status, mode, int(pages or 0))

    def received(self) -> Image.Image:
        """The first page that it took."""
        with Image.open(self._home / "received.tif") as page:
            return page.convert("1")

    async def registered(self) -> None:
        """Until the server has taken its registration."""
        async with asyncio.timeout(15):
            while "Registered" not in await self._console("pjsip show registrations"):  # noqa: ASYNC110
                await asyncio.sleep(0.1)

    def log(self) -> str:
        files = (self._home / "console.log", self._home / "faxes.log")
        return "\n".join(file.read_text(errors="replace") for file in files if file.exists())

    async def _console(self, command: str) -> str:
        asking = await asyncio.create_subprocess_exec(*_asterisk(self._home), "-rx", command, stdout=-1, stderr=-1)
        said, _ = await asyncio.wait_for(asking.communicate(), 10)
        return said.decode(errors="replace")


def page_of(text: str) -> Image.Image:
    """A page with lines, a frame and a text on it, as long as makes some seconds at 14,400 bit/s."""
    page = Image.new("1", (WIDTH, 1100), 1)
    draw = ImageDraw.Draw(page)
    draw.rectangle((40, 40, WIDTH - 40, 1060), outline=0, width=6)
    for row in range(12):
        draw.text((80, 80 + row * 80), f"{row}: {text}", fill=0, font_size=48)
    return page


@asynccontextmanager
async def fax_machine(
    host: str, server: Address, *, account: Account | None = None, t38: bool = True, secure: bool = False,
) -> AsyncIterator[FaxMachine]:
    """A machine at this loopback address, registered with the `account`, or behind a trunk without one. Not `t38`: it can G.711 alone.
    `secure`: by TLS, and with SRTP."""
    home = ROOT / "srv" / f"fax-{host}"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    protocol = "tls" if secure else "udp"
    values = {
        "protocol": protocol, "encryption": "sdes" if secure else "no",
        "home": f"/srv/{home.name}", "host": host, "server": server, "user": account.user if account else "fax",
        "t38": "yes" if t38 else "no", "fallback": "f" if t38 else "F",
        "auth": _REGISTERED.format(account=account, server=server, protocol=protocol) if account else ""}
    for name, text in _FILES.items():
        (home / name).write_text(text.format(**values))
    shutil.chown(home, Id.ASTERISK, Id.ASTERISK)
    for file in home.iterdir():
        shutil.chown(file, Id.ASTERISK, Id.ASTERISK)
    with (home / "console.log").open("wb") as output:
        process = await asyncio.create_subprocess_exec(*_asterisk(home), "-f", stdin=DEVNULL, stdout=output, stderr=output)
    machine = FaxMachine(home)
    try:
        await _started(machine, process)
        if account:
            await machine.registered()
        yield machine
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        shutil.rmtree(home, ignore_errors=True)


async def _started(machine: FaxMachine, process: Process) -> None:
    async with asyncio.timeout(20):
        while "fully booted" not in await machine._console("core waitfullybooted"):
            if process.returncode is not None:
                raise AssertionError(f"the fax machine ended with {process.returncode}: {machine.log()}")
            await asyncio.sleep(0.1)


def _asterisk(home: Path) -> tuple[str, ...]:
    user = f"{Id.ASTERISK:d}:{Id.ASTERISK:d}"
    return ("/usr/sbin/chroot", f"--userspec={user}", str(ROOT), "/usr/sbin/asterisk", "-C", f"/srv/{home.name}/asterisk.conf")
