"""Ring candidates: each group member's standing, phones and numbers at this moment. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from routing.call.facts import DeviceState, Facts
from routing.call.reasons import Reasons, Why
from routing.call.step import Outside
from routing.hunt.forwarding import Nobody, Passed, People, outside_member, who_rings
from routing.hunt.hunting import Seat
from routing.hunt.ring_rules import rings_after
from routing.numbering.value_types import Extension

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
    outside: tuple[Outside, ...] = ()
    delays_s: tuple[int, ...] = ()      # of the endpoints

    @property
    def legs(self) -> frozenset[str]:
        return frozenset((*self.endpoints, *(leg.number for leg in self.outside)))


@dataclass(frozen=True, slots=True)
class Ringing:
    """Phones and numbers that ring together, each once. `delays_s` are of the endpoints; `told` names them in the reasons."""

    endpoints: tuple[str, ...]
    delays_s: tuple[int, ...]
    outside: tuple[Outside, ...]
    told: Reasons


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
    taken, endpoints, outside = set(before), list[tuple[str, int]](), list[Outside]()
    ordered = sorted(chosen, key=lambda pair: pair[1])
    for candidate, delay_s in ordered:
        endpoints += [
            (endpoint, delay_s + own_s) for endpoint, own_s in zip(candidate.endpoints, candidate.delays_s, strict=True)
            if endpoint not in taken]
        outside += [replace(leg, after_s=leg.after_s + delay_s) for leg in candidate.outside if leg.number not in taken]
        taken |= candidate.legs
    soonest_s = min([*(delay_s for _, delay_s in endpoints), *(leg.after_s for leg in outside)])
    late = [replace(leg, after_s=leg.after_s - soonest_s) for leg in outside]
    told = [(candidate.why, max(delay_s - soonest_s, 0)) for candidate, delay_s in ordered]
    return Ringing(
        tuple(endpoint for endpoint, _ in endpoints), tuple(delay_s - soonest_s for _, delay_s in endpoints),
        tuple(leg for leg in late if leg.after_s < ring_s),
        tuple(reason for why, delay_s in told for reason in rings_after(why, delay_s)))
