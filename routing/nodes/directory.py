"""Directory: the caller keys the first letters of a name, or says it, and chooses among those that are meant."""

from typing import Literal

from pydantic import Field

from routing.call.questions import Understand
from routing.call.reasons import Reasons, Why
from routing.call.state import Digits, Entered, Event, Listened
from routing.call.step import Listen, Read
from routing.nodes.node import Do, Element, Go, Here, UnexpectedEvent, Uses, numbered
from routing.numbering.dtmf import keys_of
from routing.numbering.value_types import Extension, Extensions, Name, Target
from routing.speech.prompts import name_of_user

MAX_LETTERS = 8
CHOICES = 8                       # on the keys 1 to 8; 9 plays the next ones
# The memory's first number is what was asked for. Letters and extensions have a 1 before them there, which keeps zeros.
LETTERS, CHOICE, SPOKEN = 0, 1, 2


class NameDirectory(Element):
    """`by`: which part of 'Anna Maria Kowalska' the letters begin: the last word, the first, or any of them."""

    prompt: Name = "sys_directory"
    speech: bool = False                                 # a name may be said, too; docs/directory-speech.md
    speech_prompt: Name = "sys_directory_speech"         # asks for it; `prompt` follows if the name was not understood
    by: Literal["last", "first", "any"] = "any"
    excluded: Extensions = ()                            # users who are not offered
    wait_s: int = Field(default=5, ge=1, le=60)
    tries: int = Field(default=3, ge=1, le=10)           # for silence, names nobody has and wrong keys together
    failed: Target                                       # after that many times

    def uses(self) -> Uses:
        choices = tuple((f"choices.{key}", f"sys_press_{key}") for key in range(1, CHOICES + 2))
        spoken = (("speech_prompt", self.speech_prompt), ("not_understood", "sys_not_understood")) if self.speech else ()
        return Uses(
            targets=(("failed", self.failed),),
            prompts=(("prompt", self.prompt), *spoken, ("nobody", "sys_nobody_of_that_name"), ("more", "sys_more"), *choices),
            numbers=tuple(numbered("excluded", self.excluded)),
            any_number=True,
        )

    def decide(self, here: Here, memory: tuple[int, ...], event: Event) -> Go | Do:
        match event, memory:
            case Entered(), _ if self.speech:
                listen = Listen((self.speech_prompt,), MAX_LETTERS, self.wait_s)
                return Do(listen, Why.ASKS_FOR_SPOKEN_NAME(), (LETTERS, 0))
            case Entered(), _:
                return self._ask((self.prompt,), Why.ASKS_FOR_NAME(), 0)
            case Digits(keys=keys), (0, failures):
                return self._find(here, keys.rstrip("#"), failures)
            case Listened(keys=keys), (0, failures) if keys:
                return self._find(here, keys.rstrip("#"), failures)
            case Listened(), (0, failures):
                return self._understand(here, failures)
            case Digits(keys=key), (2, failures, *offered):
                return self._choose_spoken(here, key, failures, [str(user)[1:] for user in offered])
            case Digits(keys=key), (1, failures, letters, first):
                return self._choose(here, key, failures, str(letters)[1:], first)
            case _:
                raise UnexpectedEvent(here, event)

    def _find(self, here: Here, letters: str, failures: int) -> Go | Do:
        found = self._named(here, letters)
        if not letters:
            return self._again((self.prompt,), Why.NO_LETTERS(), failures)
        if not found:
            return self._again(("sys_nobody_of_that_name", self.prompt), Why.NOBODY_NAMED(letters), failures)
        if len(found) == 1:
            return Go(found[0], Why.MEANS_NAME(letters, here.tenant.names[found[0]]) + Why.ON_TO(found[0]))
        return self._tell(found, failures, letters, 0, Why.NAMES_BEGIN(len(found), letters))

    def _choose(self, here: Here, key: str, failures: int, letters: str, first: int) -> Go | Do:
        found = self._named(here, letters)
        page = found[first:first + CHOICES]
        if key == "9" and len(found) > first + CHOICES:
            return self._tell(found, failures, letters, first + CHOICES, Why.MORE_NAMES())
        if key.isdigit() and 1 <= int(key) <= len(page):
            chosen = page[int(key) - 1]
            return Go(chosen, Why.KEY_MEANS_NAME(key, here.tenant.names[chosen]) + Why.ON_TO(chosen))
        return self._again((self.prompt,), Why.WRONG_KEY(key) if key else Why.NO_KEY(), failures)

    def _tell(self, found: list[Extension], failures: int, letters: str, first: int, why: Reasons) -> Do:
        page = found[first:first + CHOICES]
        prompts = [prompt for i, extension in enumerate(page, 1) for prompt in (name_of_user(extension), f"sys_press_{i}")]
        if len(found) > first + CHOICES:
            prompts += ["sys_more", "sys_press_9"]
        return Do(Read(tuple(prompts), max_digits=1, wait_s=self.wait_s), why, (CHOICE, failures, int(f"1{letters}"), first))

    def _understand(self, here: Here, failures: int) -> Go | Do:
        said = tuple((extension, self._ways_to_say(here.tenant.names[extension])) for extension in self._named(here, ""))
        found = here.facts.answer(Understand(said, here.chosen.language or here.tenant.language)) if said else ()
        if not found:
            return self._again(("sys_not_understood", self.prompt), Why.UNDERSTANDS_NONE(), failures)
        prompts = [prompt for i, extension in enumerate(found, 1) for prompt in (name_of_user(extension), f"sys_press_{i}")]
        memory = (SPOKEN, failures, *(int(f"1{extension}") for extension in found))
        why = Why.UNDERSTANDS(", ".join(here.tenant.names[extension] for extension in found))
        return Do(Read(tuple(prompts), max_digits=1, wait_s=self.wait_s), why, memory)

    def _choose_spoken(self, here: Here, key: str, failures: int, offered: list[Extension]) -> Go | Do:
        if key.isdigit() and 1 <= int(key) <= len(offered) and (chosen := offered[int(key) - 1]) in here.tenant.names:
            return Go(chosen, Why.KEY_MEANS_NAME(key, here.tenant.names[chosen]) + Why.ON_TO(chosen))
        return self._again((self.prompt,), Why.WRONG_KEY(key) if key else Why.NO_KEY(), failures)

    def _ways_to_say(self, name: str) -> tuple[str, ...]:
        """The whole name, or the parts by which it can be found."""
        return tuple(dict.fromkeys((name, *self._words(name))))

    def _again(self, prompts: tuple[Name, ...], why: Reasons, failures: int) -> Go | Do:
        if failures + 1 >= self.tries:
            return Go(self.failed, why + Why.IN_ALL(failures + 1) + Why.ON_TO(self.failed))
        return self._ask(prompts, why + Why.ASKS_AGAIN(), failures + 1)

    def _ask(self, prompts: tuple[Name, ...], why: Reasons, failures: int) -> Do:
        return Do(Read(prompts, MAX_LETTERS, self.wait_s), why, (LETTERS, failures))

    def _named(self, here: Here, letters: str) -> list[Extension]:
        """The users with a name that begins so, in order of name."""
        return [
            extension for extension, name in sorted(here.tenant.names.items(), key=lambda user: (user[1], user[0]))
            if extension not in self.excluded and any(keys_of(word).startswith(letters) for word in self._words(name))]

    def _words(self, name: str) -> list[str]:
        words = name.split()
        return {"last": words[-1:], "first": words[:1], "any": words}[self.by]
