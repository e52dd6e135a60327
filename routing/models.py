"""The models of telephones that can be set up, and what each has. Pure. Figures are those of the makers' data sheets."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Vendor(StrEnum):
    YEALINK = "yealink"
    SNOM = "snom"


@dataclass(frozen=True, slots=True)
class PhoneModel:
    """`lines`: SIP accounts. `keys`: programmable keys with a lamp, all pages of them; the lines take the first."""

    vendor: Vendor
    name: str
    lines: int
    keys: int


PHONES: dict[str, PhoneModel] = {
    "yealink_t31p": PhoneModel(Vendor.YEALINK, "Yealink SIP-T31P", 2, 2),
    "yealink_t33g": PhoneModel(Vendor.YEALINK, "Yealink SIP-T33G", 4, 12),
    "yealink_t43u": PhoneModel(Vendor.YEALINK, "Yealink SIP-T43U", 12, 21),
    "yealink_t46u": PhoneModel(Vendor.YEALINK, "Yealink SIP-T46U", 16, 27),
    "yealink_t48u": PhoneModel(Vendor.YEALINK, "Yealink SIP-T48U", 16, 29),
    "yealink_t53w": PhoneModel(Vendor.YEALINK, "Yealink SIP-T53W", 12, 21),
    "yealink_t54w": PhoneModel(Vendor.YEALINK, "Yealink SIP-T54W", 16, 27),
    "yealink_t57w": PhoneModel(Vendor.YEALINK, "Yealink SIP-T57W", 16, 29),
    "yealink_t58w": PhoneModel(Vendor.YEALINK, "Yealink SIP-T58W", 16, 27),
    "snom_d713": PhoneModel(Vendor.SNOM, "Snom D713", 4, 4),
    "snom_d717": PhoneModel(Vendor.SNOM, "Snom D717", 6, 3),
    "snom_d735": PhoneModel(Vendor.SNOM, "Snom D735", 12, 32),
    "snom_d785": PhoneModel(Vendor.SNOM, "Snom D785", 12, 24),
    "snom_d862": PhoneModel(Vendor.SNOM, "Snom D862", 12, 32),
    "snom_d865": PhoneModel(Vendor.SNOM, "Snom D865", 12, 40),
}


def known_model(models: Mapping[str, object]) -> Callable[[str], str]:
    """A validator: raises ValueError for what is not among the models."""

    def check(name: str) -> str:
        if name not in models:
            close = difflib.get_close_matches(name, models, n=1)
            hint = f" (did you mean {close[0]!r}?)" if close else f", expected one of {', '.join(models)}"
            raise ValueError(f"no such model is known{hint}")
        return name

    return check
