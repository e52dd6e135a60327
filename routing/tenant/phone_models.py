"""Equipment models that can be provisioned, with the features of each. Pure. Figures are from the makers' data sheets."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Vendor(StrEnum):
    YEALINK = "yealink"
    SNOM = "snom"
    GRANDSTREAM = "grandstream"
    CISCO = "cisco"
    POLY = "poly"
    GIGASET = "gigaset"
    PATTON = "patton"


@dataclass(frozen=True, slots=True)
class PhoneModel:
    """`lines`: SIP accounts. `keys`: programmable keys with a lamp, over all pages; the lines take the first."""

    vendor: Vendor
    name: str
    lines: int
    keys: int


@dataclass(frozen=True, slots=True)
class DectModel:
    """`bases`: the maximum for its manager; `handsets`: for all bases together."""

    vendor: Vendor
    name: str
    bases: int
    handsets: int


@dataclass(frozen=True, slots=True)
class GatewayModel:
    """`ports`: analogue ports."""

    vendor: Vendor
    name: str
    ports: int


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
    # The keys of its lines are separate from the others.
    "grandstream_gxp1628": PhoneModel(Vendor.GRANDSTREAM, "Grandstream GXP1628", 2, 10),
    "grandstream_gxp1630": PhoneModel(Vendor.GRANDSTREAM, "Grandstream GXP1630", 3, 11),
    "grandstream_gxp2130": PhoneModel(Vendor.GRANDSTREAM, "Grandstream GXP2130", 3, 11),
    "cisco_6821": PhoneModel(Vendor.CISCO, "Cisco 6821 MPP", 2, 2),
    "cisco_6851": PhoneModel(Vendor.CISCO, "Cisco 6851 MPP", 4, 4),
    "cisco_7841": PhoneModel(Vendor.CISCO, "Cisco 7841 MPP", 4, 4),
    "cisco_7861": PhoneModel(Vendor.CISCO, "Cisco 7861 MPP", 16, 16),
    "cisco_8851": PhoneModel(Vendor.CISCO, "Cisco 8851 MPP", 10, 10),
    "poly_vvx150": PhoneModel(Vendor.POLY, "Poly VVX 150", 2, 2),
    "poly_vvx250": PhoneModel(Vendor.POLY, "Poly VVX 250", 4, 4),
    "poly_vvx350": PhoneModel(Vendor.POLY, "Poly VVX 350", 6, 6),
    "poly_vvx450": PhoneModel(Vendor.POLY, "Poly VVX 450", 12, 12),
}
DECT: dict[str, DectModel] = {
    "gigaset_n670": DectModel(Vendor.GIGASET, "Gigaset N670 IP PRO", 0, 20),
    "gigaset_n870": DectModel(Vendor.GIGASET, "Gigaset N870 IP PRO", 60, 250),
}
GATEWAYS: dict[str, GatewayModel] = {
    "grandstream_ht801": GatewayModel(Vendor.GRANDSTREAM, "Grandstream HT801", 1),
    "grandstream_ht802": GatewayModel(Vendor.GRANDSTREAM, "Grandstream HT802", 2),
    "patton_sn4112": GatewayModel(Vendor.PATTON, "Patton SmartNode 4112", 2),
    "patton_sn4114": GatewayModel(Vendor.PATTON, "Patton SmartNode 4114", 4),
}


SECTIONS: dict[str, Mapping[str, object]] = {"phones": PHONES, "dect": DECT, "gateways": GATEWAYS}
"""The place of each model in a tenant's file."""


def known_model(models: Mapping[str, object]) -> Callable[[str], str]:
    """A validator: raises ValueError for a name that is not among the models."""

    def check(name: str) -> str:
        if name not in models:
            if section := next((section for section, others in SECTIONS.items() if name in others), ""):
                raise ValueError(f"which belongs in the section {section}")
            alike = [model for model in models if model.endswith(f"_{name.lower()}")]
            close = alike or difflib.get_close_matches(name, models, n=1)
            hint = f" (did you mean {close[0]!r}?)" if close else f", expected one of {', '.join(models)}"
            raise ValueError(f"no such model is known{hint}")
        return name

    return check
