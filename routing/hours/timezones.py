"""Which time zones there are."""

from functools import cache
from zoneinfo import available_timezones


def is_timezone(name: str) -> bool:
    """True for the IANA name of a time zone."""
    return name in _names()


@cache
def _names() -> frozenset[str]:
    """To find them takes thousands of files."""
    return frozenset(available_timezones())
