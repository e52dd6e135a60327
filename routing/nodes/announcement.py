"""Announcement: prompts, then on. An occasional one is played on its days only."""

from zoneinfo import ZoneInfo

from pydantic import Field

from routing.call.reasons import Why
from routing.call.state import Entered, Event, Played
from routing.call.step import Play
from routing.hours.dates import DateSpan
from routing.nodes.node import Do, Element, Go, Here, UnexpectedEvent, Uses, numbered
from routing.numbering.value_types import Name, Target


class Announcement(Element):
    prompts: tuple[Name, ...] = Field(min_length=1, max_length=10)
    interruptible: bool = False                                         # any key ends it; the key counts for nothing else
    days: tuple[DateSpan, ...] = Field(default=(), max_length=100)      # in the tenant's time zone; without them every day
    next: Target

    def uses(self) -> Uses:
        return Uses(targets=(("next", self.next),), prompts=tuple(numbered("prompts", self.prompts)))

    def decide(self, here: Here, memory: tuple[int, ...], event: Event) -> Go | Do:
        match event:
            case Entered():
                today = here.facts.moment.astimezone(ZoneInfo(here.tenant.timezone)).date()
                if self.days and not any(span.cover(today) for span in self.days):
                    return Go(self.next, Why.NOT_TODAY(today.isoformat()) + Why.ON_TO(self.next))
                return Do(Play(self.prompts, skippable=self.interruptible), Why.PLAYS(", ".join(self.prompts)))
            case Played():
                return Go(self.next, Why.PLAYED() + Why.ON_TO(self.next))
            case _:
                raise UnexpectedEvent(here, event)
