"""Sounds that Asterisk's queues play to waiting callers, in a separate Asterisk language for each of ours: 'pl_line'.

app_queue asks for words and Asterisk's say.c for numbers, by names without a folder, below its data directory; what is missing
there it says in English.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from confgen.publish.sound_cache import SoundCache
from confgen.publish.sounds import Sound, make_sounds
from routing.speech.line_phrases import HUNDRED, LINE_WORDS, ONE
from routing.speech.phrases import Language

# 21, 28, ... are one word in Italian, and so are 200, 300, ... in Polish. All others say.c puts together of these.
SINGLE = (
    *range(2, 21), *range(30, 100, 10), *(tens + last for tens in range(20, 100, 10) for last in (1, 8)),
    *range(100, 1000, 100),
)


def line_sounds(language: Language) -> Mapping[str, tuple[Sound, ...]]:
    """By folder."""
    numbers = {str(number): str(number) for number in SINGLE} | {"1": ONE[language], "hundred": HUNDRED[language]}
    return {
        "": tuple(Sound(name, texts[language], language) for name, texts in LINE_WORDS.items()),
        "digits": tuple(Sound(name, text, language) for name, text in numbers.items())}


async def make_line_sounds(languages: Iterable[Language], folder: Path, kept: SoundCache | None = None) -> None:
    """Makes the missing languages, each atomically: a language is a link to the sounds of its texts."""
    for language in languages:
        sounds = line_sounds(language)
        digest = hashlib.sha256(repr(sounds).encode()).hexdigest()[:16]
        target, link = folder / f"{language}_line-{digest}", folder / f"{language}_line"
        if link.is_symlink() and os.readlink(link) == target.name:
            continue
        for below, wanted in sounds.items():
            await make_sounds(wanted, target / below, kept)
        ready = folder / f".{language}_line"
        ready.unlink(missing_ok=True)
        ready.symlink_to(target.name)
        ready.rename(link)
