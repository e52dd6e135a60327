"""Hunting: the members of a group who can be rung now, the algorithms that choose the next of them, and the group's memory of a
call. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, StrEnum, auto
from typing import Self

from routing.call.facts import DeviceState, Facts
from routing.call.questions import UserLoad
from routing.call.reasons import Reasons, Why
from routing.call.state import CorruptMemory
from routing.call.step import ExternalNumber
from routing.hunt.forwarding import Nobody, Passed, People, outside_member, who_rings
from routing.numbering.value_types import Did, Extension, Name

MAX_MEMBERS = 100        # of a group, including those of its member groups
WORD_BITS = 19           # a number of a state's memory has at most 6 digits, and 2 ** 19 < 10 ** 6
CLOCK_S = 10**6          # what a call remembers of the clock: seconds modulo 11.6 days


class Algorithm(StrEnum):
    """The algorithm of a group. All but `ring_all` offer a call to one member after the other."""

    RING_ALL = "ring_all"
    ORDERED = "ordered"              # in the order of the list
    ROUND_ROBIN = "round_robin"      # each call begins after the member with whom the previous call began
    LONGEST_IDLE = "longest_idle"    # the member whose last conversation ended first
    LEAST_LOADED = "least_loaded"    # the fewest conversations today, then the shortest talking time
    RANDOM = "random"
    WEIGHTED = "weighted"            # at random, in proportion to the members' weights


RESERVING = frozenset({Algorithm.LONGEST_IDLE, Algorithm.LEAST_LOADED, Algorithm.RANDOM, Algorithm.WEIGHTED})
"""For these, simultaneous calls must not all choose the same member."""


@dataclass(frozen=True, slots=True)
class Seat:
    """A user or an external number as a member of a group, directly or through member groups."""

    member: Extension | Did
    via: tuple[Name, ...]    # the group itself first, then the groups in between

    @property
    def is_outside(self) -> bool:
        return self.member.startswith("+")

    @property
    def entry(self) -> str:
        """The name in the group's own list of members."""
        return self.via[1] if len(self.via) > 1 else self.member


def seats(group: Name, members: Mapping[Name, Sequence[str]]) -> tuple[Seat, ...]:
    """The users and numbers of a group, each once: a member group stands for its own members. `members` is by group."""
    found: dict[str, Seat] = {}
    for seat in _seats(group, members, ()):
        found.setdefault(seat.member, seat)
    return tuple(found.values())


def _seats(group: Name, members: Mapping[Name, Sequence[str]], via: tuple[Name, ...]) -> Iterator[Seat]:
    if group in via:
        return
    via = (*via, group)
    for member in members[group]:
        if member in members:
            yield from _seats(member, members, via)
        else:
            yield Seat(member, via)


def loop_of(group: Name, members: Mapping[Name, Sequence[str]]) -> tuple[Name, ...]:
    """The path by which a group is a member of itself: ('a', 'b', 'a'); empty if there is none."""

    def way(via: tuple[Name, ...]) -> tuple[Name, ...]:
        for member in members[via[-1]]:
            if member == group:
                return (*via, member)
            if member in members and member not in via and (found := way((*via, member))):
                return found
        return ()

    return way((group,))


def drawn(places: Sequence[int], weights: Sequence[int], chance: float) -> list[int]:
    """The places in random order, heavy ones earlier. `weights` are by place; 0 <= chance < 1. Each is drawn from those
    left, in proportion to their weights: the remainder of the chance, rescaled, draws the next one."""
    left, order = list(places), []
    while left:
        at, chosen = chance * sum(weights[place] for place in left), 0
        while chosen < len(left) - 1 and at >= weights[left[chosen]]:
            at -= weights[left[chosen]]
            chosen += 1
        place = left.pop(chosen)
        order.append(place)
        chance = min(max(at / weights[place], 0.0), 1 - 2**-53)
    return order


def by_idleness(places: Sequence[int], loads: Sequence[UserLoad]) -> list[int]:
    """Longest idle first; a member without any conversation comes first of all. `loads` are in the order of `places`."""
    return [place for _, place in sorted(zip(loads, places, strict=True), key=lambda pair: (pair[0].ended_at, pair[1]))]


def by_load(places: Sequence[int], loads: Sequence[UserLoad]) -> list[int]:
    """Least loaded first. `loads` are in the order of `places`."""
    pairs = sorted(zip(loads, places, strict=True), key=lambda pair: (pair[0].calls, pair[0].talk_s, pair[1]))
    return [place for _, place in pairs]


def rotated(places: Sequence[int], first: int) -> list[int]:
    """From place `first` on, round to those before it."""
    return [place for place in places if place >= first] + [place for place in places if place < first]


def clock_s(moment: datetime) -> int:
    return int(moment.timestamp()) % CLOCK_S


@dataclass(frozen=True, slots=True)
class Progress:
    """A group's memory of one call between two steps. Members are known by their places among the group's seats."""

    began_s: int = 0                         # the clock when the ringing began, modulo CLOCK_S
    first: int = 0                           # where round robin begins
    round: int = 0                           # how often the list has been gone through
    rang: bool = False                       # somebody has rung
    rang_now: bool = False                   # in this round
    busy: bool = False                       # somebody was in a call
    tried_away: bool = False                 # members who seem unavailable were rung as well
    last: int | None = None                  # the member to whom alone the call is offered
    offered: frozenset[int] = frozenset()    # in this round

    def elapsed_s(self, moment: datetime) -> int:
        return (clock_s(moment) - self.began_s) % CLOCK_S

    def to_memory(self) -> tuple[int, ...]:
        """At most 10 numbers below 10 ** 6."""
        flags = self.rang | self.rang_now << 1 | self.busy << 2 | self.tried_away << 3 | self.round << 4
        bits = sum(1 << place for place in self.offered)
        words = [bits >> shift & (1 << WORD_BITS) - 1 for shift in range(0, bits.bit_length(), WORD_BITS)]
        return (self.began_s, self.first, flags, 0 if self.last is None else self.last + 1, *words)

    @classmethod
    def from_memory(cls, memory: tuple[int, ...]) -> Self:
        """Raises CorruptMemory for a memory that `to_memory` never returns."""
        if len(memory) < 4:
            raise CorruptMemory(memory, "4 numbers or more")
        began_s, first, flags, last, *words = memory
        bits = sum(word << WORD_BITS * i for i, word in enumerate(words))
        offered = frozenset(place for place in range(bits.bit_length()) if bits >> place & 1)
        return cls(began_s, first, flags >> 4, bool(flags & 1), bool(flags & 2), bool(flags & 4), bool(flags & 8),
                   last - 1 if last else None, offered)


IN_A_CALL = {DeviceState.IN_USE, DeviceState.BUSY}


class Standing(Enum):
    """The availability of a member."""

    FREE = auto()            # also an external number, whose state is unknown
    BUSY = auto()            # in a call
    AWAY = auto()            # no phone is known to be registered, and no number rings
    OUT = auto()             # logged out, paused, in do-not-disturb, the caller, or forwards to a group: never rung


@dataclass(frozen=True, slots=True)
class Candidate:
    """The phones and numbers of a member; `why` names them, or, for a member who is OUT, gives the reason."""

    standing: Standing
    why: Reasons
    endpoints: tuple[str, ...] = ()
    outside: tuple[ExternalNumber, ...] = ()
    delays_s: tuple[int, ...] = ()      # of the endpoints

    @property
    def legs(self) -> frozenset[str]:
        return frozenset((*self.endpoints, *(leg.number for leg in self.outside)))


@dataclass(frozen=True, slots=True)
class Ringing:
    """Phones and numbers that ring together, each once. `delays_s` are of the endpoints; `reasons` names them."""

    endpoints: tuple[str, ...]
    delays_s: tuple[int, ...]
    outside: tuple[ExternalNumber, ...]
    reasons: Reasons


def candidates(
    people: People, facts: Facts, seats: Iterable[Seat], *, follow: bool, skip_busy: bool, within_s: int,
    trail: tuple[Extension, ...] = (),
) -> tuple[Candidate, ...]:
    """One for each seat. A phone whose delay is longer than `within_s` seconds does not ring at all."""
    return tuple(_candidate(people, facts, seat, follow, skip_busy, within_s, trail) for seat in seats)


def _candidate(
    people: People, facts: Facts, seat: Seat, follow: bool, skip_busy: bool, within_s: int, trail: tuple[Extension, ...],
) -> Candidate:
    found = outside_member(people, facts, seat.member) if seat.is_outside else who_rings(
        people, facts, seat.member, groups=seat.via, follow=follow, trail=trail)
    match found:
        case Nobody(why=why):
            return Candidate(Standing.OUT, why)
        case Passed():
            raise AssertionError("a group is never left by a forward")
    outside = tuple(leg for leg in found.outside if leg.after_s < within_s)
    soon = {
        endpoint: delay_s for endpoint, delay_s in zip(found.endpoints, found.delays_s, strict=True) if delay_s < within_s}
    standing = Standing.FREE
    if skip_busy and {facts.state_of(endpoint) for endpoint in found.phones} & IN_A_CALL:
        standing = Standing.BUSY
    elif not soon and not outside:
        return Candidate(Standing.OUT, Why.TOO_LATE(seat.member))
    elif {facts.state_of(endpoint) for endpoint in soon} <= {DeviceState.UNAVAILABLE} and not outside:
        standing = Standing.AWAY
    return Candidate(standing, found.why, tuple(soon), outside, tuple(soon.values()))


def ringing(chosen: Sequence[tuple[Candidate, int]], ring_s: int, before: frozenset[str]) -> Ringing:
    """The phones and numbers of the chosen candidates, each with its delay in seconds, to ring together for `ring_s` seconds.
    `before` has rung for others already. The first of the rest rings at once, and its delay is subtracted from all others."""
    taken, endpoints, outside = set(before), list[tuple[str, int]](), list[ExternalNumber]()
    ordered = sorted(chosen, key=lambda pair: pair[1])
    for candidate, delay_s in ordered:
        endpoints += [
            (endpoint, delay_s + own_s) for endpoint, own_s in zip(candidate.endpoints, candidate.delays_s, strict=True)
            if endpoint not in taken]
        outside += [replace(leg, after_s=leg.after_s + delay_s) for leg in candidate.outside if leg.number not in taken]
        taken |= candidate.legs
    soonest_s = min([*(delay_s for _, delay_s in endpoints), *(leg.after_s for leg in outside)])
    late = [replace(leg, after_s=leg.after_s - soonest_s) for leg in outside]
    delayed = [(candidate.why, max(delay_s - soonest_s, 0)) for candidate, delay_s in ordered]
    return Ringing(
        tuple(endpoint for endpoint, _ in endpoints), tuple(delay_s - soonest_s for _, delay_s in endpoints),
        tuple(leg for leg in late if leg.after_s < ring_s),
        tuple(reason for why, delay_s in delayed for reason in rings_after(why, delay_s)))


def rings_after(who: Reasons, delay_s: int) -> Reasons:
    return Why.AFTER(who, delay_s) if delay_s else who
