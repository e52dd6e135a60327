"""RTP as a phone sends it: G.711 A-law and RFC 4733 digits on one clock, and the pcap file SIPp plays it from."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sipp import sound

ALAW = 8
EVENTS = 101
KEYS = "0123456789*#ABCD"
PACKET_MS = 20
_SAMPLES = sound.RATE_HZ * PACKET_MS // 1000
_SSRC = 0x43454E54


@dataclass(frozen=True, slots=True)
class Tone:
    hz: int
    ms: int


@dataclass(frozen=True, slots=True)
class Silence:
    ms: int


@dataclass(frozen=True, slots=True)
class Digit:
    """A key held down for `ms`."""

    key: str
    ms: int = 100

    def __post_init__(self) -> None:
        if len(self.key) != 1 or self.key not in KEYS:
            raise ValueError(f"a key is one of {KEYS}, found {self.key!r}")


Media = tuple[Tone | Silence | Digit, ...]


def keys(digits: str, *, pause_ms: int = 300, hold_ms: int = 100) -> Media:
    """Each digit pressed after a pause, as a person types."""
    return tuple(part for key in digits for part in (Silence(pause_ms), Digit(key, hold_ms)))


def duration_ms(media: Media) -> int:
    return sum(-(-part.ms // PACKET_MS) * PACKET_MS for part in media)


@dataclass(frozen=True, slots=True)
class Packet:
    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    payload: bytes

    def encode(self) -> bytes:
        """RFC 3550, section 5.1."""
        second = self.payload_type | (0x80 if self.marker else 0)
        return struct.pack("!BBHII", 0x80, second, self.sequence & 0xFFFF, self.timestamp, _SSRC) + self.payload


def decode(data: bytes) -> Packet | None:
    """The packet in a datagram; None for anything that is not RTP version 2 (RTCP included)."""
    if len(data) < 12 or data[0] >> 6 != 2 or 72 <= data[1] & 0x7F <= 76:
        return None
    first, second, sequence, timestamp = struct.unpack("!BBHI", data[:8])
    start = 12 + 4 * (first & 15)
    if first & 0x10:
        if len(data) < start + 4:
            return None
        start += 4 + 4 * int(struct.unpack("!H", data[start + 2 : start + 4])[0])
    return Packet(second & 0x7F, bool(second & 0x80), sequence, timestamp, data[start:])


def packets(media: Media) -> Iterator[tuple[int, Packet]]:
    """The milliseconds since the start, and the packet to send then."""
    at_ms, sequence = 0, 1
    for part in media:
        count = -(-part.ms // PACKET_MS)
        begins = at_ms * sound.RATE_HZ // 1000
        for number in range(count):
            match part:
                case Digit(key=key):
                    ended = number == count - 1
                    event = struct.pack("!BBH", KEYS.index(key), (0x80 if ended else 0) | 10, (number + 1) * _SAMPLES)
                    # RFC 4733, section 2.5.1.4: the packet that ends the event is sent three times.
                    for _ in range(3 if ended else 1):
                        yield at_ms, Packet(EVENTS, number == 0, sequence, begins, event)
                        sequence += 1
                case Tone(hz=hz):
                    wave = sound.encode_alaw(sound.tone(hz, _SAMPLES, first=number * _SAMPLES))
                    yield at_ms, Packet(ALAW, sequence == 1, sequence, begins + number * _SAMPLES, wave)
                    sequence += 1
                case Silence():
                    still = bytes([sound.SILENCE]) * _SAMPLES
                    yield at_ms, Packet(ALAW, sequence == 1, sequence, begins + number * _SAMPLES, still)
                    sequence += 1
            at_ms += PACKET_MS


def digits_in(heard: Sequence[Packet]) -> str:
    """The keys pressed: an event is one timestamp, however many packets tell of it."""
    events = {packet.timestamp: packet.payload[0] for packet in heard if packet.payload_type == EVENTS}
    return "".join(KEYS[event] for event in events.values() if event < len(KEYS))


def samples_in(heard: Sequence[Packet]) -> list[int]:
    return [value for packet in heard if packet.payload_type == ALAW for value in sound.decode_alaw(packet.payload)]


def pcap(media: Media) -> bytes:
    """A capture file for SIPp's play_pcap_audio, which keeps the intervals and rewrites addresses and ports."""
    blocks = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)]
    for at_ms, packet in packets(media):
        rtp = packet.encode()
        udp = struct.pack("!HHHH", 10000, 10000, 8 + len(rtp), 0) + rtp
        ip = struct.pack("!BBHHHBBHII", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, 0x7F000001, 0x7F000001) + udp
        frame = bytes(12) + b"\x08\x00" + ip
        blocks.append(struct.pack("<IIII", at_ms // 1000, at_ms % 1000 * 1000, len(frame), len(frame)) + frame)
    return b"".join(blocks)
