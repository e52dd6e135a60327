"""External number: a call through a trunk."""

from pydantic import Field

from routing.call.reasons import Why
from routing.call.state import DialEnded, DialStatus, Entered, Event
from routing.call.step import Cause, Dial, ExternalNumber, Hangup
from routing.hunt.caller_id import CALLER, Presentation, identity
from routing.nodes.node import Do, Element, Go, Here, UnexpectedEvent, Uses
from routing.numbering.value_types import Did, Name, Target


class External(Element):
    number: Did
    trunk: Name | None = None                 # default: by the tenant's routes
    ring_s: int = Field(default=30, ge=3, le=120)
    presentation: Presentation = CALLER       # what the other side sees: the caller's number, or one of the tenant's
    unanswered: Target
    busy: Target | None = None                # where it is busy; default: as unanswered

    def uses(self) -> Uses:
        return Uses(
            targets=(("unanswered", self.unanswered), *((("busy", self.busy),) if self.busy else ())),
            outside=(("number", self.number),),
            trunks=(("trunk", self.trunk),) if self.trunk else (),
            shown=(("presentation", self.presentation),) if self.presentation != CALLER else (),
        )

    def decide(self, here: Here, memory: tuple[int, ...], event: Event) -> Go | Do:
        match event:
            case Entered() if here.facts.caller == self.number:
                return Go(self.unanswered, Why.CALLERS_OWN(self.number) + Why.ON_TO(self.unanswered))
            case Entered():
                leg = ExternalNumber(self.number, here.tenant.trunk_endpoint(self.trunk, self.number))
                seen = identity(here.tenant, here.facts, self.presentation)
                step = Dial((), self.ring_s, outside=(leg,), shown=seen.shown, vouching=seen.vouching, hidden=seen.hidden)
                return Do(step, Why.CALLS(self.number))
            case DialEnded(status=DialStatus.ANSWER):
                return Do(Hangup(Cause.NORMAL), Why.CONVERSATION_OVER())
            case DialEnded(status=DialStatus.BUSY) if self.busy:
                return Go(self.busy, Why.BUSY() + Why.ON_TO(self.busy))
            case DialEnded(status=status):
                return Go(self.unanswered, Why.DIAL_ENDED(status.lower()) + Why.ON_TO(self.unanswered))
            case _:
                raise UnexpectedEvent(here, event)
