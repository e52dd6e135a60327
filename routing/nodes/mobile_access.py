"""Mobile access: users call the company's number from their mobile, enter a PIN, and dial as at their desk."""

import re

from pydantic import Field

from routing.call.effects import CheckPin, PinIs
from routing.call.reasons import Reasons, Why
from routing.call.state import Digits, Entered, Event, counters
from routing.call.step import CallAs, Cause, Hangup, Read
from routing.nodes.node import Do, Element, Go, Here, UnexpectedEvent, Uses, numbered
from routing.numbering.value_types import Extension, Extensions, Name, Target

MAX_PIN, MAX_NUMBER = 10, 24
PIN, NUMBER = 0, 1           # the memory's first counter is the input awaited; the second counts failed attempts
SILENT = 2                   # so often nothing is keyed before the call ends


class MobileAccess(Element):
    """A caller's number can be forged, so it only decides which user's PIN is checked. Other callers, and those with too many
    attempts, go on to `otherwise` without an explanation."""

    users: Extensions = Field(min_length=1, max_length=500)      # each with a mobile
    tries: int = Field(default=3, ge=1, le=5)                    # in one call; over all calls of a number there is a limit, too
    wait_s: int = Field(default=5, ge=1, le=30)                  # for each key, the first one after the prompt
    pin_prompt: Name = "sys_mobile_pin"
    wrong_pin_prompt: Name = "sys_mobile_wrong_pin"
    prompt: Name = "sys_mobile_number"
    otherwise: Target

    def uses(self) -> Uses:
        return Uses(
            targets=(("otherwise", self.otherwise),), users=tuple(numbered("users", self.users)), ends=True,
            prompts=(("pin_prompt", self.pin_prompt), ("wrong_pin_prompt", self.wrong_pin_prompt), ("prompt", self.prompt)))

    def decide(self, here: Here, memory: tuple[int, ...], event: Event) -> Go | Do:
        extension = self._user(here)
        match event:
            case Entered() if not extension:
                return self._otherwise(Why.NOT_ITS_USER())
            case Entered():
                return self._ask_pin((), Why.CALLS_FROM_MOBILE(extension) + Why.ASKS_FOR_PIN(), 0)
            case Digits() if not extension or not memory:
                return self._otherwise(Why.NOT_ITS_USER_NOW())
            case Digits(keys=keys):
                asked, tried = counters(memory, 2)
                if asked == PIN:
                    return self._check(here, extension, keys.rstrip("#"), tried + 1)
                return self._call(extension, keys.rstrip("#"), tried + 1)
            case _:
                raise UnexpectedEvent(here, event)

    def _user(self, here: Here) -> Extension:
        """The user whose mobile calls, '' for none."""
        caller = here.facts.caller
        return next((user for user in self.users if caller and here.tenant.mobile_of(user) == caller), "")

    def _check(self, here: Here, extension: Extension, keys: str, tried: int) -> Go | Do:
        """No reason contains a PIN: call records keep all reasons."""
        answer = here.facts.perform(CheckPin(extension, keys)) if keys else PinIs.WRONG
        what = Why.WRONG_PIN() if keys else Why.NO_PIN()
        if answer is PinIs.RIGHT:
            return self._ask_number(Why.PIN_IS_RIGHT() + Why.ASKS_FOR_NUMBER(), 0)
        if answer is PinIs.LOCKED:
            return self._otherwise(Why.TOO_MANY_PINS())
        if tried >= self.tries:
            return self._otherwise(what + Why.IN_ALL(tried))
        return self._ask_pin((self.wrong_pin_prompt,) if keys else (), what + Why.ASKS_AGAIN(), tried)

    def _call(self, extension: Extension, number: str, tried: int) -> Do:
        if re.fullmatch(r"[0-9*#]+", number, re.ASCII):
            return Do(CallAs(extension, number), Why.DIALS(extension, number))
        if tried >= SILENT:
            return Do(Hangup(Cause.NORMAL), Why.NO_NUMBER_KEYED() + Why.HANGS_UP())
        return self._ask_number(Why.NO_NUMBER_KEYED() + Why.ASKS_AGAIN(), tried)

    def _ask_pin(self, first_prompts: tuple[Name, ...], why: Reasons, tried: int) -> Do:
        return Do(Read((*first_prompts, self.pin_prompt), MAX_PIN, self.wait_s, secret=True), why, (PIN, tried))

    def _ask_number(self, why: Reasons, tried: int) -> Do:
        return Do(Read((self.prompt,), MAX_NUMBER, self.wait_s), why, (NUMBER, tried))

    def _otherwise(self, why: Reasons) -> Go:
        return Go(self.otherwise, why + Why.ON_TO(self.otherwise))
