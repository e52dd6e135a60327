"""The default hold music: a slow arpeggio, made here, so that no licence applies."""

import io
import math
import sys
import wave
from array import array
from collections.abc import Iterator

RATE = 8000                     # Hz
NOTE_S = 0.4
LOUDNESS = 3000                 # of 32767, about -21 dBFS: as loud as speech
CHORDS = ((60, 64, 67, 72), (57, 60, 64, 69), (53, 57, 60, 65), (55, 59, 62, 67))      # MIDI notes: C, A minor, F, G
FIGURE = (0, 1, 2, 3, 2, 1)     # the notes of a chord, one after another
ROUNDS = 2                      # per chord


def hold_music() -> bytes:
    """A WAV file of 19.2 s, 8 kHz, 16 bits, mono, whose end leads to its beginning."""
    notes = {note: _note(note) for chord in CHORDS for note in chord}
    samples = array("h")
    for chord in CHORDS:
        for _ in range(ROUNDS):
            for place in FIGURE:
                samples.extend(notes[chord[place]])
    if sys.byteorder == "big":
        samples.byteswap()
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(RATE)
        written.writeframes(samples.tobytes())
    return file.getvalue()


def _note(note: int) -> "array[int]":
    return array("h", _samples(440 * 2 ** ((note - 69) / 12)))


def _samples(frequency: float) -> Iterator[int]:
    """A tone that begins within 10 ms, fades, and ends in silence."""
    count = round(NOTE_S * RATE)
    for number in range(count):
        level = min(1.0, number / (0.01 * RATE)) * math.exp(-2.5 * number / count) * min(1.0, (count - number) / (0.02 * RATE))
        angle = 2 * math.pi * frequency * number / RATE
        yield round(LOUDNESS * level * (math.sin(angle) + 0.3 * math.sin(2 * angle)))
