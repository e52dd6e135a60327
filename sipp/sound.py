"""G.711 A-law and tones, in plain Python: enough to send a tone and to detect it."""

import math
from collections.abc import Sequence

RATE_HZ = 8000
SILENCE = 0xD5
_FULL_SCALE = 32767


def _decode(code: int) -> int:
    """ITU-T G.711 table 1: one A-law code to a 16 bit sample."""
    code ^= 0x55
    exponent, mantissa = (code >> 4) & 7, code & 15
    magnitude = (mantissa << 4) + 8 if exponent == 0 else ((mantissa << 4) + 0x108) << (exponent - 1)
    return magnitude if code & 0x80 else -magnitude


_DECODED = tuple(_decode(code) for code in range(256))


def _encode(sample: int) -> int:
    magnitude = min(abs(sample), _FULL_SCALE)
    exponent = max(0, magnitude.bit_length() - 8)
    mantissa = (magnitude >> (exponent + 3 if exponent else 4)) & 15
    return (exponent << 4 | mantissa | (0x80 if sample >= 0 else 0)) ^ 0x55


def encode_alaw(samples: Sequence[int]) -> bytes:
    """16 bit samples to A-law."""
    return bytes(_encode(sample) for sample in samples)


def decode_alaw(codes: bytes) -> list[int]:
    """A-law to 16 bit samples."""
    return [_DECODED[code] for code in codes]


def tone(hz: float, samples: int, *, first: int = 0, level: float = 0.3) -> list[int]:
    """A sine at 8000 samples/s; `first` is the number of its first sample, so that pieces join without a click."""
    step = 2 * math.pi * hz / RATE_HZ
    return [round(level * _FULL_SCALE * math.sin(step * (first + n))) for n in range(samples)]


def share_of_tone(samples: Sequence[int], hz: float) -> float:
    """Share of the energy at this tone: near 1 for the pure tone, near 0 for another or for silence.

    Goertzel in pieces of 50 ms, so that a lost or late packet costs one piece and not the phase of the rest.
    """
    piece = RATE_HZ // 20
    total = found = 0.0
    turn = 2 * math.cos(2 * math.pi * hz / RATE_HZ)
    for start in range(0, len(samples) - piece + 1, piece):
        previous = older = 0.0
        for sample in samples[start : start + piece]:
            previous, older = sample + turn * previous - older, previous
            total += sample * sample
        found += (previous * previous + older * older - turn * previous * older) * 2 / piece
    return found / total if total else 0.0
