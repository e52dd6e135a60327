"""A way into Asterisk's TLS port for SIPp, whose Debian package speaks UDP only: what comes by UDP goes on by TLS, and back."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sipp import Address

BRANCH = re.compile(rb"^(?:Via|v) *:[^\r\n]*;branch=([^;,\s]+)", re.M | re.I)      # of the first Via: of the transaction


class _Relay(asyncio.DatagramProtocol):
    """Asterisk answers where the TLS connection comes from, whatever the messages say."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.peer: tuple[str, int] | None = None
        self.answered: set[bytes] = set()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.peer = addr
        if data.startswith(b"SIP/2.0 ") and (branch := BRANCH.search(data)):
            self.answered.add(branch[1])
        self.writer.write(data)


@asynccontextmanager
async def tls_relay(at: Address, server: Address, called: Address | None = None) -> AsyncIterator[Address]:
    """Where one SIPp is to send what is for `server`, which is known by its certificate to others. Requests go to who has sent
    something last, or to who is `called`: another process may have registered it."""
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(server.host, server.port, ssl=trust, local_addr=(at.host, 0))
    transport, relay = await asyncio.get_running_loop().create_datagram_endpoint(lambda: _Relay(writer), local_addr=(at.host, at.port))

    async def ask(message: bytes, whom: tuple[str, int]) -> None:
        """Again and again, as over UDP: nobody may be there yet, and over TLS nothing is sent twice."""
        branch = BRANCH.search(message)
        for _ in range(20):
            transport.sendto(message, whom)
            await asyncio.sleep(0.5)
            if branch is None or branch[1] in relay.answered or message.startswith(b"ACK "):
                return

    async def back(tasks: asyncio.TaskGroup) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"^(?:Content-Length|l) *: *([0-9]+)", head, re.M | re.I)
            body = await reader.readexactly(int(length[1]) if length else 0)
            message = head.lstrip() + body
            if called and not message.startswith(b"SIP/2.0 "):
                tasks.create_task(ask(message, (called.host, called.port)))
            elif relay.peer:
                transport.sendto(message, relay.peer)

    async def run() -> None:
        async with asyncio.TaskGroup() as tasks:
            await back(tasks)

    task = asyncio.create_task(run())
    try:
        yield at
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        transport.close()
        writer.close()
