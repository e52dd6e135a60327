"""Hang up, after an explanation."""

from typing import Literal

from routing.call.reasons import Why
from routing.call.state import Entered, Event, Played
from routing.call.step import Cause, Hangup, Play
from routing.nodes.node import Do, Element, Go, Here, UnexpectedEvent, Uses
from routing.numbering.value_types import Name


class HangUp(Element):
    """With a `cause` the call is not answered: it costs the caller nothing, and the caller's side receives the cause."""

    prompt: Name = "sys_unavailable"
    cause: Literal["busy", "no_answer", "unavailable", "refused", "unknown_number"] | None = None

    def uses(self) -> Uses:
        return Uses(prompts=(("prompt", self.prompt),), ends=True)

    def decide(self, here: Here, memory: tuple[int, ...], event: Event) -> Go | Do:
        match event:
            case Entered():
                return Do(Play((self.prompt,), early=self.cause is not None), Why.PLAYS(self.prompt))
            case Played():
                return Do(Hangup(Cause[self.cause.upper()] if self.cause else Cause.NORMAL), Why.HANGS_UP())
            case _:
                raise UnexpectedEvent(here, event)
