"""Group: users and external numbers that answer for each other."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from routing.call.effects import Offer, Turn, Withdraw
from routing.call.questions import Loads
from routing.call.reasons import Reasons, Why
from routing.call.state import DialEnded, DialStatus, Entered, Event, Played
from routing.call.step import Cause, Dial, Hangup, Play
from routing.hunt.caller_id import CALLER, Identity, Presentation, identity
from routing.hunt.hunting import (
    MAX_MEMBERS,
    RESERVING,
    Algorithm,
    Candidate,
    Progress,
    Standing,
    by_idleness,
    by_load,
    candidates,
    clock_s,
    drawn,
    ringing,
    rotated,
)
from routing.hunt.presence import is_there
from routing.nodes.node import Do, Element, Go, Here, UnexpectedEvent, Uses, numbered
from routing.numbering.value_types import Member, Name, Target, all_differ

MAX_SHOWN_REASONS = 3                     # reasons of members that are passed over
RESERVED_S = 2               # an offer counts so much longer than it rings: the answer to it is on its way
_Seconds = Annotated[int, Field(ge=1, le=110)]
_Weight = Annotated[int, Field(ge=1, le=100)]


class Forwards(StrEnum):
    """The group's treatment of its members' forwards: routing/hunt/forwarding.py."""

    IGNORE = "ignore"
    FOLLOW = "follow"


class Group(Element):
    """`ring_all` rings every member at once for `ring_s`, or after the member's delay; the other algorithms ring one after
    the other, each for `ring_s`. A member group stands for its own members. An external number gets
    the call only after the person who answers has pressed a key.

    Members who seem unavailable come last and ring together: the known state of their phones may be out of date.
    """

    algorithm: Algorithm = Algorithm.RING_ALL
    members: Annotated[tuple[Member, ...], AfterValidator(all_differ)] = Field(min_length=1, max_length=MAX_MEMBERS)
    ring_s: int = Field(default=20, ge=3, le=120)                           # each attempt
    total_s: int | None = Field(default=None, ge=3, le=3600)                # in all; without it, as long as there are members
    rounds: int = Field(default=1, ge=1, le=10)                             # how often the list is gone through
    delays_s: dict[Member, _Seconds] = Field(default_factory=dict)          # ring_all: by member
    weights: dict[Member, _Weight] = Field(default_factory=dict)            # weighted: by member, 1 without it
    skip_busy: bool = True                                                  # a member who is in a call is passed over
    forwards: Forwards = Forwards.IGNORE                                    # the members' own
    presentation: Presentation = CALLER                                     # what external numbers see, members' mobiles too
    prompt: Name | None = None                                              # before the ringing
    music: Name | None = None                                               # while it rings, instead of the ringing tone
    unanswered: Target                                                      # somebody rang without an answer
    all_busy: Target | None = None                                          # all registered ones are in a call; or unanswered
    none_available: Target | None = None                                    # none is logged in and registered; or unanswered

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
            groups=tuple((field, member) for field, member in members if member[0].isalpha()),
            outside=tuple((field, member) for field, member in members if member.startswith("+")),
            shown=(("presentation", self.presentation),) if self.presentation != CALLER else (),
            musics=(("music", self.music),) if self.music else (),
            follows=self.forwards is Forwards.FOLLOW)

    def decide(self, here: Here, memory: tuple[int, ...], event: Event) -> Go | Do:
        hunt = _Hunt(self, here)
        match event:
            case Entered() if self.prompt and hunt.places({Standing.FREE, Standing.AWAY}):
                return Do(Play((self.prompt,)), Why.PLAYS(self.prompt))
            case Entered() | Played():
                return hunt.ring(hunt.begin(), hunt.passed_over())
            case DialEnded(status=DialStatus.ANSWER):
                return Do(Hangup(Cause.NORMAL), Why.CONVERSATION_OVER())
            case DialEnded(status=status):
                return hunt.ring(hunt.after(status, Progress.from_memory(memory)), Why.DIAL_ENDED(status.lower()))
            case _:
                raise UnexpectedEvent(here, event)


@dataclass(frozen=True)
class _Hunt:
    """One decision of a group."""

    group: Group
    here: Here

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """The members' current state, by place; an event after which nobody rings does not need it."""
        group, here = self.group, self.here
        return candidates(
            here.tenant, here.facts, here.tenant.seats_of(here.name), follow=group.forwards is Forwards.FOLLOW,
            skip_busy=group.skip_busy, within_s=group.ring_s, trail=here.trail)

    def begin(self) -> Progress:
        """Round robin takes turns among the available members only, so that no member gets the turns of absent ones."""
        there = self.places({Standing.FREE, Standing.BUSY})
        takes_turns = there and self.group.algorithm is Algorithm.ROUND_ROBIN
        first = there[self.here.facts.perform(Turn(self.here.name)) % len(there)] if takes_turns else 0
        return Progress(clock_s(self.here.facts.moment) if self.group.total_s else 0, first)

    def passed_over(self) -> Reasons:
        """The reasons why some members do not ring."""
        whys = [candidate.why for candidate in self.candidates if candidate.standing is Standing.OUT]
        more = Why.MORE(len(whys) - MAX_SHOWN_REASONS) if len(whys) > MAX_SHOWN_REASONS else ()
        return (*(reason for why in whys[:MAX_SHOWN_REASONS] for reason in why), *more)

    def after(self, status: DialStatus, progress: Progress) -> Progress:
        """The progress after an attempt. Members whose phones refuse a call were registered."""
        match status:
            case DialStatus.BUSY:
                return replace(progress, busy=True)
            case DialStatus.UNAVAILABLE:
                return replace(progress, busy=progress.busy or is_there(self.here.facts, self._rung(progress)))
            case _:
                return replace(progress, rang=True, rang_now=True)

    def ring(self, progress: Progress, before: Reasons) -> Go | Do:
        """Rings the next member, or all; leaves when no member remains or the time is over."""
        group = self.group
        left_s = group.total_s - progress.elapsed_s(self.here.facts.moment) if group.total_s else group.ring_s
        if left_s <= 0:
            return self._leave(progress, before + Why.TIME_OVER(group.total_s or 0))
        if any(place not in progress.offered for place in self.places({Standing.BUSY})):
            progress = replace(progress, busy=True)
        free = self._not_offered(progress, Standing.FREE)
        away = [] if progress.tried_away else self._not_offered(progress, Standing.AWAY)
        if not free and not away:
            if progress.rang_now and progress.round + 1 < group.rounds:
                again = replace(progress, round=progress.round + 1, rang_now=False, offered=frozenset())
                return self.ring(again, before + Why.ROUND(again.round + 1))
            return self._leave(progress, before + _nobody(progress))
        offering, chosen = self._choose(progress, free, away)
        more = progress.round + 1 < group.rounds or len(free) > len(chosen)
        return self._dial(progress, offering, chosen, min(group.ring_s, left_s), more, before)

    def _choose(self, progress: Progress, free: list[int], away: list[int]) -> tuple[Progress, list[int]]:
        last = None
        if self.group.algorithm is Algorithm.RING_ALL:
            chosen = sorted(free + away)
        elif free:
            last = self._first(progress, free)
            chosen = [last]
        else:
            last = self._without_offer(progress).last
            chosen = away
        tried_away = progress.tried_away or bool(set(chosen) & set(away))
        return replace(progress, last=last, tried_away=tried_away, offered=progress.offered | set(chosen)), chosen

    def _first(self, progress: Progress, free: list[int]) -> int:
        """The free member who comes next."""
        seats, facts, algorithm = self.here.tenant.seats_of(self.here.name), self.here.facts, self.group.algorithm
        match algorithm:
            case Algorithm.ROUND_ROBIN:
                order = rotated(free, progress.first)
            case Algorithm.LONGEST_IDLE | Algorithm.LEAST_LOADED:
                # The talking time of an external number is unknown: it comes after all users.
                users = [place for place in free if not seats[place].is_outside]
                day = facts.moment.astimezone(ZoneInfo(self.here.tenant.timezone)).date().isoformat()
                loads = facts.answer(Loads(tuple(seats[place].member for place in users), day)) if users else ()
                order = (by_idleness if algorithm is Algorithm.LONGEST_IDLE else by_load)(users, loads)
                order += [place for place in free if seats[place].is_outside]
            case Algorithm.RANDOM | Algorithm.WEIGHTED:
                weights = [self.group.weights.get(seat.entry, 1) for seat in seats]
                order = drawn(free, weights, facts.chance)
            case _:
                order = free
        if algorithm not in RESERVING:
            return order[0]
        holder = self._holder(progress)
        offer = Offer(tuple(seats[place].member for place in order), self.group.ring_s + RESERVED_S, holder)
        return order[facts.perform(offer)]

    def _dial(self, before: Progress, after: Progress, chosen: list[int], ring_s: int, more: bool, why: Reasons) -> Do:
        seats = self.here.tenant.seats_of(self.here.name)
        pairs = [(self.candidates[place], self.group.delays_s.get(seats[place].entry, 0)) for place in chosen]
        rung = ringing(pairs, ring_s, self._rung(before))
        seen = identity(self.here.tenant, self.here.facts, self.group.presentation) if rung.outside else Identity("", "")
        step = Dial(
            rung.endpoints, ring_s, rung.outside, seen.shown, seen.vouching, rung.delays_s if any(rung.delays_s) else (), more,
            self.group.music or self.here.chosen.music, hidden=seen.hidden)
        return Do(step, why + Why.RINGS(rung.reasons), after.to_memory())

    def _leave(self, progress: Progress, why: Reasons) -> Go:
        progress = self._without_offer(progress)
        target = self.group.unanswered
        if not progress.rang:
            target = (self.group.all_busy if progress.busy else self.group.none_available) or target
        return Go(target, why + Why.ON_TO(target))

    def _without_offer(self, progress: Progress) -> Progress:
        """The progress after the call's single offer to a member has ended."""
        holder = self._holder(progress) if self.group.algorithm in RESERVING else ""
        if not holder:
            return replace(progress, last=None)
        is_withdrawn = self.here.facts.perform(Withdraw(holder))
        return replace(progress, last=None) if is_withdrawn else progress

    def _holder(self, progress: Progress) -> str:
        """The member to whom alone the call is offered; '' if there is none, or the group was changed during the call."""
        seats = self.here.tenant.seats_of(self.here.name)
        return "" if progress.last is None or progress.last >= len(seats) else seats[progress.last].member

    def _not_offered(self, progress: Progress, standing: Standing) -> list[int]:
        """Members not yet offered the call in this round, except those whose phones have all rung for others."""
        rung = self._rung(progress)
        return [
            place for place, candidate in enumerate(self.candidates)
            if candidate.standing is standing and place not in progress.offered and not (rung and candidate.legs <= rung)]

    def _rung(self, progress: Progress) -> frozenset[str]:
        """The phones and numbers of members already offered the call in this round."""
        had = [self.candidates[place].legs for place in progress.offered if place < len(self.candidates)]
        return frozenset[str]().union(*had)

    def places(self, wanted: Iterable[Standing]) -> list[int]:
        """The places of the members with one of these standings."""
        return [place for place, candidate in enumerate(self.candidates) if candidate.standing in wanted]


def _nobody(progress: Progress) -> Reasons:
    if progress.rang:
        return Why.NOBODY_LEFT()
    return Why.EVERYBODY_BUSY() if progress.busy else Why.NOBODY_AVAILABLE()
