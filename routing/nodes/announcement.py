"""Announcement: prompts played to their end, then on."""

from pydantic import Field

from routing.call import Entered, Event, Play, Played
from routing.names import Name, Target
from routing.nodes.node import Do, Element, Go, Here, UnexpectedEvent, Uses, numbered


class Announcement(Element):
    prompts: tuple[Name, ...] = Field(min_length=1, max_length=10)
    next: Target

    def uses(self) -> Uses:
        return Uses(targets=(("next", self.next),), prompts=tuple(numbered("prompts", self.prompts)))

    def decide(self, here: Here, memory: tuple[int, ...], event: Event) -> Go | Do:
        match event:
            case Entered():
                return Do(Play(self.prompts), f"plays {', '.join(self.prompts)}")
            case Played():
                return Go(self.next, f"played, on to {self.next}")
            case _:
                raise UnexpectedEvent(here, event)
