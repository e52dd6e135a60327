"""External numbers as users dial them: the number for the trunk, and its call class. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator

from routing.numbering.numbers import MAX_SHORT_DIGITS, NumberClass, classify, e164, emergency_number


class CallClass(StrEnum):
    """Class of a call, by which it is permitted, paid for and routed."""

    INTERNAL = "internal"
    NATIONAL = "national"            # to fixed numbers of the tenant's country
    MOBILE = "mobile"                # of the tenant's country
    SPECIAL = "special"              # short numbers, free and shared-cost ones
    PREMIUM = "premium"              # directory enquiries too
    INTERNATIONAL = "international"
    EMERGENCY = "emergency"          # which nothing bars


def in_order(classes: tuple[CallClass, ...]) -> tuple[CallClass, ...]:
    """Each class once, in a fixed order: the published text stays the same where nothing changes."""
    return tuple(sorted(set(classes)))


Permissions = Annotated[tuple[CallClass, ...], AfterValidator(in_order)]
_CLASSES = {
    NumberClass.FIXED: CallClass.NATIONAL,
    NumberClass.MOBILE: CallClass.MOBILE,
    NumberClass.SPECIAL: CallClass.SPECIAL,
    NumberClass.PREMIUM: CallClass.PREMIUM,
    NumberClass.INTERNATIONAL: CallClass.INTERNATIONAL,
}


@dataclass(frozen=True, slots=True)
class OutsideNumber:
    number: str                      # +E.164, or a short number as it is
    call_class: CallClass


def read_dialled(dialled: str, country: str, area_code: str) -> OutsideNumber | None:
    """The number that `dialled` means: +48..., 0048..., with the national prefix or without any, in the tenant's area by the
    last digits, or a short number. None for a number of no plan."""
    if emergency := emergency_number(dialled, country):
        return OutsideNumber(emergency, CallClass.EMERGENCY)
    short = _CLASSES.get(classify(dialled, country)) if len(dialled) <= MAX_SHORT_DIGITS else None
    if short in (CallClass.SPECIAL, CallClass.PREMIUM):
        return OutsideNumber(dialled, short)
    whole = e164(dialled, country, area_code)
    found = _CLASSES.get(classify(whole, country)) if whole.startswith("+") else None
    return OutsideNumber(whole, found) if found else None


def class_of(number: str, country: str) -> CallClass | None:
    """That of a whole number as a tenant's file has it."""
    found = read_dialled(number, country, "")
    return found.call_class if found else None
