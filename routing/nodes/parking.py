"""Parking: a call waits in a slot until one of the tenant's phones dials the slot's number; after a time limit it returns to
the user who parked it.

Dialling or transferring to the lot's own extension parks in any free slot and announces its number to a phone; a call that is
transferred to a slot's number is parked there.
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, model_validator

from routing.call.reasons import Why
from routing.call.state import DialEnded, DialStatus, Entered, Event, Parked, ParkEnded, Played
from routing.call.step import Cause, Dial, Hangup, Park, Play, SetCall, Unpark
from routing.nodes.node import Do, Element, Go, Here, Lot, UnexpectedEvent, Uses
from routing.numbering.value_types import Extension, Name, NamePrefix, Target
from yaml_models.patterns import matching

MAX_SLOTS = 100
BACK, RINGING = 1, 2      # remembered while a call returns to the user who parked it
Slots = Annotated[str, matching(r"^[0-9]{2,6}-[0-9]{2,6}$", "slots such as 701-720")]


class Parking(Element):
    slots: Slots                                   # internal numbers, as 701-720
    return_s: int = Field(default=60, ge=5, le=3600)
    ring_s: int = Field(default=20, ge=3, le=120)  # of the phone that parked it, when the call returns
    mark: NamePrefix = "P:"                        # then before the caller's name
    unanswered: Target

    @model_validator(mode="after")
    def has_slots(self) -> "Parking":
        first, _, last = self.slots.partition("-")
        if len(first) != len(last) or first.startswith("0") or not 0 <= int(last) - int(first) < MAX_SLOTS:
            raise ValueError(f"found the slots {self.slots}, expected up to {MAX_SLOTS} from a lower number, as 701-720")
        return self

    @property
    def numbers(self) -> tuple[Extension, ...]:
        first, _, last = self.slots.partition("-")
        return tuple(str(number) for number in range(int(first), int(last) + 1))

    @property
    def inner_field(self) -> str:
        return "slots"

    def inner_nodes(self, name: Name) -> Mapping[Extension, Element]:
        return {number: Slot(parking_name=name, parking=self, number=number) for number in self.numbers}

    def lot(self, name: Name) -> Lot:
        return Lot(name, self.numbers)

    def uses(self) -> Uses:
        return Uses(targets=(("unanswered", self.unanswered),))

    def decide(self, here: Here, memory: tuple[int, ...], event: Event) -> Go | Do:
        return self.park(here, here.name, self.numbers, memory, event)

    def park(self, here: Here, lot: Name, slots: tuple[Extension, ...], memory: tuple[int, ...], event: Event) -> Go | Do:
        match event:
            case Entered() if memory and here.facts.transferrer in here.tenant.names:
                step = Dial(here.tenant.endpoints_of(here.facts.transferrer), self.ring_s)
                return Do(step, Why.RINGS(Why.WHO(here.facts.transferrer)), (RINGING,))
            case Entered() if not memory:
                says_slot = bool(here.facts.caller_extension) and not here.facts.transferrer
                return Do(
                    Park(lot, slots, self.return_s, says_slot),
                    Why.IS_PARKED_IN(slots[0]) if len(slots) == 1 else Why.IS_PARKED())
            case ParkEnded(end=Parked.FETCHED):
                return Do(Hangup(Cause.NORMAL), Why.CONVERSATION_OVER())
            case ParkEnded(end=Parked.BACK) if here.facts.transferrer in here.tenant.names:
                return Do(
                    SetCall(name_prefix=self.mark), Why.NOBODY_FETCHES() + Why.BACK_TO(here.facts.transferrer), (BACK,))
            case ParkEnded(end=Parked.FULL) if here.facts.transferrer in here.tenant.names:
                step = Dial(here.tenant.endpoints_of(here.facts.transferrer), self.ring_s, first_prompts=("sys_parking_full",))
                return Do(step, Why.NO_SLOT() + Why.BACK_TO(here.facts.transferrer), (RINGING,))
            case ParkEnded(end=end):
                why = Why.NOBODY_FETCHES() if end is Parked.BACK else Why.NO_SLOT()
                return Go(self.unanswered, why + Why.ON_TO(self.unanswered))
            case DialEnded(status=DialStatus.ANSWER):
                return Do(Hangup(Cause.NORMAL), Why.CONVERSATION_OVER())
            case DialEnded():
                return Go(self.unanswered, Why.DOES_NOT_TAKE(here.facts.transferrer) + Why.ON_TO(self.unanswered))
            case _:
                raise UnexpectedEvent(here, event)


class Slot(Element):
    """The number of a slot."""

    parking_name: Name
    parking: Parking
    number: Extension

    def lot(self, name: Name) -> Lot:
        return Lot(self.parking_name, (self.number,))

    def uses(self) -> Uses:
        return Uses(targets=self.parking.uses().targets, ends=True)

    def decide(self, here: Here, memory: tuple[int, ...], event: Event) -> Go | Do:
        match event:
            case Played():
                return Do(Hangup(Cause.NORMAL), Why.HANGS_UP())
            case Entered() if not memory and not here.facts.transferrer and here.facts.caller_extension:
                return Do(Unpark(self.parking_name, self.number, "sys_nothing_parked"), Why.TAKES_PARKED())
            case Entered() if not memory and not here.facts.transferrer:
                return Do(Play(("sys_unknown_number",)), Why.FOR_OWN_PHONES())
            case _:
                return self.parking.park(here, self.parking_name, (self.number,), memory, event)
