"""Callers by their number. Pure."""

from functools import lru_cache

import phonenumbers

from routing.numbering.numbers import e164

ANONYMOUS = "anonymous"
# Stands for a number that its owner hides. Source: RFC 3323, 4.1.1.3, and what carriers send.
HIDDEN = frozenset({"", ANONYMOUS, "restricted", "private", "withheld", "unavailable", "unknown"})


@lru_cache(maxsize=4096)
def is_foreign(number: str, country: str) -> bool:
    """Is it a number of another country than that one (ISO 3166-1 alpha-2)? What is no whole number, +E.164, is not."""
    if not number.startswith("+"):
        return False
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return False
    if parsed.country_code != phonenumbers.country_code_for_region(country):
        return True
    region = phonenumbers.region_code_for_number(parsed)      # several countries may share one code, such as +1
    return region is not None and region != country


def caller_number(said: str, country: str) -> str:
    """The caller's number from a trunk or a phone, as +E.164 where possible; '' for a hidden number."""
    return "" if said.strip().lower() in HIDDEN else e164(said, country)
