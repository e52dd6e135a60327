"""When a business is open. Pure; the caller supplies the moment."""

import re
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from yaml_models.strict_model import Part

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def parse_days(text: object) -> frozenset[int]:
    """'mon-fri, sun' as numbers of weekdays, Monday 0. Raises ValueError that says what was expected."""
    if not isinstance(text, str):
        raise ValueError("expected days such as mon-fri or sat, sun")
    days: set[int] = set()
    for part in text.split(","):
        first, dash, last = (word.strip() for word in part.partition("-"))
        last = last if dash else first
        if first not in DAYS or last not in DAYS:
            raise ValueError("expected days such as mon-fri or sat, sun")
        start, end = DAYS.index(first), DAYS.index(last)
        days.update(day % 7 for day in range(start, end + 1 if end >= start else end + 8))
    return frozenset(days)


Days = Annotated[
    frozenset[int],
    BeforeValidator(parse_days),
    PlainSerializer(lambda days: ", ".join(DAYS[day] for day in sorted(days)), return_type=str),
    WithJsonSchema({"type": "string", "examples": ["mon-fri", "sat, sun"]}),
]


def parse_time(value: object) -> object:
    """'08:30' as it is. Raises ValueError for anything that says more than hours and minutes, such as a time zone."""
    if isinstance(value, str) and not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9](:00)?", value, re.ASCII):
        raise ValueError("expected a time of the day such as 08:30")
    return value


LocalTime = Annotated[time, BeforeValidator(parse_time), WithJsonSchema({"type": "string", "examples": ["08:30"]})]


class Window(Part):
    """A weekly opening window. `closes` not later than `opens` means it runs past midnight."""

    days: Days         # the days the window opens on
    opens: LocalTime   # local time, inclusive
    closes: LocalTime  # local time, exclusive

    def covers(self, local: datetime) -> bool:
        now = local.time()
        if self.opens < self.closes:
            return local.weekday() in self.days and self.opens <= now < self.closes
        yesterday = (local - timedelta(days=1)).weekday()
        return (local.weekday() in self.days and now >= self.opens) or (yesterday in self.days and now < self.closes)

    def describe(self) -> str:
        return f"{', '.join(DAYS[day] for day in sorted(self.days))} {self.opens:%H:%M}-{self.closes:%H:%M}"


def covering(windows: Iterable[Window], local: datetime) -> Window | None:
    """The first window that is open at the local moment. Wall-clock time counts, so both clock changes of the year
    need nothing special: 02:30 that exists twice is open both times."""
    for window in windows:
        if window.covers(local):
            return window
    return None
