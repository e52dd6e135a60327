"""What stands on a firm's desks and shelves: telephones, as a tenant's file lists them. Pure."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from routing.models import PHONES, known_model
from routing.names import DeviceName, Dialled, Extension, Label, Mac, Name, all_differ
from routing.phrases import Language

DeviceNames = Annotated[tuple[DeviceName, ...], AfterValidator(all_differ)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Blf(_Part):
    """A lamp that shows whether an extension is free, rings or is busy; pressed, it calls it."""

    kind: Literal["blf"]
    extension: Extension
    label: Label | None = None


class SpeedDial(_Part):
    """Calls a number; no lamp."""

    kind: Literal["speed_dial"]
    number: Dialled
    label: Label


Key = Annotated[Blf | SpeedDial, Field(discriminator="kind")]
KINDS_OF_KEYS = ("blf", "speed_dial")


class _Equipment(_Part):
    mac: Mac
    site: Name = "main"                   # the building it stands in
    language: Language | None = None      # of its display; the tenant's without it
    timezone: str | None = None           # the tenant's without it


class Phone(_Equipment):
    """A telephone on a desk. Its first keys are its lines, the keys below come after them."""

    model: Annotated[str, AfterValidator(known_model(PHONES))] = Field(json_schema_extra={"enum": list(PHONES)})
    lines: DeviceNames = Field(min_length=1, max_length=16)
    keys: tuple[Key, ...] = Field(default=(), max_length=120)


Equipment = Phone


class Equipped(_Part):
    """The sections of a tenant's file that say what stands where."""

    phones: dict[Name, Phone] = Field(default_factory=dict)
    more_equipment: bool = False          # than there are extensions

    def equipment(self) -> Iterator[tuple[str, Name, Equipment]]:
        """Everything with its section and label."""
        for label, phone in self.phones.items():
            yield "phones", label, phone
