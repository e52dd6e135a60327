"""Public numbers as trunks write them. Pure."""

from collections.abc import Container

import phonenumbers

MAX_DIGITS = 20


def find_did(dialled: str, country: str, dids: Container[str]) -> str | None:
    """Which of `dids` (E.164 with '+') a carrier means by `dialled`: +48221234567, 48221234567, 0048221234567 and,
    in the tenant's country (ISO 3166-1 alpha-2), 221234567."""
    digits = dialled.removeprefix("+")
    if is_digits(digits) and f"+{digits}" in dids:
        return f"+{digits}"
    number = e164(dialled, country)
    return number if number in dids else None


def dialled_number(dialled: str, country: str, dids: Container[str]) -> str:
    """The DID that is meant, or what was dialled as it is."""
    return find_did(dialled, country, dids) or dialled


def e164(number: str, country: str) -> str:
    """A number as somebody in that country would dial it, in full: +48221234567. What is no whole number of any dialling plan,
    such as an extension, stays as it is."""
    if not is_digits(number.removeprefix("+")):
        return number
    try:
        parsed = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        return number
    if not phonenumbers.is_possible_number(parsed):
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS
