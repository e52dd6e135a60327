"""Schedule: open or closed by the week."""

from zoneinfo import ZoneInfo

from pydantic import Field

from routing.call.reasons import Why
from routing.call.state import Entered, Event
from routing.hours.schedule import Window, covering
from routing.nodes.node import Do, Element, Go, Here, UnexpectedEvent, Uses
from routing.numbering.value_types import Target


class Schedule(Element):
    windows: tuple[Window, ...] = Field(min_length=1, max_length=50)
    open: Target
    closed: Target

    def uses(self) -> Uses:
        return Uses(targets=(("open", self.open), ("closed", self.closed)))

    def decide(self, here: Here, memory: tuple[int, ...], event: Event) -> Go | Do:
        if not isinstance(event, Entered):
            raise UnexpectedEvent(here, event)
        local = here.facts.moment.astimezone(ZoneInfo(here.tenant.timezone))
        window = covering(self.windows, local)
        if window:
            return Go(self.open, Why.OPEN(window.describe()) + Why.ON_TO(self.open))
        return Go(self.closed, Why.NOT_OPEN(local.isoformat(timespec="minutes")) + Why.ON_TO(self.closed))
