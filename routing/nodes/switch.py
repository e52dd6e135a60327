"""Switch: a position that a command, one of the tenant's phones or a page changes, and that conditions read."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from routing.call.effects import NOT_CHANGED, Flip
from routing.call.reasons import Why
from routing.call.state import Entered, Event, Played
from routing.call.step import Cause, Hangup, Play
from routing.nodes.node import Do, Element, Here, UnexpectedEvent, Uses
from routing.numbering.value_types import Name, all_differ
from routing.speech.phrases import PHRASES


class Switch(Element):
    """Dialling its extension moves it to the next position and announces it."""

    positions: Annotated[tuple[Name, ...], AfterValidator(all_differ)] = Field(
        default=("auto", "day", "night"), min_length=2, max_length=10)
    initial: Name | None = None                          # position before the first change; default: the first
    prompts: dict[Name, Name] = Field(default_factory=dict)    # by position: what the caller hears

    @model_validator(mode="after")
    def knows_its_positions(self) -> Self:
        named = [*self.prompts, *([self.initial] if self.initial else [])]
        unknown = [name for name in named if name not in self.positions]
        if unknown:
            raise ValueError(f"found the position {unknown[0]!r}, expected one of {', '.join(self.positions)}")
        return self

    def standing(self, found: str | None) -> Name:
        """The current position, from the live state; a position that no longer exists is ignored."""
        return found if found in self.positions else self.initial or self.positions[0]

    def uses(self) -> Uses:
        spoken = tuple((f"prompts.{position}", self.prompt_of(position)) for position in self.positions)
        return Uses(prompts=spoken, ends=True)

    def prompt_of(self, position: Name) -> Name:
        """The prompt that announces this position."""
        phrase = f"sys_switch_{position}"
        return self.prompts.get(position, phrase if phrase in PHRASES else "sys_switch_moved")

    def decide(self, here: Here, memory: tuple[int, ...], event: Event) -> Do:
        match event:
            case Entered() if not here.facts.caller_extension:
                return Do(Play(("sys_unavailable",)), Why.MOVED_FROM_OWN_PHONES())
            case Entered():
                place = here.facts.perform(Flip(here.name, self.positions, self.standing(None)))
                if place == NOT_CHANGED:
                    return Do(Play(("sys_switch_stuck",)), Why.CANNOT_BE_MOVED())
                position = self.positions[place]
                return Do(Play((self.prompt_of(position),)), Why.MOVES_IT(here.facts.caller_extension, position))
            case Played():
                return Do(Hangup(Cause.NORMAL), Why.HANGS_UP())
            case _:
                raise UnexpectedEvent(here, event)
