"""Group: users who answer for each other."""

from typing import Literal

from pydantic import Field

from routing.call import Cause, Dial, DialEnded, DialStatus, Entered, Event, Hangup
from routing.facts import DeviceState
from routing.names import Extension, Extensions, Target
from routing.nodes.node import Do, Element, Go, Here, UnexpectedEvent, Uses, numbered
from routing.questions import Turn

IN_A_CALL = {DeviceState.IN_USE, DeviceState.BUSY}


class Group(Element):
    """`ring_all` rings every member at once for `ring_s`; the others ring one after the other, each for `ring_s`: `ordered`
    from the first on, `round_robin` from the one after that with which the call before began."""

    algorithm: Literal["ring_all", "ordered", "round_robin"] = "ring_all"
    members: Extensions = Field(min_length=1, max_length=100)
    ring_s: int = Field(default=20, ge=3, le=120)
    skip_busy: bool = True           # a member who is in a call is passed over
    unanswered: Target               # nobody answered, or everybody is in a call

    def uses(self) -> Uses:
        return Uses(targets=(("unanswered", self.unanswered),), users=tuple(numbered("members", self.members)))

    def decide(self, here: Here, memory: tuple[int, ...], event: Event) -> Go | Do:
        match event:
            case Entered():
                turn = here.facts.answer(Turn(here.name)) if self.algorithm == "round_robin" else 0
                return self._ring(here, turn % len(self.members), 0, "")
            case DialEnded(status=DialStatus.ANSWER):
                return Do(Hangup(Cause.NORMAL), "the conversation is over")
            case DialEnded(status=status):
                first, done = memory
                return self._ring(here, first, done, f"{status.lower()}, ")
            case _:
                raise UnexpectedEvent(here, event)

    def _ring(self, here: Here, first: int, done: int, before: str) -> Go | Do:
        """Rings those that are free, all or the next one, of the members in order from place `first` on without the `done`
        that have had their turn."""
        order = (*self.members[first:], *self.members[:first])
        free = [i for i in range(done, len(order)) if not self._is_skipped(here, order[i])]
        if not free:
            nobody = "nobody is free" if not before else "nobody is left"
            return Go(self.unanswered, f"{before}{nobody}, on to {self.unanswered}")
        chosen = free if self.algorithm == "ring_all" else free[:1]
        extensions = [order[i] for i in chosen]
        endpoints = tuple(endpoint for extension in extensions for endpoint in here.tenant.endpoints_of(extension))
        done = len(order) if self.algorithm == "ring_all" else chosen[0] + 1
        return Do(Dial(endpoints, self.ring_s), f"{before}rings {', '.join(extensions)}", (first, done))

    def _is_skipped(self, here: Here, extension: Extension) -> bool:
        """Nobody is offered their own call."""
        if extension == here.facts.caller_extension:
            return True
        return self.skip_busy and any(
            here.facts.state_of(endpoint) in IN_A_CALL for endpoint in here.tenant.endpoints_of(extension))
