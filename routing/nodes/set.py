"""Set: changes the caller's name, language or music for the rest of the call."""

from typing import Self

from pydantic import model_validator

from routing.call.reasons import Why
from routing.call.state import Chosen, Entered, Event
from routing.call.step import SetCall
from routing.nodes.node import Do, Element, Go, Here, UnexpectedEvent, Uses
from routing.numbering.value_types import Name, NamePrefix, Target
from routing.speech.phrases import Language


class Set(Element):
    """The prefix is put before the caller's own name, or number where there is none, and takes the place of an earlier one."""

    name_prefix: NamePrefix | None = None      # such as 'Sales: '
    language: Language | None = None       # of what the caller hears: phrases, and prompts that have a translation
    music: Name | None = None              # where an element has none of its own, and on hold
    next: Target

    @model_validator(mode="after")
    def sets_something(self) -> Self:
        if not self.name_prefix and not self.language and not self.music:
            raise ValueError("expected name_prefix, language or music")
        return self

    def uses(self) -> Uses:
        return Uses(targets=(("next", self.next),), musics=(("music", self.music),) if self.music else ())

    def decide(self, here: Here, memory: tuple[int, ...], event: Event) -> Go | Do:
        if not isinstance(event, Entered):
            raise UnexpectedEvent(here, event)
        chosen = Chosen(self.language or here.chosen.language, self.music or here.chosen.music)
        step = SetCall(self.name_prefix or "", self.language or "", self.music or "")
        settings = ((Why.SET_NAME, self.name_prefix), (Why.SET_LANGUAGE, self.language), (Why.SET_MUSIC, self.music))
        sets = tuple(reason for why, value in settings if value for reason in why(value))
        return Do(step, Why.SETS(sets) + Why.ON_TO(self.next), then=self.next, chosen=chosen)
