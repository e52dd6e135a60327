"""Public numbers as trunks write them. Pure."""

from collections.abc import Container

import phonenumbers


def find_did(dialled: str, country: str, dids: Container[str]) -> str | None:
    """Which of `dids` (E.164 with '+') a carrier means by `dialled`: +48221234567, 48221234567, 0048221234567 and,
    in the tenant's country (ISO 3166-1 alpha-2), 221234567."""
    digits = dialled.removeprefix("+")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 20:
        return None
    if f"+{digits}" in dids:
        return f"+{digits}"
    try:
        parsed = phonenumbers.parse(dialled, country)
    except phonenumbers.NumberParseException:
        return None
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return number if number in dids else None
