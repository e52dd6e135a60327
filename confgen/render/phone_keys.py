"""Programmable keys of a telephone: what each key watches and dials, and its label. Pure."""

from dataclasses import dataclass
from typing import Literal, assert_never

from routing.speech.phrases import Language
from routing.tenant.equipment import Blf, ParkKey, PauseKey, Phone, PhoneKey, SpeedDial, SwitchKey
from routing.tenant.tenant import Tenant

PAUSE: dict[Language, str] = {"en": "Pause", "it": "Pausa", "pl": "Przerwa"}


@dataclass(frozen=True, slots=True)
class Button:
    """`lamp`: watches the value (docs/lamps.md), and dials it when pressed; `park`: the same, and during a call transfers it
    there; `dial`: only dials."""

    kind: Literal["lamp", "park", "dial"]
    value: str
    label: str


def buttons_of(tenant: Tenant, phone: Phone) -> list[Button]:
    return [_button(tenant, phone, key) for key in phone.keys]


def _button(tenant: Tenant, phone: Phone, key: PhoneKey) -> Button:
    match key:
        case Blf():
            return Button("lamp", key.extension, key.label or tenant.users[key.extension].name)
        case SpeedDial():
            return Button("dial", key.number, key.label)
        case ParkKey():
            return Button("park", key.slot, key.label or key.slot)
        case SwitchKey():
            return Button("lamp", tenant.codes.switches[key.switch], key.label or key.switch)
        case PauseKey():
            return Button("lamp", f"{tenant.codes.pause}{phone.user}", key.label or PAUSE[phone.language or tenant.language])
        case other:
            assert_never(other)
