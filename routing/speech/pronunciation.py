"""Pronunciation of names, in phones of CMU's American English acoustic model, from the phonemes that espeak-ng writes. Pure.

The model knows no Polish or Italian: each phoneme becomes the nearest English phone, and where two are near, there are two
pronunciations of the whole name, since a speaker keeps to one kind of 'r' and of 'o'.
"""

from collections.abc import Iterator, Mapping

from routing.speech.phrases import Language

VOICES: Mapping[Language, str] = {"pl": "pl", "it": "it", "en": "en-us"}      # espeak-ng's

_NEAREST = {
    "a": "AA", "ɑ": "AA", "ɐ": "AH", "ə": "AH", "ʌ": "AH", "æ": "AE", "ɒ": "AA", "ɛ": "EH", "e": "EH", "i": "IY", "ɪ": "IH",
    "ɨ": "IH", "ᵻ": "IH", "o": "AO", "ɔ": "AO", "u": "UW", "ʊ": "UH", "ɜ": "ER", "ɚ": "ER", "ɝ": "ER", "ɔ̃": "AO N", "ɛ̃": "EH N",
    "b": "B", "p": "P", "d": "D", "t": "T", "k": "K", "c": "K", "q": "K", "ɡ": "G", "g": "G", "ɟ": "G", "f": "F", "v": "V",
    "s": "S", "z": "Z", "ʃ": "SH", "ʒ": "ZH", "ɕ": "SH", "ʑ": "ZH", "θ": "TH", "ð": "DH", "h": "HH", "x": "HH", "ɣ": "HH",
    "m": "M", "ɱ": "M", "n": "N", "ɲ": "N Y", "ŋ": "NG", "l": "L", "ɫ": "L", "ɬ": "L", "ʎ": "L Y", "r": "R", "ɾ": "D", "ɹ": "R",
    "w": "W", "j": "Y", "tʃ": "CH", "dʒ": "JH", "tɕ": "CH", "dʑ": "JH", "ts": "T S", "dz": "D Z", "eɪ": "EY", "aɪ": "AY",
    "aʊ": "AW", "ɔɪ": "OY", "oʊ": "OW", "əʊ": "OW", "iə": "IY AH", "aɪə": "AY AH", "aɪɚ": "AY ER",
}
_OPEN = {"e": "EY", "o": "OW", "ɔ": "OW"}
_SPEAKERS: Mapping[Language, tuple[Mapping[str, str], ...]] = {
    "pl": ({}, {"r": "D"}),
    "it": ({"ɪ": "IY"}, {"ɪ": "IY", **_OPEN}, {"ɪ": "IY", **_OPEN, "r": "D"}),
    "en": ({},),
}
_LONGEST = max(map(len, _NEAREST))
_NO_SOUND = str.maketrans("", "", "ˈˌːʲ̩͡ʔ_ ")


def pronunciations(phonemes: str, language: Language) -> tuple[str, ...]:
    """'k_ɔ_v_ˈa_l_s_k_a_' is ('K AO V AA L S K AA',): each way to say it once. What no phone is near to is left out."""
    said = (" ".join(_phones(phonemes.split("_"), nearer)) for nearer in _SPEAKERS[language])
    return tuple(dict.fromkeys(filter(None, said)))


def _phones(phonemes: list[str], nearer: Mapping[str, str]) -> Iterator[str]:
    for phoneme in phonemes:
        text = phoneme.translate(_NO_SOUND)
        while text:
            length = next((length for length in range(_LONGEST, 0, -1) if text[:length] in _NEAREST), 0)
            if length:
                yield nearer.get(text[:length], _NEAREST[text[:length]])
            text = text[max(1, length):]


def sayable(text: str) -> str:
    """A name as words of letters alone: espeak-ng reads anything else as punctuation, a number or a command."""
    return " ".join("".join(character if character.isalpha() else " " for character in text).split())
