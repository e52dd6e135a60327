"""Equipment: telephones, DECT systems and gateways, as a tenant's file lists them. Pure."""

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
    """A lamp that shows whether an extension is idle, rings or is busy; the key calls it."""

    kind: Literal["blf"]
    extension: Extension
    label: Label | None = None


class SpeedDial(Part):
    """Calls a number; no lamp."""

    kind: Literal["speed_dial"]
    number: DialledByKey
    label: Label


class ParkKey(Part):
    """A lamp that shows whether a call is parked in the slot; the key fetches that call, or parks the user's own call there."""

    kind: Literal["park"]
    slot: Extension
    label: Label | None = None


class SwitchKey(Part):
    """A lamp that shows whether a switch was moved; the key moves it to the next position."""

    kind: Literal["switch"]
    switch: Name
    label: Label | None = None


class PauseKey(Part):
    """A lamp that shows whether the first line's user is paused in queues; the key begins and ends a pause."""

    kind: Literal["pause"]
    label: Label | None = None


PhoneKey = Annotated[Blf | SpeedDial | ParkKey | SwitchKey | PauseKey, Field(discriminator="kind")]
KINDS_OF_KEYS = ("blf", "speed_dial", "park", "switch", "pause")


class _Equipment(Part):
    mac: Mac
    site: Name | None = None              # one of `sites`; default: the user's site
    language: Language | None = None      # of its display; default: the tenant's
    timezone: str | None = None           # default: the tenant's


class Phone(_Equipment):
    """A desk telephone. Its first keys are its lines; the keys below come after them."""

    model: Annotated[str, AfterValidator(known_model(PHONES))] = Field(json_schema_extra={"enum": list(PHONES)})
    lines: DeviceNames = Field(min_length=1, max_length=16)
    keys: tuple[PhoneKey, ...] = Field(default=(), max_length=120)

    @property
    def user(self) -> Extension:
        """The user of the telephone: that of its first line."""
        return read_device(self.lines[0]).extension


class Handset(Part):
    """A cordless telephone. Without its IPUI, shown when it registers, the next handset that registers takes the place."""

    device: DeviceName
    ipui: Ipui | None = None


class DectSystem(_Equipment):
    """A DECT manager, which is a base itself, with its further bases and its handsets."""

    model: Annotated[str, AfterValidator(known_model(DECT))] = Field(json_schema_extra={"enum": list(DECT)})
    bases: dict[Name, Mac] = Field(default_factory=dict)
    handsets: dict[Name, Handset] = Field(min_length=1)


class Use(StrEnum):
    """The kind of equipment on an analogue port."""

    FAX = "fax"
    CARD_TERMINAL = "card_terminal"


class Port(Part):
    """An analogue port of a gateway."""

    device: DeviceName
    use: Use


class Gateway(_Equipment):
    """A gateway with ports for analogue equipment, the first port first."""

    model: Annotated[str, AfterValidator(known_model(GATEWAYS))] = Field(json_schema_extra={"enum": list(GATEWAYS)})
    ports: tuple[Port, ...] = Field(min_length=1, max_length=8)


Equipment = Phone | DectSystem | Gateway


def devices_of(each: Equipment) -> list[tuple[tuple[str, ...], DeviceName]]:
    """The users' devices that this equipment provides, each with its path in the file."""
    match each:
        case Phone():
            return [(("lines", str(i)), device) for i, device in enumerate(each.lines)]
        case DectSystem():
            return [(("handsets", name, "device"), handset.device) for name, handset in each.handsets.items()]
        case Gateway():
            return [(("ports", str(i), "device"), port.device) for i, port in enumerate(each.ports)]


class Equipped(Part):
    """The equipment sections of a tenant's file. A label names one piece of equipment."""

    phones: dict[Name, Phone] = Field(default_factory=dict)
    dect: dict[Name, DectSystem] = Field(default_factory=dict)
    gateways: dict[Name, Gateway] = Field(default_factory=dict)
    more_equipment: bool = False          # allows more equipment than there are extensions

    def equipment(self) -> Iterator[tuple[str, Name, Equipment]]:
        """All equipment with its section and label."""
        for section, found in (("phones", self.phones), ("dect", self.dect), ("gateways", self.gateways)):
            for label, each in found.items():
                yield section, label, each

    @cached_property
    def analogue(self) -> Mapping[DeviceName, Use]:
        """The devices that are analogue ports, with the kind of equipment on each."""
        return {port.device: port.use for gateway in self.gateways.values() for port in gateway.ports}
