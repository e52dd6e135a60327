"""Conference room: all participants talk with each other."""

from typing import Self

from pydantic import Field, model_validator

from routing.call.effects import TryRoomPin
from routing.call.reasons import Reasons, Why
from routing.call.state import ConferenceLeft, Digits, Entered, Event, Played, counters
from routing.call.step import CONFERENCE_PROMPTS, Cause, Conference, Hangup, Play, Read
from routing.nodes.node import Do, Element, Go, Here, UnexpectedEvent, Uses
from routing.numbering.value_types import Name, Pin, Target

MAX_PIN = 10


class ConferenceRoom(Element):
    """Without a PIN everybody may enter. A moderator's PIN also opens a full or locked room. After 20 wrong PINs in an hour,
    over all calls, the room stays locked for the rest of that hour; attempts from the tenant's own phones count apart.

    Keys: *1 mutes the participant; a moderator's *2 locks the room, *3 removes the last one to enter, *4 mutes all others.
    """

    pin: Pin | None = None
    moderator_pin: Pin | None = None
    max_members: int = Field(default=20, ge=2, le=100)
    wait_for_moderator: bool = False                # others hear music until a moderator enters
    ends_with_moderator: bool = False               # others leave when the last one does
    music: Name | None = None                       # for a participant who is alone or waits
    prompt: Name = "sys_conference_pin"
    wrong_pin_prompt: Name = "sys_conference_wrong_pin"
    too_many_prompt: Name = "sys_conference_too_many"     # recent wrong PINs, over all calls
    wait_s: int = Field(default=4, ge=1, le=60)     # for each key, the first one after the prompt
    tries: int = Field(default=3, ge=1, le=10)
    wrong_pin: Target                               # after that many times, or after too many over all calls
    closed: Target                                  # the room is full or locked

    @model_validator(mode="after")
    def pins_fit(self) -> Self:
        if self.pin and self.pin == self.moderator_pin:
            raise ValueError("moderator_pin: found the same as pin, expected another one")
        if (self.wait_for_moderator or self.ends_with_moderator) and not self.moderator_pin:
            raise ValueError("found a room that needs a moderator, expected moderator_pin")
        return self

    def uses(self) -> Uses:
        inside = tuple(("prompts", name) for name in CONFERENCE_PROMPTS)
        return Uses(
            targets=(("wrong_pin", self.wrong_pin), ("closed", self.closed)),
            prompts=(("prompt", self.prompt), ("wrong_pin_prompt", self.wrong_pin_prompt),
                     ("too_many_prompt", self.too_many_prompt), *inside),
            musics=(("music", self.music),) if self.music else (), ends=True)

    def decide(self, here: Here, memory: tuple[int, ...], event: Event) -> Go | Do:
        match event:
            case Entered() if self._pins:
                return self._ask((), Why.ASKS_FOR_PIN(), 0)
            case Entered():
                return self._let_in(here, Why.LETS_IN(), moderator=False)
            case Digits(keys="") if not self.pin:
                return self._let_in(here, Why.LETS_IN(), moderator=False)
            case Digits(keys=""):
                return self._wrong(Why.NO_PIN(), (), counters(memory, 1)[0] + 1)
            case Digits(keys=keys):
                return self._try(here, keys.rstrip("#"), counters(memory, 1)[0] + 1)
            case Played():
                return Go(self.wrong_pin, Why.ON_TO(self.wrong_pin))
            case ConferenceLeft(refused=True):
                return Go(self.closed, Why.ROOM_CLOSED() + Why.ON_TO(self.closed))
            case ConferenceLeft():
                return Do(Hangup(Cause.NORMAL), Why.CONFERENCE_OVER())
            case _:
                raise UnexpectedEvent(here, event)

    @property
    def _pins(self) -> tuple[str, ...]:
        return tuple(pin for pin in (self.pin, self.moderator_pin) if pin)

    def _try(self, here: Here, pin: str, tries: int) -> Go | Do:
        may_try = here.facts.perform(TryRoomPin(here.name, bool(here.facts.caller_extension), pin in self._pins))
        if not may_try:
            return Do(Play((self.too_many_prompt,)), Why.TOO_MANY_PINS())
        if pin == self.moderator_pin:
            return self._let_in(here, Why.LETS_IN_MODERATOR(), moderator=True)
        if pin == self.pin:
            return self._let_in(here, Why.LETS_IN(), moderator=False)
        return self._wrong(Why.WRONG_PIN(), (self.wrong_pin_prompt,), tries)

    def _wrong(self, what: Reasons, prompts: tuple[Name, ...], failures: int) -> Go | Do:
        if failures >= self.tries:
            return Go(self.wrong_pin, what + Why.IN_ALL(failures) + Why.ON_TO(self.wrong_pin))
        return self._ask(prompts, what + Why.ASKS_AGAIN(), failures)

    def _ask(self, first_prompts: tuple[Name, ...], why: Reasons, failures: int) -> Do:
        """A PIN ends with '#', or at the time limit: the length of the input must not show how much of it was right."""
        return Do(Read((*first_prompts, self.prompt), MAX_PIN, self.wait_s, secret=True), why, (failures,))

    def _let_in(self, here: Here, why: Reasons, *, moderator: bool) -> Do:
        step = Conference(
            here.name, self.max_members, CONFERENCE_PROMPTS, moderator, self.wait_for_moderator, self.ends_with_moderator,
            self.music or here.chosen.music)
        return Do(step, why)
