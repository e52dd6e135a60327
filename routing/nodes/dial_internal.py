"""Dial an internal number: the caller keys one and reaches what it belongs to."""

from pydantic import Field

from routing.call.reasons import Why
from routing.call.state import Digits, Entered, Event, counters
from routing.nodes.node import Do, Element, Go, Here, UnexpectedEvent, Uses, numbered
from routing.nodes.number_entry import allowed_numbers, read_number
from routing.numbering.value_types import Extensions, Name, Target


class DialInternal(Element):
    prompt: Name
    wait_s: int = Field(default=5, ge=1, le=60)          # after the prompt
    tries: int = Field(default=3, ge=1, le=10)           # for silence and unknown numbers together
    unknown_prompt: Name = "sys_unknown_number"
    excluded: Extensions = ()                            # numbers that callers may not reach from here
    failed: Target                                       # after that many times

    def uses(self) -> Uses:
        return Uses(
            targets=(("failed", self.failed),),
            prompts=(("prompt", self.prompt), ("unknown_prompt", self.unknown_prompt)),
            numbers=tuple(numbered("excluded", self.excluded)),
            any_number=True,
        )

    def decide(self, here: Here, memory: tuple[int, ...], event: Event) -> Go | Do:
        numbers = allowed_numbers(here, self.excluded)
        match event:
            case Entered():
                return Do(read_number(self.prompt, self.wait_s, numbers), Why.ASKS_FOR_NUMBER(), (0,))
            case Digits(keys=keys) if keys in numbers:
                return Go(numbers[keys], Why.NUMBER_KEYED(keys) + Why.ON_TO(numbers[keys]))
            case Digits(keys=keys):
                failures = counters(memory, 1)[0] + 1
                what = Why.UNKNOWN_NUMBER(keys) if keys else Why.NO_NUMBER_KEYED()
                if failures >= self.tries:
                    return Go(self.failed, what + Why.IN_ALL(failures) + Why.ON_TO(self.failed))
                first_prompts = (self.unknown_prompt,) if keys else ()
                return Do(read_number(self.prompt, self.wait_s, numbers, first_prompts), what + Why.ASKS_AGAIN(), (failures,))
            case _:
                raise UnexpectedEvent(here, event)
