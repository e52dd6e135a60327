"""Speech recognition of a directory's names, in a separate process for each utterance, so that a decision never waits for it
and no sound can harm a call. It imports little, because the caller waits for the imports too. Reads names from standard input
and writes a ranking to standard output, both as JSON.

PocketSphinx compares the sound with each pronunciation of each name, and with nothing else: it always finds a nearest name. Its
score does not show if any name was said, as measured (docs/directory-speech.md); therefore the caller chooses.
"""

import json
import math
import os
import random
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

import pocketsphinx

from routing.speech.phrases import Language
from routing.speech.pronunciation import VOICES, pronunciations, sayable

NEAR: Final = 0.6                   # how much farther than the nearest a name may be; the name that was said hardly ever is
NOISE: Final = 0.03                 # of the level of the speech
LOUDEST: Final = 32767
SPEECH_DB: Final = 12.0             # level of speech above the background noise
SPEECH_FRAMES: Final = 15           # of 20 ms; the fewest at that level
ESPEAK_LIMIT_S: Final = 8


@dataclass(frozen=True, slots=True)
class Match:
    """A word of the dictionary, and how far the sound is from it: natural logarithms, a thousand frames."""

    word: str
    distance: float


def phonemes_of(texts: list[str], language: Language) -> list[str]:
    """The output of espeak-ng for each text. Raises RuntimeError if the number of lines differs."""
    said = subprocess.run(
        ["espeak-ng", "-v", VOICES[language], "-q", "--ipa", "--sep=_", "--stdin"], input="\n\n".join(texts), text=True,
        capture_output=True, check=True, timeout=ESPEAK_LIMIT_S).stdout.split("\n")
    lines = [line.strip() for line in said if line.strip()]
    if len(lines) != len(texts):
        raise RuntimeError(f"espeak-ng answered {len(lines)} lines for {len(texts)} names")
    return lines


def ranking(sound: bytes, names: list[list[str]], language: Language, most: int) -> list[int]:
    """The places of the `most` nearest names, best first; those that sound the same, in their order. `sound` is 16 bit,
    8000 Hz mono; each name is given in all its forms."""
    forms = [(place, text) for place, name in enumerate(names) for text in map(sayable, name) if text]
    sounding: dict[str, list[int]] = {}
    for (place, _), phonemes in zip(forms, phonemes_of([text for _, text in forms], language), strict=True):
        for phones in pronunciations(phonemes, language):
            sounding.setdefault(phones, []).append(place)
    words = {f"n{i}": places for i, places in enumerate(sounding.values())}
    found: list[int] = []
    with NamedTemporaryFile("w", suffix=".dict") as dictionary:
        dictionary.writelines(f"{word} {phones}\n" for word, phones in zip(words, sounding, strict=True))
        dictionary.flush()
        decoder = pocketsphinx.Decoder(
            hmm=pocketsphinx.get_model_path("en-us/en-us"), dict=dictionary.name, lm=None, loglevel="FATAL",
            beam=1e-100, pbeam=1e-100, wbeam=1e-80, maxhmmpf=-1, bestpath=False, lw=1.0, wip=1.0, pip=1.0)
    twice, farthest = widened(sound), math.inf
    while len(found) < most:
        left = [word for word, places in words.items() if not set(places) <= set(found)]
        match = nearest(decoder, twice, left) if left else None
        if match is None or match.distance > farthest:
            break
        farthest = min(farthest, match.distance + NEAR)
        found += [place for place in words[match.word] if place not in found]
    return found[:most]


def is_speech(sound: bytes) -> bool:
    """True if a sound stands out of the noise for long enough to be speech."""
    samples = memoryview(sound[: len(sound) // 2 * 2]).cast("h").tolist()
    powers = sorted(sum(sample * sample for sample in samples[i:i + 160]) / 160 + 1 for i in range(0, len(samples) - 159, 160))
    if len(powers) < SPEECH_FRAMES:
        return False
    return 10 * math.log10(powers[-SPEECH_FRAMES] / powers[len(powers) // 10]) >= SPEECH_DB


def nearest(decoder: pocketsphinx.Decoder, sound: bytes, choice: list[str]) -> Match | None:
    decoder.add_jsgf_string("names", f"#JSGF V1.0; grammar g; public <name> = {' | '.join(choice)} ;")
    decoder.activate_search("names")
    decoder.start_utt()
    decoder.process_raw(sound, False, True)
    decoder.end_utt()
    said = decoder.hyp()
    if said is None or not said.hypstr:
        return None
    return Match(said.hypstr.split()[0], -1000 * math.log(said.score) / max(1, decoder.n_frames()))


def widened(sound: bytes) -> bytes:
    """The sound at the model's 16000 Hz, with the mean between each two samples and a little noise, always the same: the model
    was not trained on digital silence, which telephones send as zeros."""
    heard = memoryview(sound[: len(sound) // 2 * 2]).cast("h").tolist()
    loud = sorted(sample * sample for sample in heard)[-len(heard) // 3:]
    level, chance = NOISE * math.sqrt(sum(loud) / len(loud)), random.Random(0)  # noqa: S311
    samples = [max(-LOUDEST, min(LOUDEST, sample + round(chance.gauss(0, level)))) for sample in heard]
    between = [(a + b) // 2 for a, b in zip(samples, samples[1:] + samples[-1:], strict=True)]
    return b"".join(a.to_bytes(2, "little", signed=True) + b.to_bytes(2, "little", signed=True)
                    for a, b in zip(samples, between, strict=True))


def main() -> None:
    os.nice(2)                      # decisions come first
    asked = json.load(sys.stdin)
    sound = Path(asked["sound"]).read_bytes()
    places = ranking(sound, asked["names"], asked["language"], asked["most"]) if is_speech(sound) else []
    json.dump(places, sys.stdout)


if __name__ == "__main__":
    main()
