"""Phones that only register, repeatedly, each from its own port (RFC 3261, section 10; RFC 2617)."""

import asyncio
import hashlib
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sipp import Account, Address

ANSWER_S = 4.0          # a later answer counts as none
EXPIRES_S = 3600
CHALLENGED, GOOD = 401, 200


@dataclass(slots=True)
class Registered:
    """`answer_ms`: from the first REGISTER to the 200, the challenge between included."""

    answer_ms: list[float] = field(default_factory=list)
    failed: int = 0


class Phone(asyncio.DatagramProtocol):
    """Answers the OPTIONS by which Asterisk qualifies the contact."""

    def __init__(self, account: Account, server: Address) -> None:
        self._account, self._server = account, server
        self._transport: asyncio.DatagramTransport | None = None
        self._answer: asyncio.Future[str] | None = None
        self._cseq = 0

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:      # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        text = data.decode(errors="replace")
        if text.startswith("OPTIONS "):
            self._send(answer_to(text))
        elif self._answer and not self._answer.done() and f"CSeq: {self._cseq} REGISTER" in text:
            self._answer.set_result(text)

    async def register(self) -> bool:
        answer = await self._ask("")
        if code_of(answer) == CHALLENGED:
            answer = await self._ask(authorization(self._account, self._server, answer))
        return code_of(answer) == GOOD

    async def _ask(self, authorized: str) -> str:
        """The answer to one REGISTER, '' where none comes in time."""
        assert self._transport
        host, port, *_ = self._transport.get_extra_info("sockname")
        user, here = self._account.user, f"{host}:{port}"
        self._cseq += 1
        self._answer = asyncio.get_running_loop().create_future()
        self._send(
            f"REGISTER sip:{self._server.host} SIP/2.0\r\nVia: SIP/2.0/UDP {here};rport;branch=z9hG4bK{user}{self._cseq}\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:{user}@{self._server.host}>;tag={user}\r\nTo: <sip:{user}@{self._server.host}>\r\n"
            f"Call-ID: {user}@{host}\r\nCSeq: {self._cseq} REGISTER\r\nContact: <sip:{user}@{here}>\r\nExpires: {EXPIRES_S}\r\n"
            f"{authorized}Content-Length: 0\r\n\r\n")
        try:
            async with asyncio.timeout(ANSWER_S):
                return await self._answer
        except TimeoutError:
            return ""

    def _send(self, text: str) -> None:
        assert self._transport
        self._transport.sendto(text.encode(), self._server)


def code_of(answer: str) -> int:
    found = re.match(r"SIP/2\.0 ([0-9]{3})", answer)
    return int(found[1]) if found else 0


def authorization(account: Account, server: Address, challenge: str) -> str:
    """The header that answers a 401."""
    realm, nonce = (re.search(rf'{name}="([^"]*)"', challenge) for name in ("realm", "nonce"))
    if not realm or not nonce:
        return ""
    uri, cnonce, count = f"sip:{server.host}", "bench", "00000001"
    secret = md5(f"{account.user}:{realm[1]}:{account.password}")
    response = md5(f"{secret}:{nonce[1]}:{count}:{cnonce}:auth:{md5(f'REGISTER:{uri}')}")
    opaque = re.search(r'opaque="([^"]*)"', challenge)
    more = f', opaque="{opaque[1]}"' if opaque else ""
    return (
        f'Authorization: Digest username="{account.user}", realm="{realm[1]}", nonce="{nonce[1]}", uri="{uri}", qop=auth, '
        f'nc={count}, cnonce="{cnonce}", algorithm=MD5, response="{response}"{more}\r\n')


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def answer_to(request: str) -> str:
    """200 to a request, by its own headers."""
    kept = [line for line in request.split("\r\n") if re.match(r"(Via|From|To|Call-ID|CSeq):", line)]
    return "\r\n".join(["SIP/2.0 200 OK", *kept, "Content-Length: 0", "", ""])


@asynccontextmanager
async def registering(accounts: Sequence[Account], hosts: str, server: Address, refresh_s: float) -> AsyncIterator[Registered]:
    """All have registered before the block begins, and register again every `refresh_s` seconds, spread over that time, while
    it runs; what is yielded counts only that. `hosts` are the first three numbers of their addresses."""
    found, loop = Registered(), asyncio.get_running_loop()
    phones: list[Phone] = []
    transports: list[asyncio.DatagramTransport] = []
    try:
        for i, account in enumerate(accounts):
            transport, phone = await loop.create_datagram_endpoint(
                lambda account=account: Phone(account, server),      # type: ignore[misc]
                local_addr=(f"{hosts}.{i % 250 + 1}", 5060 + 10 * (i // 250)))
            phones.append(phone)
            transports.append(transport)
        async with asyncio.TaskGroup() as group:
            first = [group.create_task(_in_turn(phone, i * 0.01)) for i, phone in enumerate(phones)]
        if not all(task.result() for task in first):
            raise RuntimeError(f"{sum(not task.result() for task in first)} of {len(phones)} phones could not register")
        tasks = [
            asyncio.create_task(_refresh(phone, refresh_s * i / len(phones), refresh_s, found))
            for i, phone in enumerate(phones)]
        try:
            yield found
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        for transport in transports:
            transport.close()


async def _in_turn(phone: Phone, after_s: float) -> bool:
    await asyncio.sleep(after_s)
    return await phone.register()


async def _refresh(phone: Phone, first_s: float, every_s: float, found: Registered) -> None:
    await asyncio.sleep(first_s)
    while True:
        began = time.perf_counter()
        if await phone.register():
            found.answer_ms.append(1000 * (time.perf_counter() - began))
        else:
            found.failed += 1
        await asyncio.sleep(max(0.0, every_s - (time.perf_counter() - began)))
