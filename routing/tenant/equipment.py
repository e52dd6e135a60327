"""What stands on a firm's desks and shelves: telephones, DECT systems and gateways, as a tenant's file lists them. Pure."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from routing.numbering.endpoint import read_device
from routing.numbering.value_types import DeviceName, DialledByKey, Extension, Ipui, Label, Mac, Name, all_differ
from routing.speech.phrases import Language
from routing.tenant.phone_models import DECT, GATEWAYS, PHONES, known_model
from yaml_models.strict_model import Part

DeviceNames = Annotated[tuple[DeviceName, ...], AfterValidator(all_differ)]


class Blf(Part):
    """A lamp that shows whether an extension is free, rings or is busy; pressed, it calls it."""

    kind: Literal["blf"]
    extension: Extension
    label: Label | None = None


class SpeedDial(Part):
    """Calls a number; no lamp."""

    kind: Literal["speed_dial"]
    number: DialledByKey
    label: Label


class ParkKey(Part):
    """A lamp that shows whether a call is parked in the slot; pressed, it fetches that call, or parks the own one there."""

    kind: Literal["park"]
    slot: Extension
    label: Label | None = None


class SwitchKey(Part):
    """A lamp that shows whether a switch was moved; pressed, it moves it on."""

    kind: Literal["switch"]
    switch: Name
    label: Label | None = None


class PauseKey(Part):
    """A lamp that shows whether the user of the first line takes no calls of queues; pressed, it begins and ends a pause."""

    kind: Literal["pause"]
    label: Label | None = None


PhoneKey = Annotated[Blf | SpeedDial | ParkKey | SwitchKey | PauseKey, Field(discriminator="kind")]
KINDS_OF_KEYS = ("blf", "speed_dial", "park", "switch", "pause")


class _Equipment(Part):
    mac: Mac
    site: Name | None = None              # of `sites`; without it, that of its user
    language: Language | None = None      # of its display; the tenant's without it
    timezone: str | None = None           # the tenant's without it


class Phone(_Equipment):
    """A telephone on a desk. Its first keys are its lines, the keys below come after them."""

    model: Annotated[str, AfterValidator(known_model(PHONES))] = Field(json_schema_extra={"enum": list(PHONES)})
    lines: DeviceNames = Field(min_length=1, max_length=16)
    keys: tuple[PhoneKey, ...] = Field(default=(), max_length=120)

    @property
    def user(self) -> Extension:
        """Whose telephone it is: that of its first line."""
        return read_device(self.lines[0]).extension


class Handset(Part):
    """A cordless telephone. Without its IPUI, which it shows when registering, any that is registered next takes the place."""

    device: DeviceName
    ipui: Ipui | None = None


class DectSystem(_Equipment):
    """The manager of cordless telephones, which is a base itself, its further bases and its handsets."""

    model: Annotated[str, AfterValidator(known_model(DECT))] = Field(json_schema_extra={"enum": list(DECT)})
    bases: dict[Name, Mac] = Field(default_factory=dict)
    handsets: dict[Name, Handset] = Field(min_length=1)


class Use(StrEnum):
    """What is plugged into an analogue port."""

    FAX = "fax"
    CARD_TERMINAL = "card_terminal"


class Port(Part):
    """A socket of a gateway."""

    device: DeviceName
    use: Use


class Gateway(_Equipment):
    """A box with sockets for analogue equipment, the first port first."""

    model: Annotated[str, AfterValidator(known_model(GATEWAYS))] = Field(json_schema_extra={"enum": list(GATEWAYS)})
    ports: tuple[Port, ...] = Field(min_length=1, max_length=8)


Equipment = Phone | DectSystem | Gateway


def devices_of(each: Equipment) -> list[tuple[tuple[str, ...], DeviceName]]:
    """The users' devices that it is, and where the file says so."""
    match each:
        case Phone():
            return [(("lines", str(i)), device) for i, device in enumerate(each.lines)]
        case DectSystem():
            return [(("handsets", name, "device"), handset.device) for name, handset in each.handsets.items()]
        case Gateway():
            return [(("ports", str(i), "device"), port.device) for i, port in enumerate(each.ports)]


class Equipped(Part):
    """The sections of a tenant's file that say what stands where. A label names one piece of equipment."""

    phones: dict[Name, Phone] = Field(default_factory=dict)
    dect: dict[Name, DectSystem] = Field(default_factory=dict)
    gateways: dict[Name, Gateway] = Field(default_factory=dict)
    more_equipment: bool = False          # than there are extensions

    def equipment(self) -> Iterator[tuple[str, Name, Equipment]]:
        """Everything with its section and label."""
        for section, found in (("phones", self.phones), ("dect", self.dect), ("gateways", self.gateways)):
            for label, each in found.items():
                yield section, label, each

    @cached_property
    def analogue(self) -> Mapping[DeviceName, Use]:
        """The devices that are analogue ports, and what is plugged in there."""
        return {port.device: port.use for gateway in self.gateways.values() for port in gateway.ports}
