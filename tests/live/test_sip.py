"""SIP in the manner of telephones of many makers: raw peers against the firm's Asterisk."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from routing.call.facts import DeviceState
from sipp import Account, Address
from tests.agents.raw_sip import Dialog, Message, RawSip, authorization, parsed, raw_sip
from tests.agents.rtp import ear
from tests.live.firm import until_reachable
from tests.live.pbx import Pbx, until

pytestmark = pytest.mark.live

CALLER, CALLED = "swap-201-desk", "swap-202-desk"
OUTSIDE_NUMBER = "+48587000011"


def audio(peer: RawSip) -> Address:
    return Address(peer.at.host, 40000)


@asynccontextmanager
async def telephone(pbx: Pbx, endpoint: str, *, codecs: str = "8 101") -> AsyncIterator[RawSip]:
    """It registers and answers what it is called with."""
    async with raw_sip(pbx.new_address(), pbx.server) as peer:
        assert (await peer.register(pbx.account(endpoint))).status == 200
        peer.answers["INVITE"] = lambda request: peer.reply(request, 200, "OK", body=peer.sdp(audio(peer), codecs=codecs))
        peer.answers["BYE"] = lambda request: peer.reply(request, 200, "OK")
        yield peer
        await peer.register(pbx.account(endpoint), expires_s=0)


async def calls(pbx: Pbx, caller: RawSip, account: Account, number: str, *, codecs: str = "8 101") -> Dialog:
    """The dialog of an answered call."""
    dialog = Dialog(f"sip:{number}@{pbx.server.host}", f"sip:{account.user}@{pbx.server.host}")
    answer = await caller.ask(dialog, "INVITE", body=caller.sdp(audio(caller), codecs=codecs), account=account)
    assert answer.status == 200, answer.start
    return dialog


@pytest.mark.parametrize(("method", "headers", "body", "expected"), [
    ("OPTIONS", (), "", {200}),
    ("INFO", (), "", {200}),
    ("MESSAGE", ("Content-Type: text/plain",), "hello", {200, 202, 405, 415, 488, 501}),
    ("UPDATE", (), "", {200}),
])
async def test_request_within_a_call_is_answered(
    pbx: Pbx, method: str, headers: tuple[str, ...], body: str, expected: set[int],
) -> None:
    account = pbx.account(CALLER)
    async with raw_sip(pbx.new_address(), pbx.server) as caller, telephone(pbx, CALLED):
        dialog = await calls(pbx, caller, account, "202")
        answer = await caller.ask(dialog, method, headers=headers, body=body, content_type="text/plain", account=account)
        assert answer.status in expected, answer.start
        assert (await caller.ask(dialog, "BYE", account=account)).status == 200


@pytest.mark.parametrize("method", ["OPTIONS", "INFO", "MESSAGE", "NOTIFY", "SUBSCRIBE", "REFER", "PUBLISH", "UPDATE", "PRACK", "DANCE"])
async def test_request_outside_a_call_is_answered_and_rings_nobody(pbx: Pbx, method: str) -> None:
    account = pbx.account(CALLER)
    async with raw_sip(pbx.new_address(), pbx.server) as peer, telephone(pbx, CALLED) as called:
        dialog = Dialog(f"sip:202@{pbx.server.host}", f"sip:{account.user}@{pbx.server.host}")
        answer = await peer.ask(dialog, method, headers=("Event: talk", "Expires: 60", "Refer-To: <sip:203@x>"), account=account)
        assert answer.status >= 200
        assert not [each for each in called.seen if each.method in ("INVITE", "MESSAGE")]
    await pbx.nothing_is_left()


async def test_caller_on_hold_hears_music_where_the_tenant_has_named_none(pbx: Pbx) -> None:
    assert not pbx.tenants["acme"].hold_music
    account, other = pbx.account("acme-201-desk"), "acme-203-desk"
    async with raw_sip(pbx.new_address(), pbx.server) as caller, telephone(pbx, other) as called, ear(audio(caller)) as heard:
        own = await calls(pbx, caller, account, "203")
        invite = await called.request("INVITE")
        ack = await called.request("ACK")
        far = Dialog(invite.contact, re.sub(r";tag=.*", "", invite.get("to")), call_id=invite.get("call-id"),
                     from_tag=ack.to_tag, to_tag=re.findall(r";tag=([^;>]+)", invite.get("from"))[0], target=invite.contact)
        body = called.sdp(audio(called)).replace("a=rtpmap", "a=sendonly\r\na=rtpmap")
        assert (await called.ask(far, "INVITE", body=body, account=pbx.account(other))).status == 200
        await until(lambda: any(len(set(sound)) > 20 for _, sound in heard.payloads), "the caller hears music")
        assert (await caller.ask(own, "BYE", account=account)).status == 200


async def test_telephones_that_offer_wideband_first_talk_in_it(pbx: Pbx) -> None:
    account = pbx.account(CALLER)
    async with raw_sip(pbx.new_address(), pbx.server) as caller, telephone(pbx, CALLED, codecs="9 8 101") as called:
        dialog = Dialog(f"sip:202@{pbx.server.host}", f"sip:{account.user}@{pbx.server.host}")
        answer = await caller.ask(dialog, "INVITE", body=caller.sdp(audio(caller), codecs="9 8 101"), account=account)
        invite = await called.request("INVITE")
        for message in (invite, answer):
            assert re.findall(r"^m=audio \d+ RTP/AVP (\d+)", message.body, re.M) == ["9"], message.body
        assert (await caller.ask(dialog, "BYE", account=account)).status == 200


class TcpPhone:
    """A telephone on one TCP connection. It answers OPTIONS; `came` holds all else."""

    def __init__(self, account: Account, server: Address, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.account, self.server, self.reader, self.writer = account, server, reader, writer
        self.host, self.port = writer.get_extra_info("sockname")
        self.came: asyncio.Queue[Message] = asyncio.Queue()
        self.sequence = 0

    async def read(self) -> None:
        while True:
            message = parsed(await self.reader.readuntil(b"\r\n\r\n"), self.server)
            await self.reader.readexactly(int(message.get("content-length") or 0))
            if message.method == "OPTIONS":
                self.reply(message, "200 OK")
            else:
                await self.came.put(message)

    def reply(self, request: Message, status: str) -> None:
        kept = "".join(f"{name}: {value}\r\n" for name, value in request.headers if name in ("via", "from", "call-id", "cseq"))
        self.writer.write(f"SIP/2.0 {status}\r\n{kept}To: {request.get('to')};tag=phone\r\nContent-Length: 0\r\n\r\n".encode())

    async def next(self, is_wanted: Callable[[Message], bool]) -> Message:
        async with asyncio.timeout(30):
            while not is_wanted(message := await self.came.get()):
                pass
        return message

    async def ask(self, method: str, uri: str, extra: str = "") -> int:
        """The status of the final response, after the answer to a challenge."""
        own = f"sip:{self.account.user}@{self.server.host}"
        to = own if method == "REGISTER" else uri
        for _ in range(2):
            self.sequence += 1
            cseq = f"{self.sequence} {method}"
            self.writer.write((
                f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/TCP {self.host}:{self.port};branch=z9hG4bK{self.sequence};rport\r\n"
                f"From: <{own}>;tag=t{method}\r\nTo: <{to}>\r\nCall-ID: tcp-{method}-{self.port}\r\nCSeq: {cseq}\r\n"
                f"Contact: <sip:{self.account.user}@{self.host}:{self.port};transport=tcp>\r\nMax-Forwards: 70\r\n"
                f"{extra}Content-Length: 0\r\n\r\n").encode())
            answer = await self.next(lambda each: each.status >= 200 and each.get("cseq") == cseq)    # noqa: B023
            if answer.status != 401:
                break
            extra += authorization(answer, self.account, method, uri) + "\r\n"
        return answer.status


async def test_telephone_on_tcp_registers_calls_with_a_long_invite_and_is_called(pbx: Pbx) -> None:
    here = pbx.new_address()
    reader, writer = await asyncio.open_connection(pbx.server.host, pbx.server.port, local_addr=(here.host, 0))
    phone = TcpPhone(pbx.account(CALLER), pbx.server, reader, writer)
    reading = asyncio.create_task(phone.read())
    try:
        assert await phone.ask("REGISTER", f"sip:{pbx.server.host}", "Expires: 60\r\n") == 200
        assert await phone.ask("INVITE", f"sip:99999@{pbx.server.host}", f"X-Padding: {'x' * 2000}\r\n") in (404, 488)
        await pbx.until_state(CALLER, DeviceState.IDLE)
        async with raw_sip(pbx.new_address(), pbx.server) as other:
            dialog = Dialog(f"sip:201@{pbx.server.host}", f"sip:{CALLED}@{pbx.server.host}")
            calling = asyncio.create_task(other.ask(dialog, "INVITE", body=other.sdp(audio(other)), account=pbx.account(CALLED)))
            phone.reply(await phone.next(lambda each: each.method == "INVITE"), "486 Busy Here")
            assert (await calling).status in (200, 486)
            if dialog.to_tag:
                await other.ask(dialog, "BYE", account=pbx.account(CALLED))
        assert await phone.ask("REGISTER", f"sip:{pbx.server.host}", "Expires: 0\r\n") == 200
    finally:
        reading.cancel()
        writer.close()


async def test_number_outside_is_shown_as_it_was_dialled(pbx: Pbx) -> None:
    account = pbx.account(CALLER)
    async with raw_sip(pbx.new_address(), pbx.server) as caller, raw_sip(Address("127.77.0.140", 5060), pbx.server) as carrier:
        def answer(request: object) -> None:
            carrier.reply(request, 180, "Ringing")        # type: ignore[arg-type]
            carrier.reply(request, 200, "OK", body=carrier.sdp(audio(carrier)))        # type: ignore[arg-type]

        carrier.answers["INVITE"] = answer
        carrier.answers["BYE"] = lambda request: carrier.reply(request, 200, "OK")
        await until_reachable(pbx, "swap-trunk-carrier")
        dialog = await calls(pbx, caller, account, OUTSIDE_NUMBER)
        named = [value for each in caller.seen for name in ("p-asserted-identity", "remote-party-id") for value in each.all(name)]
        assert named, "somebody is named"
        assert not [value for value in named if OUTSIDE_NUMBER not in value], named
        assert (await caller.ask(dialog, "BYE", account=account)).status == 200
