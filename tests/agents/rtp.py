"""A raw RTP port: it keeps what it hears, and says what a test says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sipp import Address

PACKET_S = 0.02
PACKET_BYTES = 160


@dataclass
class Ear(asyncio.DatagramProtocol):
    """A UDP port for audio. `payloads`: (payload type, samples) of the RTP packets that came."""

    payloads: list[tuple[int, bytes]] = field(default_factory=list)
    said: int = 0                    # packets
    transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:        # type: ignore[override]
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.payloads.append((data[1] & 0x7F, data[12:]))

    async def say(self, sound: bytes, to: Address) -> None:
        """Sends A-law in packets of 20 ms, at the speed of speech."""
        assert self.transport
        for start in range(0, len(sound), PACKET_BYTES):
            number = self.said
            self.said += 1
            head = bytes([0x80, 8]) + (number & 0xFFFF).to_bytes(2, "big") + (number * PACKET_BYTES).to_bytes(4, "big") + b"\0\0\0\7"
            self.transport.sendto(head + sound[start:start + PACKET_BYTES], (to.host, to.port))
            await asyncio.sleep(PACKET_S)


@asynccontextmanager
async def ear(at: Address) -> AsyncIterator[Ear]:
    transport, heard = await asyncio.get_running_loop().create_datagram_endpoint(Ear, local_addr=(at.host, at.port))
    try:
        yield heard
    finally:
        transport.close()
