"""Text that may stand in what Asterisk reads, and in what it sends: it matches as a whole, or is refused."""

import re


class AgiError(Exception):
    """What Asterisk sent, or what we were about to send it, is not what this protocol allows."""


def checked(text: str, pattern: str, what: str) -> str:
    """`text` if the whole of it matches; AgiError otherwise."""
    if not re.fullmatch(pattern, text, re.ASCII):
        raise AgiError(f"{what}: found {text[:80]!r}, expected {pattern}")
    return text
