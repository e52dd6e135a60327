"""Sounds to speak into a phone, and what was heard of them."""

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

RATE_HZ = 8000
Samples = npt.NDArray[np.int16]


def tone(hz: float, seconds: float) -> Samples:
    moments = np.arange(int(RATE_HZ * seconds)) / RATE_HZ
    return (9000 * np.sin(2 * np.pi * hz * moments)).astype(np.int16)


def write_wav(path: Path, samples: Samples) -> None:
    """16 bit mono at 8000 Hz: all that baresip's aufile takes when the codec is G.711."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.astype("<i2").tobytes())


def read_wav(path: Path) -> Samples:
    """16 bit mono at 8000 Hz; of a file still being written (its header says less) as much as is there."""
    header, begins, data = path.read_bytes().partition(b"data")
    if not begins:
        return np.empty(0, np.int16)
    if not header.startswith(b"RIFF") or header[22:28] != b"\x01\x00" + RATE_HZ.to_bytes(4, "little"):
        raise ValueError(f"{path} is not a mono WAV file at {RATE_HZ} Hz")
    data = data[4:]
    return np.frombuffer(data[: len(data) & ~1], dtype="<i2").astype(np.int16)


def dominant_frequency(samples: Samples, *, quiet: float = 100) -> float:
    """The strongest frequency in Hz, to within a few Hz for half a second or more; 0 for silence (RMS below `quiet`)."""
    waves = samples.astype(np.float64)
    if len(waves) < RATE_HZ // 10 or np.sqrt(np.mean(waves**2)) < quiet:
        return 0.0
    spectrum = np.abs(np.fft.rfft((waves - waves.mean()) * np.hanning(len(waves))))
    return float(spectrum.argmax() * RATE_HZ / len(waves))


def likeness(heard: Samples, wanted: Samples) -> float:
    """How well the sound is found anywhere in what was heard, by the loudness of each 10 ms: -1 to 1, near 1 where it was played."""
    long, short = loudness(heard), loudness(wanted)
    if len(long) < len(short):
        return -1.0
    found = np.lib.stride_tricks.sliding_window_view(long, len(short))
    centred = found - found.mean(axis=1, keepdims=True)
    pattern = short - short.mean()
    scale = np.linalg.norm(centred, axis=1) * np.linalg.norm(pattern)
    return float(np.max(centred @ pattern / np.where(scale > 0, scale, np.inf)))


def loudness(samples: Samples) -> npt.NDArray[np.float64]:
    frame = RATE_HZ // 100
    frames = samples[: len(samples) // frame * frame].astype(np.float64).reshape(-1, frame)
    return np.asarray(np.sqrt(np.mean(frames**2, axis=1)))


def a_law(samples: Samples) -> bytes:
    """The samples as a telephone sends them (ITU-T G.711)."""
    wide = samples.astype(np.int32)
    magnitude = np.minimum(np.where(wide >= 0, wide, -wide - 1) >> 4, 2047)
    exponent = np.maximum(np.floor(np.log2(np.maximum(magnitude, 1))).astype(np.int32) - 3, 0)
    mantissa = (magnitude >> np.maximum(exponent - 1, 0)) & 15
    code = (exponent << 4) | mantissa
    return bytes(((code | np.where(wide >= 0, 0x80, 0)) ^ 0x55).astype(np.uint8))
