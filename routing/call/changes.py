"""Changes that a user makes by a code; routing/tenant/settings.py computes the settings after them. Pure."""

from dataclasses import dataclass
from datetime import datetime

from routing.numbering.value_types import Name


@dataclass(frozen=True, slots=True)
class DoNotDisturb:
    on: bool


@dataclass(frozen=True, slots=True)
class Paused:
    """In one group or queue, or in all where `group` is ''. `others` are the user's other groups and queues."""

    on: bool
    group: Name = ""
    others: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """As Paused."""

    on: bool
    group: Name = ""
    others: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class Forward:
    """`kind` is one of Forwarding, `to` an internal or full number, '' for no forward. `fixed`: the tenant's file has a forward
    of this kind, so that "none" has to be stored to override it."""

    kind: str
    to: str
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class WakeUp:
    """An aware moment; None for no call."""

    at: datetime | None


Setting = DoNotDisturb | Paused | LoggedOut | Forward | WakeUp
