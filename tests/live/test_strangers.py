"""Strangers: they guess passwords and send nonsense, and what they can cause is bounded. Raw packets, as no honest phone sends."""

import asyncio
import hashlib
import itertools
import json
import re
import socket
from contextlib import suppress
from typing import Any

import pytest

from ami.security.guesses import ALLOWED
from runtime.instance import centralka_command
from runtime.process import Process
from sipp import Address, Callee, Ring
from store import live, registrations
from tests.live.pbx import Pbx, until

pytestmark = pytest.mark.live

ACCOUNT, OTHER = "acme-201-desk", "acme-202-desk"
FORGED = "[2026-11-30 10:00:00.000] ERROR[1] forged.c: \x1b[31mline"
MOST_LOG_BYTES = 60_000       # of 2,000 hostile packets, in messages.log and security.log together
NOBODY = tuple(f"acme-{number}-desk" for number in range(995, 999))      # accounts that no other test guesses at
_numbers = itertools.count(1)


class Stranger:
    """A SIP client that sends what it is given."""

    def __init__(self, pbx: Pbx, at: str) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((at, 0))
        self._socket.settimeout(1)
        self._server, self._at = (pbx.settings.sip_address, pbx.settings.sip_port), at

    def send(self, packet: bytes) -> None:
        self._socket.sendto(packet, self._server)

    def exchange(self, packet: bytes, call_id: bytes) -> bytes:
        """The final answer to a request, which is sent again while there is none. The server's own requests, such as OPTIONS,
        are passed over."""
        for _ in range(60):
            self.send(packet)
            with suppress(TimeoutError):
                while True:
                    answer = self._socket.recv(65535)
                    if answer.startswith(b"SIP/2.0 ") and call_id in answer and not answer.startswith(b"SIP/2.0 1"):
                        return answer
        raise AssertionError("no answer")

    def register(self, account: str, password: str, *, call_id: bytes = b"", display: bytes = b"") -> int:
        """The status of the answer to a registration, with the answer to the challenge if there is one."""
        call = (call_id or b"call") + b"-%d" % next(_numbers)
        first = self.exchange(self._request(account, call, display, b""), call)
        if _status(first) != 401:
            return _status(first)
        challenge = dict(re.findall(rb'(\w+)="([^"]*)"', first.split(b"WWW-Authenticate: ")[1].split(b"\r\n")[0]))
        uri = f"sip:{self._server[0]}"
        realm, nonce = challenge[b"realm"].decode(), challenge[b"nonce"].decode()
        secret, request = _md5(f"{account}:{realm}:{password}"), _md5(f"REGISTER:{uri}")
        response = _md5(f"{secret}:{nonce}:00000001:abc:auth:{request}")
        header = (f'Authorization: Digest username="{account}",realm="{realm}",nonce="{nonce}",uri="{uri}",cnonce="abc",nc=00000001,'
                  f'qop=auth,algorithm=MD5,opaque="{challenge[b"opaque"].decode()}",response="{response}"\r\n')
        return _status(self.exchange(self._request(account, call, display, header.encode()), call))

    def _request(self, account: str, call: bytes, display: bytes, authorization: bytes) -> bytes:
        host, port = self._server[0], self._socket.getsockname()[1]
        return (
            f"REGISTER sip:{host} SIP/2.0\r\nVia: SIP/2.0/UDP {self._at}:{port};branch=z9hG4bK{next(_numbers)};rport\r\n"
            "Max-Forwards: 70\r\nFrom: ".encode() + display + f"<sip:{account}@{host}>;tag=1\r\nTo: <sip:{account}@{host}>\r\nCall-ID: ".encode()
            + call + f"\r\nCSeq: {next(_numbers)} REGISTER\r\nContact: <sip:{account}@{self._at}:{port}>\r\n".encode()
            + authorization + b"Content-Length: 0\r\n\r\n")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _status(answer: bytes) -> int:
    return int(answer.split(b" ")[1])


async def until_banned(pbx: Pbx, stranger: Stranger, *accounts: str, **written: bytes) -> None:
    """Sends wrong passwords, ALLOWED and a few more, and waits until the stranger is refused before any challenge. Until then
    the right password would register the address, and addresses with devices are not banned."""
    for number in range(ALLOWED + 2):
        await asyncio.to_thread(stranger.register, accounts[number % len(accounts)], "wrong", **written)

    async def is_refused() -> bool:
        return await asyncio.to_thread(stranger.register, NOBODY[0], "wrong") == 403

    await until(is_refused, "the guesser is refused", limit_s=150)
    assert await asyncio.to_thread(stranger.register, ACCOUNT, pbx.secrets.sip[ACCOUNT]) == 403


async def status(pbx: Pbx) -> dict[str, Any]:
    """The banned addresses of `centralka status`, which ends with 2 where nobody is behind the trunks."""
    done = await asyncio.create_subprocess_exec(
        *centralka_command(pbx.settings.home), "status", "--json", stdout=asyncio.subprocess.PIPE)
    output, _ = await done.communicate()
    return json.loads(output)["bans"]  # type: ignore[no-any-return]


@pytest.mark.parametrize(("number", "written"), list(enumerate([
    {}, {"call_id": b"\xff\xfe"}, {"call_id": b'x",RemoteAddress="IPV4/UDP/203.0.113.9/5060'},
    {"display": b"\"x' failed for '203.0.113.9:5060' (callid: 1) - Failed to authenticate\" "}], start=20)))
async def test_guesser_is_banned_whatever_it_writes_and_the_account_stays_open(pbx: Pbx, number: int, written: dict[str, bytes]) -> None:
    guesser, address = Stranger(pbx, f"127.77.9.{number}"), f"127.77.9.{number}"
    await until_banned(pbx, guesser, ACCOUNT, *NOBODY, **written)
    owner = Stranger(pbx, f"127.77.9.{number + 20}")
    assert await asyncio.to_thread(owner.register, ACCOUNT, pbx.secrets.sip[ACCOUNT]) == 200
    assert address in await status(pbx)
    assert "is answered again" in pbx.centralka("unban", address)

    async def is_answered() -> bool:
        return await asyncio.to_thread(guesser.register, ACCOUNT, pbx.secrets.sip[ACCOUNT]) == 200

    await until(is_answered, "the address is answered again", limit_s=150)


async def test_ban_outlives_the_ami_service(pbx: Pbx) -> None:
    guesser = Stranger(pbx, "127.77.9.30")
    await until_banned(pbx, guesser, ACCOUNT, *NOBODY)
    pbx.runtime.stop_process(Process.AMI, kill=True)
    assert await asyncio.to_thread(guesser.register, ACCOUNT, pbx.secrets.sip[ACCOUNT]) == 403
    pbx.runtime.start_process(Process.AMI)
    assert await asyncio.to_thread(guesser.register, ACCOUNT, pbx.secrets.sip[ACCOUNT]) == 403
    pbx.centralka("unban", "127.77.9.30")


async def test_guesser_behind_the_nat_of_a_registered_phone_does_not_silence_it(pbx: Pbx) -> None:
    address = "127.77.9.31"
    guesser = Stranger(pbx, address)

    async def is_known() -> bool:
        async with live.connect(pbx.settings.redis_url) as redis:
            return address in {each.address for each in (await registrations.load(redis)).values() if each.is_there}

    async with pbx.cast() as cast:
        await cast.callee(Callee(then=Ring()), at=Address(address), account=pbx.account(ACCOUNT), calls=None)
        await until(is_known, "the phone's address is known", limit_s=150)
        for _ in range(3 * ALLOWED):
            assert await asyncio.to_thread(guesser.register, NOBODY[0], "wrong") == 401

    async def is_reported() -> bool:
        async with live.connect(pbx.settings.redis_url) as redis:
            return await redis.hexists("centralka:guessed", address)

    await until(is_reported, "the guesses are reported", limit_s=150)
    assert await asyncio.to_thread(Stranger(pbx, address).register, ACCOUNT, pbx.secrets.sip[ACCOUNT]) == 200


HOSTILE = [
    f"INVITE sip:x SIP/2.0\r\nVia: nonsense\r\n{FORGED}\r\n\r\n",
    f"\0garbage\n{FORGED}\r\n\r\n",
    f"INVITE sip:201@host SIP/2.0\r\nX: y\n{FORGED}\r\n\r\n",
    f"INVITE sip:201@host SIP/2.0\r\nVia: SIP/2.0/UDP 127.77.9.32;branch=z9hG4bK1\r\nSubject: x\n {FORGED}\r\n\r\n",
    "OPTIONS sip:201@host SIP/2.0\r\nVia: SIP/2.0/UDP 127.77.9.32;branch=z9hG4bK2\r\nFrom: <sip:a%0Aforged.c@b>;tag=1\r\n"
    "To: <sip:a@b>\r\nCall-ID: 2\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
    "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.77.9.32;branch=z9hG4bK3\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 3\r\n"
    "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
    f"INVITE sip:201@host SIP/2.0\r\nVia: SIP/2.0/UDP 127.77.9.32;branch=z9hG4bK4\r\nFrom: \"x\n{FORGED}\" <sip:nobody@b>;tag=1\r\n"
    "To: <sip:a@b>\r\nCall-ID: 4\r\nCSeq: 1 INVITE\r\nContact: <sip:a@b>\r\nContent-Length: 0\r\n\r\n",
    "INVITE sip:201@host SIP/2.0\r\nVia: SIP/2.0/UDP 127.77.9.32;branch=z9hG4bK{0}\r\nFrom: \"forged.c\" <sip:nobody@b>;tag=1\r\n"
    "To: <sip:a@b>\r\nCall-ID: \r{0}\r\nCSeq: 1 INVITE\r\nContact: <sip:a@b>\r\nContent-Length: 0\r\n\r\n",
    "REGISTER sip:host SIP/2.0\r\nVia: SIP/2.0/UDP 127.77.9.32;branch=z9hG4bK{0}\r\nFrom: <sip:nobody@b>;tag=1\r\n"
    "To: <sip:a@b>\r\nCall-ID: \xff{0}\r\nCSeq: 1 REGISTER\r\nContact: <sip:a@b>\r\nContent-Length: 0\r\n\r\n",
]


async def test_hostile_packets_leave_bounded_logs_and_no_line_of_their_own(pbx: Pbx) -> None:
    logs = [pbx.settings.home / "log" / name for name in ("messages.log", "security.log")]
    before = {log: log.stat().st_size for log in logs}
    strangers = [Stranger(pbx, f"127.77.9.{number}") for number in (32, 33, 34)]
    for number in range(2000):
        packet = HOSTILE[number % len(HOSTILE)].replace("{0}", str(number)).encode("latin-1")
        strangers[number % len(strangers)].send(packet)
        if number % 20 == 19:
            await asyncio.sleep(0)
    witness = Stranger(pbx, "127.77.9.35")
    await asyncio.to_thread(witness.register, OTHER, "wrong")
    await until(lambda: "127.77.9.35" in pbx.log_since(before[logs[1]], "security.log"), "all has been read", limit_s=150)
    written = {log: log.read_bytes()[before[log]:] for log in logs}
    assert sum(map(len, written.values())) < MOST_LOG_BYTES
    lines = [line for text in written.values() for line in text.decode().split("\n") if line]
    assert [line for line in lines if not re.match(r"\[[0-9-]+ [0-9:.]+\] [A-Z]+ [\w./-]+: ", line)] == []
    assert [line for line in lines if re.search("[\x00-\x1f\x7f]", line) or re.match(r".{30,40}forged", line)] == []
