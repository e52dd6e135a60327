"""Node: the interface of every node of a call flow, and its possible answers. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from routing.call.admission import Caps
from routing.call.codes import Codes
from routing.call.facts import Facts
from routing.call.reasons import Reasons
from routing.call.state import NOTHING_CHOSEN, Chosen, Event
from routing.call.step import Step
from routing.hours.calendars import Calendar
from routing.hunt.forwarding import People
from routing.hunt.hunting import Seat
from routing.numbering.dialled import CallClass
from routing.numbering.number_list import NumberSet
from routing.numbering.value_types import Extension, Name, Target
from routing.speech.phrases import Language
from yaml_models.strict_model import Part

if TYPE_CHECKING:
    from routing.nodes.when import When


@dataclass(frozen=True, slots=True)
class Go:
    """Go on to another node."""

    target: Target
    why: Reasons
    passed_by: Extension = ""     # the user who passes the call on: no forward brings it back


@dataclass(frozen=True, slots=True)
class Do:
    """Ask the phone system for a step; its event comes back to this node with `memory`, or the call then enters node `then`.
    `chosen` replaces the settings chosen for the call; None keeps them. A step `refuses` the call where its prompts explain why
    the call cannot go on; it `is_screened` where the outbound policy has already admitted its external numbers."""

    step: Step
    why: Reasons
    memory: tuple[int, ...] = ()
    then: Target | None = None
    chosen: Chosen | None = None
    refuses: bool = False
    is_screened: bool = False


class Directory(People, Protocol):
    """The part of a tenant that a node may read."""

    @property
    def main_number(self) -> str: ...
    def seats_of(self, group: Name) -> tuple[Seat, ...]: ...
    @property
    def timezone(self) -> str: ...
    @property
    def internal_numbers(self) -> Mapping[Extension, str]: ...
    @property
    def names(self) -> Mapping[Extension, str]: ...
    @property
    def language(self) -> Language: ...
    def refusal_of(self, number: str) -> str: ...
    def find_node(self, destination: str) -> Target | None: ...
    @property
    def country(self) -> str: ...
    @property
    def calendars(self) -> Mapping[str, Calendar]: ...
    def numbers_in(self, number_list: Name) -> NumberSet: ...
    def line_of(self, queue: Name) -> tuple[Seat, ...]: ...
    def mobile_of(self, extension: Extension) -> str: ...
    def position_of(self, switch: Name, found: str | None) -> Name: ...
    @property
    def area_code(self) -> str: ...
    @property
    def codes(self) -> Codes: ...
    def trunks_for(self, call_class: CallClass) -> tuple[Name, ...]: ...
    def number_of(self, extension: Extension) -> str: ...
    def hides_number(self, extension: Extension) -> bool: ...
    def site_number(self, extension: Extension) -> str: ...
    def permissions_of(self, extension: Extension) -> tuple[CallClass, ...]: ...
    def closing_rules(self, extension: Extension) -> tuple["When", ...]: ...
    @property
    def caps(self) -> Caps: ...
    @property
    def asks_new_countries(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Here:
    """The context of a decision."""

    name: str            # the node's own name or extension
    tenant: Directory
    facts: Facts
    trail: tuple[Extension, ...] = ()     # the users who have passed this call on
    chosen: Chosen = NOTHING_CHOSEN


@dataclass(frozen=True, slots=True)
class Uses:
    """References of a node, for the checker and the diagram: the field's path, then the name."""

    targets: tuple[tuple[str, Target], ...] = ()      # nodes the call may go on to
    prompts: tuple[tuple[str, Name], ...] = ()
    users: tuple[tuple[str, Extension], ...] = ()     # members and mailboxes
    numbers: tuple[tuple[str, Extension], ...] = ()   # internal numbers, whatever they reach
    any_number: bool = False                          # the call may go on to every internal number
    outside: tuple[tuple[str, str], ...] = ()         # external numbers that it may call
    trunks: tuple[tuple[str, Name], ...] = ()
    shown: tuple[tuple[str, str], ...] = ()           # the tenant's numbers that it shows to external parties
    groups: tuple[tuple[str, Name], ...] = ()         # members that are groups
    musics: tuple[tuple[str, Name], ...] = ()
    settings: tuple[tuple[str, str, str], ...] = ()   # required entries of another section: field, section, key there
    positions: tuple[tuple[str, Name, Name], ...] = ()    # field, switch, position
    follows: bool = False                             # it follows the forwards of its users
    ends: bool = False                                # this node can end a call properly by itself


@dataclass(frozen=True, slots=True)
class Lot:
    """Parking slots, by their internal numbers: one after the other, as 701 to 720."""

    name: Name
    slots: tuple[Extension, ...]

    def __str__(self) -> str:
        return f"{self.slots[0]}-{self.slots[-1]}"


class Element(Part):
    """The fields that every element of a tenant's file may have, and the methods that a kind of element may define."""

    extension: Extension | None = None    # the internal number that reaches the element

    @property
    def inner_field(self) -> str:
        """The field that gives the element more internal numbers, '' where there is none."""
        return ""

    def inner_nodes(self, name: Name) -> Mapping[Extension, "Element"]:
        """The nodes that those internal numbers reach. `name` is the element's own."""
        return {}

    def lot(self, name: Name) -> Lot | None:
        """The lot in which a call transferred here is parked; None if there is none."""
        return None

    def uses(self) -> Uses:
        raise NotImplementedError

    def decide(self, here: Here, memory: tuple[int, ...], event: Event) -> Go | Do:
        """The next action. Raises UnexpectedEvent for an event this node never asked for."""
        raise NotImplementedError


class UnexpectedEvent(Exception):
    """A state and an event that do not belong together: the flow was changed during the call, or the input was forged."""

    def __init__(self, here: Here, event: Event) -> None:
        super().__init__(f"{here.name}: found the event {event}, which it never asked for")


def numbered(field: str, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """('members.0', '201'), ('members.1', '202'), ..."""
    return ((f"{field}.{i}", name) for i, name in enumerate(names))
