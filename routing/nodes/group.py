"""Group: users who answer for each other."""

from dataclasses import replace
from enum import Enum, auto
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from routing.call import Cause, Dial, DialEnded, DialStatus, Entered, Event, Hangup, Play, Played
from routing.facts import DeviceState
from routing.hunting import MAX_MEMBERS, RESERVING, Algorithm, Progress, Seat, by_idleness, by_load, clock_s, drawn, rotated
from routing.names import Extension, Member, Name, Target, all_differ
from routing.nodes.node import Do, Element, Go, Here, UnexpectedEvent, Uses, numbered
from routing.questions import Loads, Offer, Turn

IN_A_CALL = {DeviceState.IN_USE, DeviceState.BUSY}
RESERVED_S = 2               # an offer counts so much longer than it rings: the answer to it is on its way
_Seconds = Annotated[int, Field(ge=1, le=110)]
_Weight = Annotated[int, Field(ge=1, le=100)]


class Standing(Enum):
    """Whether a member can be rung now."""

    FREE = auto()
    BUSY = auto()            # in a call
    AWAY = auto()            # no phone of theirs is registered, as far as is known
    OUT = auto()             # logged out, paused, not to be disturbed, or the caller: never rung


class Group(Element):
    """`ring_all` rings every member at once for `ring_s`, those with a delay so much later; the other algorithms ring one after
    the other, each for `ring_s`. A group among the members stands for its own members.

    Members who seem to be away come last and together: what is known of their phones may be old.
    """

    algorithm: Algorithm = Algorithm.RING_ALL
    members: Annotated[tuple[Member, ...], AfterValidator(all_differ)] = Field(min_length=1, max_length=MAX_MEMBERS)
    ring_s: int = Field(default=20, ge=3, le=120)                           # each attempt
    total_s: int | None = Field(default=None, ge=3, le=3600)                # in all; without it, as long as there are members
    rounds: int = Field(default=1, ge=1, le=10)                             # how often the list is gone through
    delays_s: dict[Member, _Seconds] = Field(default_factory=dict)          # ring_all: by member
    weights: dict[Member, _Weight] = Field(default_factory=dict)            # weighted: by member, 1 without it
    skip_busy: bool = True                                                  # a member who is in a call is passed over
    prompt: Name | None = None                                              # before the ringing
    music: Name | None = None                                               # while it rings, instead of the ringing tone
    unanswered: Target                                                      # somebody rang, nobody answered
    all_busy: Target | None = None                                          # all who are there are in a call; or unanswered
    none_available: Target | None = None                                    # nobody is logged in and there; or unanswered

    @model_validator(mode="after")
    def settings_fit(self) -> Self:
        for field, settings, algorithm in (
                ("delays_s", self.delays_s, Algorithm.RING_ALL), ("weights", self.weights, Algorithm.WEIGHTED)):
            if strangers := [member for member in settings if member not in self.members]:
                raise ValueError(f"{field}: found {', '.join(strangers)}, expected only members")
            if settings and self.algorithm is not algorithm:
                raise ValueError(f"{field}: found with algorithm {self.algorithm}, expected {algorithm}")
        if late := [member for member, delay_s in self.delays_s.items() if delay_s >= self.ring_s]:
            raise ValueError(f"delays_s: {', '.join(late)} would never ring, expected less than ring_s, {self.ring_s}")
        return self

    def uses(self) -> Uses:
        exits = {"unanswered": self.unanswered, "all_busy": self.all_busy, "none_available": self.none_available}
        members = tuple(numbered("members", self.members))
        return Uses(
            targets=tuple((field, target) for field, target in exits.items() if target),
            prompts=(("prompt", self.prompt),) if self.prompt else (),
            users=tuple((field, member) for field, member in members if member.isdigit()),
            groups=tuple((field, member) for field, member in members if not member.isdigit()),
            musics=(("music", self.music),) if self.music else ())

    def decide(self, here: Here, memory: tuple[int, ...], event: Event) -> Go | Do:
        match event:
            case Entered() if self.prompt and self._standings(here, {Standing.FREE, Standing.AWAY}):
                return Do(Play((self.prompt,)), f"plays {self.prompt}")
            case Entered() | Played():
                return self._ring(here, self._begin(here), "")
            case DialEnded(status=DialStatus.ANSWER):
                return Do(Hangup(Cause.NORMAL), "the conversation is over")
            case DialEnded(status=status):
                return self._ring(here, _after(status, Progress.from_memory(memory)), f"{status.lower()}, ")
            case _:
                raise UnexpectedEvent(here, event)

    def _begin(self, here: Here) -> Progress:
        """Round robin takes its turns among those who are there, so that nobody has the turns of the absent."""
        there = self._standings(here, {Standing.FREE, Standing.BUSY})
        takes_turns = there and self.algorithm is Algorithm.ROUND_ROBIN
        first = there[here.facts.answer(Turn(here.name)) % len(there)] if takes_turns else 0
        return Progress(clock_s(here.facts.moment) if self.total_s else 0, first)

    def _ring(self, here: Here, progress: Progress, before: str) -> Go | Do:
        """Rings the next one, or all; leaves when nobody is left or the time is over."""
        left_s = self.total_s - progress.elapsed_s(here.facts.moment) if self.total_s else self.ring_s
        if left_s <= 0:
            return self._leave(here, progress, f"{before}{self.total_s} s are over")
        if any(place not in progress.offered for place in self._standings(here, {Standing.BUSY})):
            progress = replace(progress, busy=True)
        free = self._not_offered(here, progress, Standing.FREE)
        away = [] if progress.tried_away else self._not_offered(here, progress, Standing.AWAY)
        if not free and not away:
            if progress.rang_now and progress.round + 1 < self.rounds:
                again = replace(progress, round=progress.round + 1, rang_now=False, offered=frozenset())
                return self._ring(here, again, f"{before}round {again.round + 1}, ")
            return self._leave(here, progress, f"{before}{_nobody(progress)}")
        progress, chosen = self._choose(here, progress, free, away)
        more = progress.round + 1 < self.rounds or len(free) > len(chosen)
        return self._dial(here, progress, chosen, min(self.ring_s, left_s), more, before)

    def _choose(self, here: Here, progress: Progress, free: list[int], away: list[int]) -> tuple[Progress, list[int]]:
        last = None
        if self.algorithm is Algorithm.RING_ALL:
            chosen = sorted(free + away)
        elif free:
            last = self._first(here, progress, free)
            chosen = [last]
        else:
            self._give_back(here, progress)
            chosen = away
        tried_away = progress.tried_away or bool(set(chosen) & set(away))
        return replace(progress, last=last, tried_away=tried_away, offered=progress.offered | set(chosen)), chosen

    def _first(self, here: Here, progress: Progress, free: list[int]) -> int:
        """Who of those that are free comes next."""
        seats = here.tenant.seats_of(here.name)
        match self.algorithm:
            case Algorithm.ROUND_ROBIN:
                order = rotated(free, progress.first)
            case Algorithm.LONGEST_IDLE | Algorithm.LEAST_LOADED:
                day = here.facts.moment.astimezone(ZoneInfo(here.tenant.timezone)).date().isoformat()
                loads = here.facts.answer(Loads(tuple(seats[place].extension for place in free), day))
                order = (by_idleness if self.algorithm is Algorithm.LONGEST_IDLE else by_load)(free, loads)
            case Algorithm.RANDOM | Algorithm.WEIGHTED:
                weights = [self.weights.get(seat.entry, 1) for seat in seats]
                order = drawn(free, weights, here.facts.chance)
            case _:
                order = free
        if self.algorithm not in RESERVING:
            return order[0]
        holder = self._holder(here, progress)
        offer = Offer(tuple(seats[place].extension for place in order), self.ring_s + RESERVED_S, holder)
        return order[here.facts.answer(offer)]

    def _dial(self, here: Here, progress: Progress, chosen: list[int], ring_s: int, more: bool, before: str) -> Do:
        rung = [here.tenant.seats_of(here.name)[place] for place in chosen]
        soonest_s = min(self.delays_s.get(seat.entry, 0) for seat in rung)     # nobody waits for those who do not ring
        ringing = sorted(
            ((self.delays_s.get(seat.entry, 0) - soonest_s, seat.extension) for seat in rung), key=lambda pair: pair[0])
        told = [f"{extension} after {delay_s} s" if delay_s else extension for delay_s, extension in ringing]
        pairs = [(name, delay_s) for delay_s, extension in ringing for name in here.tenant.endpoints_of(extension)]
        delays_s = tuple(delay_s for _, delay_s in pairs) if ringing[-1][0] else ()
        music = self.music or here.chosen.music
        step = Dial(tuple(name for name, _ in pairs), ring_s, delays_s=delays_s, passed_on=more, music=music)
        return Do(step, f"{before}rings {', '.join(told)}", progress.to_memory())

    def _leave(self, here: Here, progress: Progress, why: str) -> Go:
        self._give_back(here, progress)
        target = self.unanswered
        if not progress.rang:
            target = (self.all_busy if progress.busy else self.none_available) or target
        return Go(target, f"{why}, on to {target}")

    def _give_back(self, here: Here, progress: Progress) -> None:
        """The one who was offered the call has it no more, and nobody else is offered it alone."""
        if self.algorithm in RESERVING and (holder := self._holder(here, progress)):
            here.facts.answer(Offer((), 0, holder))

    def _holder(self, here: Here, progress: Progress) -> Extension:
        """Who is being offered the call alone; '' where nobody is, or the group was changed under the call."""
        seats = here.tenant.seats_of(here.name)
        return "" if progress.last is None or progress.last >= len(seats) else seats[progress.last].extension

    def _not_offered(self, here: Here, progress: Progress, standing: Standing) -> list[int]:
        return [place for place in self._standings(here, {standing}) if place not in progress.offered]

    def _standings(self, here: Here, wanted: set[Standing]) -> list[int]:
        """The places of the members who stand so."""
        return [place for place, seat in enumerate(here.tenant.seats_of(here.name)) if self._standing(here, seat) in wanted]

    def _standing(self, here: Here, seat: Seat) -> Standing:
        """Nobody is offered their own call."""
        personal = here.facts.set_by(seat.extension)
        if (seat.extension == here.facts.caller_extension or personal.do_not_disturb or personal.paused or personal.logged_out
                or not personal.paused_in.isdisjoint(seat.via) or not personal.logged_out_of.isdisjoint(seat.via)):
            return Standing.OUT
        states = {here.facts.state_of(endpoint) for endpoint in here.tenant.endpoints_of(seat.extension)}
        if states == {DeviceState.UNAVAILABLE}:
            return Standing.AWAY
        return Standing.BUSY if self.skip_busy and states & IN_A_CALL else Standing.FREE


def _after(status: DialStatus, progress: Progress) -> Progress:
    """What an attempt tells. Those whose phones refuse a call were there."""
    match status:
        case DialStatus.BUSY:
            return replace(progress, busy=True)
        case DialStatus.UNAVAILABLE:
            return progress
        case _:
            return replace(progress, rang=True, rang_now=True)


def _nobody(progress: Progress) -> str:
    if progress.rang:
        return "nobody is left"
    return "everybody is busy" if progress.busy else "nobody is available"
