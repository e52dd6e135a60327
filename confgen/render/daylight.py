"""Time zone rules for devices: devices do not know IANA names; all accept a UTC offset and two clock changes a year.

From the last line of the zone's file, which is a POSIX TZ string such as CET-1CEST,M3.5.0,M10.5.0/3 (RFC 9636, section 3.3).
"""

import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from zoneinfo import TZPATH

_NAME = r"(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]+>)"
_TIME = r"[+-]?[0-9]{1,3}(?::[0-9]{2}){0,2}"
_RULE = re.compile(rf"{_NAME}({_TIME})(?:{_NAME}({_TIME})?,(M[0-9.]+)(?:/({_TIME}))?,(M[0-9.]+)(?:/({_TIME}))?)?", re.ASCII)
_HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class ClockChange:
    """A change of the clock. `week`: 1 to 4, 5 for the last one; `weekday`: 0 is Sunday; `hour`: by the clock before it."""

    month: int
    week: int
    weekday: int
    hour: int

    @property
    def first_day(self) -> int:
        """The first day of the month that it can be on; -1 for the last week."""
        return -1 if self.week == 5 else (self.week - 1) * 7 + 1


@dataclass(frozen=True, slots=True)
class Summer:
    """Summer time: by how much the clock is ahead then, from when to when."""

    ahead_s: int
    begins: ClockChange
    ends: ClockChange


@dataclass(frozen=True, slots=True)
class Zone:
    """`east_s`: how far the clock is ahead of UTC in winter. `posix`: the string it was read from."""

    posix: str
    east_s: int
    summer: Summer | None

    @property
    def offset(self) -> str:
        """Such as +01:00."""
        return f"{self._sign}{abs(self.east_s) // 3600:02}:{abs(self.east_s) // 60 % 60:02}"

    @property
    def short_offset(self) -> str:
        """Such as +1 or +5:30."""
        minutes = abs(self.east_s) // 60 % 60
        return f"{self._sign}{abs(self.east_s) // 3600}" + (f":{minutes:02}" if minutes else "")

    @property
    def _sign(self) -> str:
        return "-" if self.east_s < 0 else "+"


def read_zone(name: str) -> Zone:
    """The zone of that IANA name, which is one that exists. Raises ValueError for a rule of a kind that no device takes."""
    parts = name.split("/")
    files = [Path(folder, *parts) for folder in TZPATH]
    found = next((file for file in files if file.is_file()), None) or resources.files("tzdata").joinpath("zoneinfo", *parts)
    return parse_zone(found.read_bytes().rstrip(b"\n").rpartition(b"\n")[2].decode("ascii"))


def parse_zone(posix: str) -> Zone:
    """Raises ValueError."""
    found = _RULE.fullmatch(posix)
    if not found:
        raise ValueError(f"found the time zone rule {posix!r}, expected one such as CET-1CEST,M3.5.0,M10.5.0/3")
    west, summer_west, begins, begins_at, ends, ends_at = found.groups()
    east_s = -_seconds(west)
    if begins is None:
        return Zone(posix, east_s, None)
    ahead_s = (-_seconds(summer_west) if summer_west else east_s + _HOUR_S) - east_s
    return Zone(posix, east_s, Summer(ahead_s, _change(begins, begins_at), _change(ends, ends_at)))


def _seconds(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    hours, minutes, seconds = (*map(int, text.lstrip("+-").split(":")), 0, 0)[:3]
    return sign * (hours * _HOUR_S + minutes * 60 + seconds)


def _change(rule: str, at: str | None) -> ClockChange:
    month, week, weekday = map(int, rule[1:].split("."))
    hour = _seconds(at) // _HOUR_S if at else 2
    if not 0 <= hour <= 23:     # some zones change at -1 or 24 o'clock: a day off, by the nearest hour that a device takes
        hour = min(max(hour, 0), 23)
    return ClockChange(month, week, weekday, hour)
