"""Checks of text sent to Asterisk or received from it: the whole text matches a pattern, or it is refused."""

import re


class AgiError(Exception):
    """Text from Asterisk, or text to send to it, that the protocol does not allow."""


def checked(text: str, pattern: str, what: str) -> str:
    """`text` if the whole of it matches; AgiError otherwise."""
    if not re.fullmatch(pattern, text, re.ASCII):
        raise AgiError(f"{what}: found {text[:80]!r}, expected {pattern}")
    return text
