"""Lists of numbers in a tenant's file, such as the blacklist: exact ones, beginnings and ranges. Built once, asked often. Pure.

    +48600100200                  one number
    112                           one short number
    +48600*                       every number that begins so
    +48221230000-+48221239999     every number between, both included
"""

import re
from bisect import bisect_right
from collections.abc import Iterable
from functools import cached_property
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from routing.numbering.value_types import Name
from yaml_models.strict_model import Part

_FORM = re.compile(
    r"(?P<exact>\+[1-9][0-9]{6,14}|[0-9]{3,6})|(?P<start>\+[1-9][0-9]{0,14})\*"
    r"|(?P<first>\+[1-9][0-9]{6,14})-(?P<last>\+[1-9][0-9]{6,14})")
EXPECTED = "a number as +48600100200 or 118913, a beginning as +48600*, or a range as +48221230000-+48221239999"
MAX_PATTERNS = 100_000


def number_pattern(text: str) -> str:
    """The text as it is. Raises ValueError that says what was expected."""
    match = _FORM.fullmatch(text)
    if not match:
        raise ValueError(f"expected {EXPECTED}")
    first, last = match["first"], match["last"]
    if first and len(first) != len(last):
        raise ValueError("expected a range of numbers of one length")
    if first and first > last:
        raise ValueError(f"expected a range that begins with the lower number, such as {last}-{first}")
    return text


NumberPattern = Annotated[str, AfterValidator(number_pattern), WithJsonSchema(
    {"type": "string", "examples": ["+48600100200", "+48600*", "+48221230000-+48221239999"]})]
NumberPatterns = Annotated[tuple[NumberPattern, ...], Field(max_length=MAX_PATTERNS)]


class NumberSet:
    """`number in NumberSet(patterns)`, for numbers as +E.164 or short. Never changes after it is built: one look into a set,
    one for each beginning's length and one bisection, whatever the number of patterns."""

    def __init__(self, patterns: Iterable[str]) -> None:
        exact: set[str] = set()
        starts: set[str] = set()
        ranges: dict[int, list[tuple[int, int]]] = {}
        for pattern in patterns:
            match = _FORM.fullmatch(pattern)
            if not match:
                raise ValueError(f"found {pattern!r}, expected {EXPECTED}")
            if match["exact"]:
                exact.add(match["exact"])
            elif match["start"]:
                starts.add(match["start"])
            else:
                ranges.setdefault(len(match["first"]), []).append((int(match["first"]), int(match["last"])))
        self._exact = frozenset(exact)
        self._starts = frozenset(starts)
        self._lengths = sorted({len(start) for start in starts})
        self._ranges = {length: _merged(found) for length, found in ranges.items()}     # a range's numbers are of one length

    def __contains__(self, number: object) -> bool:
        if not isinstance(number, str) or not number:
            return False
        if number in self._exact:
            return True
        for length in self._lengths:
            if number[:length] in self._starts:
                return True
        return bool(self._ranges) and self._between(number)

    def _between(self, number: str) -> bool:
        ranges = self._ranges.get(len(number))
        if not ranges or not re.fullmatch(r"\+[0-9]+", number, re.ASCII):
            return False
        firsts, lasts = ranges
        place = bisect_right(firsts, int(number)) - 1
        return place >= 0 and int(number) <= lasts[place]


def _merged(ranges: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """The ranges' first and last numbers, in order and without overlaps."""
    firsts: list[int] = []
    lasts: list[int] = []
    for first, last in sorted(ranges):
        if lasts and first <= lasts[-1]:
            lasts[-1] = max(lasts[-1], last)
        else:
            firsts.append(first)
            lasts.append(last)
    return firsts, lasts


class Blacklist(Part):
    """`prompt` is what a caller on the list hears before the call ends. Numbers are +E.164 or short ones."""

    callers: NumberPatterns = ()
    targets: NumberPatterns = ()
    prompt: Name = "sys_blocked"

    def bars_caller(self, number: str) -> bool:
        return number in self._callers

    def bars_target(self, number: str) -> bool:
        return number in self._targets

    @cached_property
    def _callers(self) -> NumberSet:
        return NumberSet(self.callers)

    @cached_property
    def _targets(self) -> NumberSet:
        return NumberSet(self.targets)
