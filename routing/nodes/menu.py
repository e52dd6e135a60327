"""Menu: a prompt, a key, and the element behind the key."""

from pydantic import Field

from routing.call import Digits, Entered, Event, Read
from routing.names import Key, Name, Target
from routing.nodes.node import Do, Element, Go, Here, UnexpectedEvent, Uses


class Menu(Element):
    prompt: Name
    keys: dict[Key, Target] = Field(min_length=1)
    wait_s: int = Field(default=5, ge=1, le=60)          # after the prompt
    tries: int = Field(default=2, ge=1, le=10)           # how often the caller may press nothing, and how often a wrong key
    no_key: Target                                       # after that many times nothing
    wrong_key: Target                                    # after that many wrong keys
    wrong_key_prompt: Name = "sys_wrong_key"

    def uses(self) -> Uses:
        targets = tuple((f"keys.{key}", target) for key, target in self.keys.items())
        return Uses(
            targets=(*targets, ("no_key", self.no_key), ("wrong_key", self.wrong_key)),
            prompts=(("prompt", self.prompt), ("wrong_key_prompt", self.wrong_key_prompt)),
        )

    def decide(self, here: Here, memory: tuple[int, ...], event: Event) -> Go | Do:
        silent, wrong = memory or (0, 0)
        match event:
            case Entered():
                return self._ask((self.prompt,), "asks for a key", 0, 0)
            case Digits(keys=""):
                silent += 1
                if silent >= self.tries:
                    return Go(self.no_key, f"no key {silent} times, on to {self.no_key}")
                return self._ask((self.prompt,), "no key, asks again", silent, wrong)
            case Digits(keys=key) if key in self.keys:
                return Go(self.keys[key], f"key {key}, on to {self.keys[key]}")
            case Digits(keys=key):
                wrong += 1
                if wrong >= self.tries:
                    return Go(self.wrong_key, f"wrong key {key}, {wrong} in all, on to {self.wrong_key}")
                return self._ask((self.wrong_key_prompt, self.prompt), f"wrong key {key}, asks again", silent, wrong)
            case _:
                raise UnexpectedEvent(here, event)

    def _ask(self, prompts: tuple[Name, ...], why: str, silent: int, wrong: int) -> Do:
        return Do(Read(prompts, max_digits=1, wait_s=self.wait_s), why, (silent, wrong))
