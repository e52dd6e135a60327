"""Reasons as text: sent through the dialplan and stored in the database. Pure.

'.wrong_key-9~.on_to-sales~' is WRONG_KEY("9"), then ON_TO("sales"): a reason begins with '.', ends with '~', and each value
follows a '-', percent-encoded, or as reasons. None of it can be read as dialplan.
"""

import re
from collections.abc import Iterator
from urllib.parse import unquote

from routing.call.reasons import Reason, Reasons, Why

KINDS = frozenset(Why)
MAX_DEPTH = 20
_TOKEN = re.compile(r"([.~-])([^.~-]*)")


def reason_text(reasons: Reasons) -> str:
    return "".join(f".{each.why}{''.join(map(_value_text, each.values))}~" for each in reasons)


def read_reasons(text: str) -> Reasons:
    """The reasons. A text not written by this version, such as the sentences that earlier versions stored, becomes a reason of
    its own."""
    if not text.startswith("."):
        return Why.WORDS(text)
    try:
        found, tokens = [], _TOKEN.finditer(text)
        for token in tokens:
            found.append(_read(token, tokens, 0))
    except (ValueError, StopIteration):
        return Why.WORDS(text)
    return tuple(found)


def _value_text(value: str | Reasons) -> str:
    return f"-{_encoded(value) if isinstance(value, str) else reason_text(value)}"


def _encoded(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_ ]", lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), text, flags=re.ASCII)


def _read(begin: re.Match[str], tokens: Iterator[re.Match[str]], depth: int) -> Reason:
    """The reason that begins with this token. Raises ValueError and StopIteration if there is no valid reason."""
    if begin[1] != "." or begin[2] not in KINDS or depth > MAX_DEPTH:
        raise ValueError(f"found {begin[0]!r}, expected a kind of reason")
    values: list[str | Reasons] = []
    token = next(tokens)
    while token[1] != "~":
        if token[1] != "-":
            raise ValueError(f"found {token[0]!r}, expected a value")
        inner: list[Reason] = []
        value, token = token[2], next(tokens)
        while token[1] == ".":
            inner.append(_read(token, tokens, depth + 1))
            token = next(tokens)
        if inner and value:
            raise ValueError(f"found {value!r} before a reason")
        values.append(tuple(inner) or unquote(value))
    if token[2]:
        raise ValueError(f"found {token[2]!r} behind a reason")
    return Reason(Why(begin[2]), tuple(values))
