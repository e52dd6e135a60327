"""DTMF input: numbers that end by themselves, names by the letters on the keys. Pure."""

import unicodedata
from collections.abc import Container, Iterable

MAX_BEGINNINGS = 600      # so many of at most 5 digits fit into one step

_LETTERS = ("", "", "abc", "def", "ghi", "jkl", "mno", "pqrs", "tuv", "wxyz")
_KEYS = {letter: str(key) for key, letters in enumerate(_LETTERS) for letter in letters}
_PLAIN = str.maketrans({"ł": "l", "đ": "d", "ø": "o", "ß": "ss", "æ": "ae", "œ": "oe", "þ": "th"})      # NFKD leaves these


def beginnings(numbers: Iterable[str]) -> tuple[str, ...]:
    """Every beginning of the numbers that is shorter than its number, each once. Of too many the longest are left out: they
    count as complete, and nobody is kept waiting for what would have been dialled a key later."""
    found = {number[:length] for number in numbers for length in range(1, len(number))}
    return tuple(sorted(found, key=lambda text: (len(text), text))[:MAX_BEGINNINGS])


def entered(keys: str, longer: Container[str]) -> str:
    """The part of a key sequence that is used: up to the key after which no longer entry can be
    meant, or to '#', which ends a number. As [digits] in asterisk-conf/extensions.conf does it."""
    for length in range(1, len(keys) + 1):
        if keys[length - 1] == "#" and length > 1:
            return keys[:length - 1]
        if keys[:length] not in longer:
            return keys[:length]
    return keys


def keys_of(name: str) -> str:
    """The keys that spell a name: 'Łukasz' is 585279. What is no letter or digit has no key."""
    plain = unicodedata.normalize("NFKD", name.casefold().translate(_PLAIN))
    return "".join(_KEYS.get(character, character if character in "0123456789" else "") for character in plain)
