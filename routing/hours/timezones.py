"""Which time zones there are."""

from functools import cache
from zoneinfo import available_timezones


def is_timezone(name: str) -> bool:
    """Whether it is a time zone's IANA name."""
    return name in _names()


@cache
def _names() -> frozenset[str]:
    """To find them takes thousands of files."""
    return frozenset(available_timezones())
