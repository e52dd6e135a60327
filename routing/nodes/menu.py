"""Menu: a prompt, a key, and the element behind the key; or, where the menu allows it, an internal number."""

from pydantic import Field

from routing.call.reasons import Reasons, Why
from routing.call.state import Digits, Entered, Event, counters
from routing.call.step import Read
from routing.nodes.node import Do, Element, Go, Here, UnexpectedEvent, Uses, numbered
from routing.nodes.number_entry import allowed_numbers, read_number
from routing.numbering.value_types import Extensions, Key, Name, Target


class Menu(Element):
    prompt: Name
    keys: dict[Key, Target] = Field(min_length=1)
    wait_s: int = Field(default=5, ge=1, le=60)          # after the prompt
    tries: int = Field(default=2, ge=1, le=10)           # how often the caller may press nothing, and how often a wrong key
    no_key: Target                                       # after that many times nothing
    wrong_key: Target                                    # after that many wrong keys
    no_key_prompt: Name | None = None                    # before the menu's own, the second time and later
    wrong_key_prompt: Name = "sys_wrong_key"
    direct_dial: bool = False                            # internal numbers may be keyed instead
    direct_dial_except: Extensions = ()

    def uses(self) -> Uses:
        targets = tuple((f"keys.{key}", target) for key, target in self.keys.items())
        silence = (("no_key_prompt", self.no_key_prompt),) if self.no_key_prompt else ()
        return Uses(
            targets=(*targets, ("no_key", self.no_key), ("wrong_key", self.wrong_key)),
            prompts=(("prompt", self.prompt), ("wrong_key_prompt", self.wrong_key_prompt), *silence),
            numbers=tuple(numbered("direct_dial_except", self.direct_dial_except)),
            any_number=self.direct_dial,
        )

    def decide(self, here: Here, memory: tuple[int, ...], event: Event) -> Go | Do:
        silent, wrong = counters(memory or (0, 0), 2)
        match event:
            case Entered():
                return self._ask(here, (), Why.ASKS_FOR_KEY(), 0, 0)
            case Digits(keys=""):
                silent += 1
                if silent >= self.tries:
                    return Go(self.no_key, Why.NO_KEY_TIMES(silent) + Why.ON_TO(self.no_key))
                first_prompts = (self.no_key_prompt,) if self.no_key_prompt else ()
                return self._ask(here, first_prompts, Why.NO_KEY() + Why.ASKS_AGAIN(), silent, wrong)
            case Digits(keys=key) if key in self.keys:
                return Go(self.keys[key], Why.KEY(key) + Why.ON_TO(self.keys[key]))
            case Digits(keys=key) if self.direct_dial and key in (numbers := allowed_numbers(here, self.direct_dial_except)):
                return Go(numbers[key], Why.NUMBER_KEYED(key) + Why.ON_TO(numbers[key]))
            case Digits(keys=key):
                wrong += 1
                if wrong >= self.tries:
                    return Go(self.wrong_key, Why.WRONG_KEY(key) + Why.IN_ALL(wrong) + Why.ON_TO(self.wrong_key))
                return self._ask(here, (self.wrong_key_prompt,), Why.WRONG_KEY(key) + Why.ASKS_AGAIN(), silent, wrong)
            case _:
                raise UnexpectedEvent(here, event)

    def _ask(self, here: Here, first_prompts: tuple[Name, ...], why: Reasons, silent: int, wrong: int) -> Do:
        step = Read((*first_prompts, self.prompt), max_digits=1, wait_s=self.wait_s)
        if self.direct_dial:
            step = read_number(self.prompt, self.wait_s, allowed_numbers(here, self.direct_dial_except), first_prompts)
        return Do(step, why, (silent, wrong))
