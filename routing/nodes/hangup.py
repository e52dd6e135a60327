"""Hang up, after saying why."""

from routing.call import Cause, Entered, Event, Hangup, Play, Played
from routing.names import Name
from routing.nodes.node import Do, Element, Go, Here, UnexpectedEvent, Uses


class HangUp(Element):
    prompt: Name = "sys_unavailable"

    def uses(self) -> Uses:
        return Uses(prompts=(("prompt", self.prompt),), ends=True)

    def decide(self, here: Here, memory: tuple[int, ...], event: Event) -> Go | Do:
        match event:
            case Entered():
                return Do(Play((self.prompt,)), f"plays {self.prompt}")
            case Played():
                return Do(Hangup(Cause.NORMAL), "hangs up")
            case _:
                raise UnexpectedEvent(here, event)
