"""Mentions: times, dates and telephone numbers in a part of a configuration, for any kind of element. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

DAY = timedelta(days=1)
# A number, or the beginning of some, as a file writes it.
_NUMBER = re.compile(r"\+[1-9][0-9]{1,14}")


@dataclass(frozen=True, slots=True)
class Mentions:
    times: frozenset[time] = frozenset()
    dates: frozenset[date] = frozenset()
    numbers: tuple[str, ...] = ()

    def joined(self, other: "Mentions") -> "Mentions":
        """Both; the numbers that only one of them mentions come first."""
        mine, theirs = set(self.numbers), set(other.numbers)
        numbers = sorted(mine | theirs, key=lambda number: (number in mine and number in theirs, number))
        return Mentions(self.times | other.times, self.dates | other.dates, tuple(numbers))

    def moved(self, by: timedelta) -> "Mentions":
        """The times as a clock of another zone shows them."""
        return replace(self, times=frozenset((datetime.combine(date.min, moment) + DAY + by).time() for moment in self.times))


def mentions_of(values: Iterable[object]) -> Mentions:
    """All mentions in mappings and sequences, at any depth."""
    times: set[time] = set()
    dates: set[date] = set()
    numbers: dict[str, None] = {}
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        match value:
            case datetime():
                dates.add(value.date())
            case date():
                dates.add(value)
            case time():
                times.add(value.replace(second=0, microsecond=0))
            case str() if _NUMBER.fullmatch(value):
                numbers[value] = None
            case dict():
                waiting += [*value.keys(), *value.values()]
            case list() | tuple() | set() | frozenset():
                waiting += value
    return Mentions(frozenset(times), frozenset(dates), tuple(numbers))
