"""Patterns for texts in a file, each with the error text for a text that does not match. Pure."""

from pydantic import StringConstraints

SHORT_LINE, LINE = "one line of at most 80 characters", "one line of at most 120 characters"
_WORDS: dict[str, str] = {}


def matching(pattern: str, expected: str, *, max_length: int | None = None) -> StringConstraints:
    """A text that matches the pattern as a whole: ^...$. `expected` says to a person which those are."""
    _WORDS[pattern] = expected
    return StringConstraints(pattern=pattern, max_length=max_length)


def expected_for(pattern: str) -> str:
    """Raises KeyError for a pattern that was not made here."""
    return _WORDS[pattern]
