"""Samples: the moments and callers that represent all others in a comparison of two configurations. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

import phonenumbers

from simulator.mentions import Mentions

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MAX_DATES, MAX_NUMBERS = 20, 20
ABROAD = ("GB", "DE")


@dataclass(frozen=True, slots=True)
class Sample:
    """A moment that represents the time from it to `ends`, on its day. `named` days are dates, the others weekdays."""

    moment: datetime
    ends: str            # '18:00'
    named: bool


def moments_of(mentions: Mentions, week: date, timezone: str) -> Iterator[Sample]:
    """Each day of the week and each date mentioned: midnight, noon, and the minute before and of every time mentioned."""
    zone = ZoneInfo(timezone)
    minutes = {0, 12 * 60}
    for mentioned in mentions.times:
        minute = mentioned.hour * 60 + mentioned.minute
        minutes |= {minute, (minute - 1) % (24 * 60)}
    clock = sorted(minutes)
    days = [(week + timedelta(days=day), False) for day in range(7)]
    days += [(day, True) for day in sorted(mentions.dates)[:MAX_DATES] if not week <= day < week + timedelta(days=7)]
    for day, named in days:
        for minute, following in zip(clock, [*clock[1:], 24 * 60], strict=True):
            moment = datetime.combine(day, time(minute // 60, minute % 60), zone)
            yield Sample(moment, f"{following // 60:02}:{following % 60:02}", named)


def callers_of(mentions: Mentions, country: str) -> Iterator[str]:
    """A national number first, a hidden one, a foreign one, then one for each number or prefix that is mentioned."""
    abroad = next(other for other in ABROAD if other != country)
    usual = _example(country)
    callers = dict.fromkeys((usual, "", _example(abroad)))
    for number in mentions.numbers[:MAX_NUMBERS]:
        callers[number if len(number) > 9 else number.ljust(12, "0")] = None
    return iter(callers)


def _example(country: str) -> str:
    number = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if number else "+442079460000"


def hours(samples: Sequence[Sample], at: set[datetime]) -> str:
    """The hours in words: 'Mon-Fri 16:00-18:00'; '' for always."""
    if all(sample.moment in at for sample in samples):
        return ""
    by_day: dict[tuple[date, bool], list[str]] = {}
    for (day, named), of_day in groupby(samples, key=lambda sample: (sample.moment.date(), sample.named)):
        by_day[day, named] = _ranges(list(of_day), at)
    by_hours: dict[str, list[str]] = {}
    for (day, named), ranges in by_day.items():
        if ranges:
            by_hours.setdefault(", ".join(ranges), []).append(day.isoformat() if named else DAYS[day.weekday()])
    return "; ".join(f"{_days(days)} {hours}".removesuffix(" 00:00-24:00") for hours, days in by_hours.items())


def _ranges(samples: list[Sample], at: set[datetime]) -> list[str]:
    texts: list[str] = []
    for changed, together in groupby(samples, key=lambda sample: sample.moment in at):
        if changed:
            run = list(together)
            texts.append(f"{run[0].moment:%H:%M}-{run[-1].ends}")
    return texts


def _days(days: list[str]) -> str:
    """'Mon-Fri', 'Sat, 2026-12-24'."""
    week = [DAYS.index(day) for day in days if day in DAYS]
    texts: list[str] = []
    for _, run in groupby(enumerate(week), key=lambda pair: pair[1] - pair[0]):
        together = [day for _, day in run]
        texts += [f"{DAYS[together[0]]}-{DAYS[together[-1]]}"] if len(together) > 2 else [DAYS[day] for day in together]
    return ", ".join((*texts, *(day for day in days if day not in DAYS)))
