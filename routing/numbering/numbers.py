"""Numbers as trunks and telephones write them, read by the dialling plan of the tenant's country. Pure.

Plans, short numbers and their prices are those that phonenumbers knows; what has to hold for Poland and Italy whatever it
knows stands here.
"""

import re
from collections.abc import Container, Iterable
from enum import StrEnum
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumber, PhoneNumberType, ShortNumberCost, shortnumberinfo

MAX_DIGITS = 20
MAX_SHORT_DIGITS = 6

EMERGENCY = {
    "PL": frozenset({"112", "999", "998", "997"}),
    "IT": frozenset({"112", "113", "115", "118"}),
}
"""Numbers that nothing may block, in addition to those that phonenumbers knows."""
DIRECTORY = {"PL": "118", "IT": "12"}      # how directory enquiries begin, which cost extra
NEVER_CALLED = frozenset({"+48500990990"})   # P34: neither a user's mobile nor a target of a forward or a transfer


class NumberClass(StrEnum):
    """Class of a number, for the price of a call."""

    OWN = "own"                      # of the own network: no carrier is needed
    FIXED = "fixed"
    MOBILE = "mobile"
    SPECIAL = "special"              # short numbers, free and shared-cost ones, pagers
    PREMIUM = "premium"              # directory enquiries too
    INTERNATIONAL = "international"
    EMERGENCY = "emergency"
    UNKNOWN = "unknown"              # no number of any plan


_CLASSES = {
    PhoneNumberType.FIXED_LINE: NumberClass.FIXED,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: NumberClass.FIXED,
    PhoneNumberType.VOIP: NumberClass.FIXED,
    PhoneNumberType.MOBILE: NumberClass.MOBILE,
    PhoneNumberType.PREMIUM_RATE: NumberClass.PREMIUM,
    PhoneNumberType.UNKNOWN: NumberClass.UNKNOWN,
}


def find_did(dialled: str, country: str, dids: Container[str], area_code: str = "") -> str | None:
    """Which of `dids` (E.164 with '+') is meant by `dialled`: +48221234567, 48221234567, 0048221234567, in the tenant's
    country (ISO 3166-1 alpha-2) 221234567, and in its area 1234567."""
    digits = dialled.removeprefix("+")
    if is_digits(digits) and f"+{digits}" in dids:
        return f"+{digits}"
    number = e164(dialled, country, area_code)
    return number if number in dids else None


def dialled_number(dialled: str, country: str, dids: Container[str]) -> str:
    """The DID that is meant, or what was dialled as it is."""
    return find_did(dialled, country, dids) or dialled


def e164(number: str, country: str, area_code: str = "") -> str:
    """A number as somebody in that country, and in that area, would dial it, in full: +48221234567. What is no whole number
    of any dialling plan, such as an extension, stays as it is. What begins as a call abroad or to another area does is no
    number of the area."""
    if not is_digits(number.removeprefix("+")):
        return number
    whole = _parsed(number, country)
    if area_code and not _says_where(number, country) and not (whole and phonenumbers.is_valid_number(whole)):
        local = _parsed(area_code + number, country)
        if local and phonenumbers.is_valid_number(local):
            whole = local
    if not whole or not phonenumbers.is_possible_number(whole):
        return number
    return phonenumbers.format_number(whole, phonenumbers.PhoneNumberFormat.E164)


def classify(number: str, country: str, own: Container[str] = ()) -> NumberClass:
    """Class of a number, seen from the tenant's country: as dialled there or +E.164. `own`: the numbers of the own network,
    +E.164, which only the caller of this function knows."""
    if is_emergency(number, country):
        return NumberClass.EMERGENCY
    if find_did(number, country, own):
        return NumberClass.OWN
    parsed = _parsed(number, country)
    if parsed is None:
        return NumberClass.UNKNOWN
    if _is_short(number, parsed, country):
        return _short_class(number, parsed, country)
    kind = _CLASSES.get(phonenumbers.number_type(parsed), NumberClass.SPECIAL)
    if kind is not NumberClass.UNKNOWN and not _is_domestic(parsed, country):
        return NumberClass.INTERNATIONAL
    return kind


def is_emergency(number: str, country: str) -> bool:
    """True for an emergency number, as dialled in the country or with its prefix (+48112)."""
    return emergency_number(number, country) != ""


@lru_cache(maxsize=10_000)
def emergency_number(number: str, country: str) -> str:
    """The short number that calls for help, without the country's prefix: +48112, 0048112; '' if it is none."""
    abroad = _international(number, country)
    digits = abroad.removeprefix(f"+{country_code(country)}")
    if not is_digits(digits) or len(digits) > MAX_SHORT_DIGITS:
        return ""
    helps = digits in EMERGENCY.get(country, ()) or shortnumberinfo.is_emergency_number(digits, country)
    return digits if helps else ""


def emergency_numbers(country: str) -> tuple[str, ...]:
    """Emergency numbers that are certain for the country; for other countries the list of phonenumbers is not reliable."""
    return tuple(sorted(EMERGENCY.get(country, {"112"})))


def with_country(number: str, country: str) -> tuple[str, ...]:
    """Other spelling of a short number of the country: 0048112. None where the country has several international prefixes."""
    abroad, _ = prefixes(country)
    return (f"{abroad}{country_code(country)}{number}",) if abroad else ()


def prefixes(country: str) -> tuple[str, str]:
    """International and national prefix of the country: '00' and '0' in Germany. '' where there is
    none, or more than one."""
    plan = PhoneMetadata.metadata_for_region(country)
    found = (plan.international_prefix, plan.national_prefix) if plan else (None, None)
    abroad, national = (prefix if prefix and is_digits(prefix) else "" for prefix in found)
    return abroad, national


def country_code(country: str) -> int:
    """48 of PL."""
    return phonenumbers.country_code_for_region(country)


def country_of(number: str) -> str:
    """Where a whole number, +E.164, is: PL; for one of no single country its prefix, such as +881."""
    parsed = phonenumbers.parse(number)
    region = phonenumbers.region_code_for_number(parsed)
    return region if region and region.isalpha() else f"+{parsed.country_code}"


def may_be_called(number: str) -> bool:
    """P34: whether the whole number may be a user's mobile or the target of a forward or a transfer at all."""
    return number not in NEVER_CALLED


def is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS


def _says_where(number: str, country: str) -> bool:
    """True for a number with '+', an international or a national prefix."""
    plan = PhoneMetadata.metadata_for_region(country)
    national = plan.national_prefix if plan else None
    return _international(number, country).startswith("+") or (national is not None and number.startswith(national))


def _international(number: str, country: str) -> str:
    """The number with '+' in place of what the country dials before a number abroad."""
    plan = PhoneMetadata.metadata_for_region(country)
    return re.sub(f"^(?:{plan.international_prefix})", "+", number) if plan and plan.international_prefix else number


def _parsed(number: str, country: str) -> PhoneNumber | None:
    if not is_digits(number.removeprefix("+")):
        return None
    try:
        return phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        return None


def _is_short(number: str, parsed: PhoneNumber, country: str) -> bool:
    if number.startswith("+") or len(number) > MAX_SHORT_DIGITS or phonenumbers.is_valid_number(parsed):
        return False
    cost = shortnumberinfo.expected_cost_for_region(parsed, country)
    is_known = shortnumberinfo.is_valid_short_number_for_region(parsed, country) or cost != ShortNumberCost.UNKNOWN_COST
    return is_known or number.startswith(DIRECTORY.get(country, "+"))


def _short_class(number: str, parsed: PhoneNumber, country: str) -> NumberClass:
    cost = shortnumberinfo.expected_cost_for_region(parsed, country)
    if cost == ShortNumberCost.PREMIUM_RATE or number.startswith(DIRECTORY.get(country, "+")):
        return NumberClass.PREMIUM
    return NumberClass.SPECIAL


def _is_domestic(parsed: PhoneNumber, country: str) -> bool:
    """True for a number with a domestic price. The Vatican's are numbers of Rome."""
    region = phonenumbers.region_code_for_number(parsed)
    return region == country or {region, country} == {"IT", "VA"}


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


def caller_number(said: str, country: str, internal: Container[str] = ()) -> str:
    """The caller's number from a trunk or a phone, as +E.164 where possible; '' for a hidden number. `internal`: the numbers
    that only colleagues have, for a caller from outside, who hides behind one of these."""
    digits = re.sub("[^0-9*#]", "", said)
    return "" if said.strip().lower() in HIDDEN or digits in internal else e164(said, country)


def caller_name(said: str, number: str, internal: Container[str], names: Iterable[str]) -> str:
    """The name of a caller from outside, who says this name and this number; '' for one that has a colleague's number, as
    either, or a colleague's name."""
    digits = (re.sub("[^0-9*#]", "", text) for text in (said, number))
    is_colleagues = any(each in internal for each in digits) or said.strip().casefold() in map(str.casefold, names)
    return "" if is_colleagues else said
