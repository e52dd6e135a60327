"""Days of the calendar as a tenant writes them: one day or several, of one year or of every year. Pure."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_DAY = re.compile(r"(?:(?P<year>[0-9]{4})-)?(?P<month>[0-9]{2})-(?P<day>[0-9]{2})", re.ASCII)
_ANY_LEAP_YEAR = 2000
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
EXPECTED = "a day or days such as 2026-12-24, 2026-12-24..2027-01-01, 12-24 or 12-24..01-06"


@dataclass(frozen=True, slots=True)
class Dates:
    """From the first to the last day, both included. A `year` of 0 means every year; then the last day may come before
    the first, over the New Year. 02-29 exists in leap years only."""

    year: int
    first: tuple[int, int, int]      # year, month, day
    last: tuple[int, int, int]

    def cover(self, day: date) -> bool:
        found = (day.year if self.year else 0, day.month, day.day)
        if self.first <= self.last:
            return self.first <= found <= self.last
        return found >= self.first or found <= self.last

    def __str__(self) -> str:
        first, last = _text(self.first), _text(self.last)
        return first if first == last else f"{first}..{last}"


def parse_dates(text: object) -> Dates:
    """Raises ValueError that says what was expected."""
    if isinstance(text, Dates):
        return text
    if not isinstance(text, str):
        raise ValueError(f"expected {EXPECTED}")
    first_text, dots, last_text = (part.strip() for part in text.partition(".."))
    first = _day(first_text)
    last = _day(last_text) if dots else first
    if bool(first[0]) is not bool(last[0]):
        raise ValueError("expected a year on both days or on neither")
    if first[0] and last < first:
        raise ValueError(f"expected a last day that is not before the first, {first_text}")
    return Dates(first[0], first, last)


def _day(text: str) -> tuple[int, int, int]:
    match = _DAY.fullmatch(text)
    if not match:
        raise ValueError(f"expected {EXPECTED}")
    year, month, day = int(match["year"] or 0), int(match["month"]), int(match["day"])
    try:
        date(year or _ANY_LEAP_YEAR, month, day)
    except ValueError:
        raise ValueError(f"expected a day that exists, {text} does not") from None
    return year, month, day


def _text(day: tuple[int, int, int]) -> str:
    return f"{day[0]:04}-{day[1]:02}-{day[2]:02}" if day[0] else f"{day[1]:02}-{day[2]:02}"


DateSpan = Annotated[
    Dates, BeforeValidator(parse_dates), PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["2026-12-24", "2026-12-24..2027-01-01", "12-24", "12-24..01-06"]}),
]


def shown(day: date) -> str:
    """'25 Dec'."""
    return f"{day.day} {_MONTHS[day.month - 1]}"


def shown_moment(local: datetime) -> str:
    """'Thu 25 Dec 08:30'. Not by strftime, which takes longer than the rules of most conditions."""
    return f"{_WEEKDAYS[local.weekday()]} {shown(local)} {local.hour:02}:{local.minute:02}"
