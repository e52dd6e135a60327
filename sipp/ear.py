"""The ear of a SIPp caller or callee: a socket on its media port that keeps the received RTP.

SIPp plays RTP but can't record it. Its SDP therefore names a port beside its own media socket, and we listen there.
"""

import asyncio
import socket
from collections.abc import Callable, Container
from types import TracebackType
from typing import Self

from sipp import rtp
from sipp.sound import share_of_tone

BESIDE = 4  # SIPp occupies its media port and the one two above it


def free_port(host: str, *, beside: int = 0, spared: Container[int] = ()) -> int:
    """An even UDP port free at this moment, as are the even ones up to `beside` below it; none of them is one of `spared`."""
    for _ in range(100):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
            found.bind((host, 0))
            port = int(found.getsockname()[1]) & ~1
        try:
            for neighbour in range(port - beside, port + 1, 2):
                if neighbour in spared:
                    raise OSError(f"{neighbour} is kept for another socket of the same program")
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tried:
                    tried.bind((host, neighbour))
        except OSError:
            continue
        return port
    raise OSError(f"no free UDP port at {host}")


class Ear(asyncio.DatagramProtocol):
    """`async with Ear(host) as ear`, then hand it to the caller or callee whose ear it is."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.port = free_port(host, beside=BESIDE)
        self.packets: list[rtp.Packet] = []
        self._news = asyncio.Event()
        self._transport: asyncio.BaseTransport | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(self.host, self.port))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._transport:
            self._transport.close()

    def datagram_received(self, data: bytes, _: object) -> None:
        packet = rtp.decode(data)
        if packet:
            self.packets.append(packet)
            self._news.set()

    @property
    def digits(self) -> str:
        return rtp.digits_in(self.packets)

    def share_of_tone(self, hz: float) -> float:
        """See sound.share_of_tone; over all that was heard so far."""
        return share_of_tone(rtp.samples_in(self.packets), hz)

    async def until(self, is_heard: Callable[[Self], bool], *, within_s: float = 10) -> None:
        """Waits until the answer is yes; TimeoutError names the sound heard instead."""
        try:
            async with asyncio.timeout(within_s):
                while not is_heard(self):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            heard = f"{len(self.packets)} RTP packets, digits {self.digits!r}"
            raise TimeoutError(f"{self.host}:{self.port} heard {heard} within {within_s} s") from None
