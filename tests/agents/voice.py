"""Somebody who speaks: espeak-ng, 8000 Hz."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from confgen.publish.sound_cache import SoundCache, users_sound_cache
from confgen.publish.sounds import Sound, make_sounds
from routing.speech.phrases import Language
from tests.agents.audio import Samples, read_wav


async def spoken(text: str, language: Language) -> Samples:
    """The text as sound, a breath before it and one behind."""
    with TemporaryDirectory(prefix="voice-") as name:
        kept = users_sound_cache()
        await make_sounds([Sound("said", text, language)], Path(name), SoundCache(kept) if kept else None)
        return np.pad(read_wav(Path(name) / "said.wav"), 3000)
