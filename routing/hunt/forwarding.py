"""Forwarding: endpoints and numbers that ring for a user, called directly, in a group or by a forward. docs/forwarding.md is
its table. Pure.

A group calls it for each of its members and never gets `Passed`: a member's forward does not take the call out of the group.
The group itself handles members who are busy or do not answer: routing/hunt/hunting.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from routing.call.facts import DeviceState, Facts, Forwarding
from routing.call.reasons import Reasons, Why
from routing.call.state import DialStatus
from routing.call.step import ExternalNumber
from routing.hunt.ring_rules import CallKind, Ways
from routing.numbering.value_types import Did, Extension, Name, Target

MAX_FORWARDS = 10     # of one call, until its caller chooses again

_FORWARDS = {
    DialStatus.BUSY: Forwarding.BUSY,
    DialStatus.NOANSWER: Forwarding.NO_ANSWER,
    DialStatus.UNAVAILABLE: Forwarding.UNAVAILABLE,
    DialStatus.CONGESTION: Forwarding.UNAVAILABLE,
}


@dataclass(frozen=True, slots=True)
class Reachable:
    """These ring together. An external number confirms with a key before it gets the call. `why` names them.
    `delays_s` are of the endpoints; `phones` are all phones of the user, of which some may not ring."""

    endpoints: tuple[str, ...]
    outside: tuple[ExternalNumber, ...]
    why: Reasons
    delays_s: tuple[int, ...] = ()
    phones: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Passed:
    """The call goes on: to `target`, or, where `target` is '', to the number in `outside`."""

    target: Target
    outside: tuple[ExternalNumber, ...]
    why: Reasons


@dataclass(frozen=True, slots=True)
class Nobody:
    """Nobody rings; for a direct call the user's mailbox or `missed` takes the call, as after a Dial with that status."""

    status: DialStatus
    why: Reasons


class People(Protocol):
    """The part of a tenant that the table needs."""

    def endpoints_of(self, extension: Extension) -> tuple[str, ...]: ...
    def trunk_endpoint(self, trunk: Name | None, number: Did) -> str: ...
    def forwards_of(self, extension: Extension) -> Mapping[Forwarding, str]: ...
    def ways_of(self, extension: Extension, kind: CallKind) -> Ways:
        """The devices and mobile that ring for a call of that kind."""
    def takes_second_call(self, extension: Extension) -> bool:
        """While a phone of the user is in a call."""
    def is_own_number(self, number: str, extension: Extension) -> bool:
        """True if the public number leads directly to the user."""
    def destination(self, text: str) -> str:
        """The name of a node, or an external number with its '+'. Raises ValueError with the reason if there is no target."""


def who_rings(
    people: People, facts: Facts, extension: Extension, *, groups: tuple[Name, ...] = (), follow: bool = False,
    trail: tuple[Extension, ...] = (), ended: DialStatus | None = None,
) -> Reachable | Passed | Nobody:
    """The phones that ring for a user, or, with `ended` (the status after they rang), the next target of the call.

    `groups`: the group that rings this member, and the groups in between; `follow`: the group follows its members'
    forwards. `trail`: users who have already passed this call on; they do not ring again and their forwards are not used again.
    """
    personal = facts.set_by(extension)
    if ended is not None:
        forward = _FORWARDS.get(ended)
        return (_passed(people, facts, extension, forward, trail) if forward else None) or Nobody(ended, ())
    if extension in trail:
        return Nobody(DialStatus.UNAVAILABLE, Why.HAS_PASSED_ON(extension))
    if groups and (personal.logged_out or not personal.logged_out_of.isdisjoint(groups)):
        return Nobody(DialStatus.UNAVAILABLE, Why.LOGGED_OUT(extension))
    if groups and (personal.paused or not personal.paused_in.isdisjoint(groups)):
        return Nobody(DialStatus.UNAVAILABLE, Why.PAUSED(extension))
    if extension == facts.caller_extension:
        return Nobody(DialStatus.BUSY, Why.IS_CALLER(extension))
    if not groups or follow:
        passed = _passed(people, facts, extension, Forwarding.UNCONDITIONAL, trail)
        if passed and groups:
            return _followed(people, facts, extension, groups, trail, passed)
        if passed:
            return passed
    if personal.do_not_disturb:
        busy = None if groups else _passed(people, facts, extension, Forwarding.BUSY, trail)
        return busy or Nobody(DialStatus.BUSY, Why.NOT_TO_BE_DISTURBED(extension))
    phones = {facts.state_of(endpoint) for endpoint in people.endpoints_of(extension)}
    if not people.takes_second_call(extension) and phones & {DeviceState.IN_USE, DeviceState.BUSY}:
        busy = None if groups else _passed(people, facts, extension, Forwarding.BUSY, trail)
        return busy or Nobody(DialStatus.BUSY, Why.NO_SECOND_CALL(extension))
    ways = people.ways_of(extension, CallKind.GROUP if groups else _kind(people, facts, extension))
    if groups and follow and {facts.state_of(endpoint) for endpoint in ways.endpoints} == {DeviceState.UNAVAILABLE}:
        passed = _passed(people, facts, extension, Forwarding.UNAVAILABLE, trail)
        if passed:
            return _followed(people, facts, extension, groups, trail, passed)
    return _rings(people, facts, extension, ways)


def outside_member(people: People, facts: Facts, number: Did) -> Reachable | Nobody:
    """The call to an external number that is itself a member of a group. It confirms with a key: otherwise the voicemail of its
    network would take the call from all the others."""
    if number == facts.caller:
        return Nobody(DialStatus.BUSY, Why.IS_CALLER(number))
    return Reachable((), (ExternalNumber(number, people.trunk_endpoint(None, number), confirm=True),), Why.WHO(number))


def _passed(
    people: People, facts: Facts, extension: Extension, forward: Forwarding, trail: tuple[Extension, ...],
) -> Passed | None:
    """The target of that forward, None if it leads nowhere: none is set, it cannot be reached, it returns to the caller or
    to a user who has passed the call on, or the call has been forwarded too often."""
    chosen = {**people.forwards_of(extension), **facts.set_by(extension).forwards}.get(forward)
    return passed_to(people, facts, extension, chosen, trail, _WHICH[forward]) if chosen else None


def passed_to(
    people: People, facts: Facts, extension: Extension, chosen: str, trail: tuple[Extension, ...], which: Reasons,
) -> Passed | None:
    """The way on to the target that the user has chosen, None if it leads nowhere; `which` names the calls concerned."""
    if extension in trail or len(trail) >= MAX_FORWARDS:
        return None
    try:
        to = people.destination(chosen)
        outside = (ExternalNumber(to, people.trunk_endpoint(None, to), payer=extension),) if to.startswith("+") else ()
    except ValueError:
        return None
    caller = facts.caller if outside else facts.caller_extension      # an external caller has no extension
    if to in (extension, caller, *trail):
        return None
    return Passed("" if outside else to, outside, Why.FORWARDS(which, to))


_WHICH = {
    Forwarding.UNCONDITIONAL: Why.ALL_CALLS(),
    Forwarding.BUSY: Why.WHEN_BUSY(),
    Forwarding.NO_ANSWER: Why.WHEN_NO_ANSWER(),
    Forwarding.UNAVAILABLE: Why.WHEN_UNAVAILABLE(),
}


def _followed(
    people: People, facts: Facts, extension: Extension, groups: tuple[Name, ...], trail: tuple[Extension, ...], passed: Passed,
) -> Reachable | Nobody:
    """The phones that ring for a member whose forward the group follows: another user by the same table, or an external number,
    which confirms with a key: otherwise its network's voicemail would take the call from all the others."""
    why = Why.USER_DOES(extension, passed.why)
    if passed.outside:
        (leg,) = passed.outside
        return Reachable((), (replace(leg, confirm=True),), Why.FOLLOWED(Why.WHO(leg.number), why))
    if not passed.target.isdigit():
        return Nobody(DialStatus.UNAVAILABLE, Why.NOT_FOLLOWED(why))
    found = who_rings(people, facts, passed.target, groups=groups, follow=True, trail=(*trail, extension))
    match found:
        case Reachable():
            return replace(found, why=Why.FOLLOWED(found.why, why))
        case Nobody(status=status):
            return Nobody(status, Why.FOLLOWED_IN_VAIN(why, found.why))
        case Passed():
            raise AssertionError("a group is never left by a forward")


def _kind(people: People, facts: Facts, extension: Extension) -> CallKind:
    """The kind of a call to the user that comes from no group or queue."""
    if facts.caller_extension:
        return CallKind.INTERNAL
    return CallKind.DIRECT if people.is_own_number(facts.dialled, extension) else CallKind.MAIN


def _rings(people: People, facts: Facts, extension: Extension, ways: Ways) -> Reachable | Nobody:
    """Unregistered phones do not delay the others: the first of those rings at once."""
    number, after_s = ways.mobile or ("", 0)
    outside = () if number in ("", facts.caller) else (
        ExternalNumber(number, people.trunk_endpoint(None, number), after_s, confirm=True, payer=extension, permitted=True),)
    if not ways.endpoints and not outside:
        return Nobody(DialStatus.UNAVAILABLE, Why.NOTHING_RINGS(extension))
    there = [delay_s for endpoint, delay_s in zip(ways.endpoints, ways.delays_s, strict=True)
             if facts.state_of(endpoint) is not DeviceState.UNAVAILABLE]
    soonest_s = min([*there, *(leg.after_s for leg in outside)], default=min(ways.delays_s, default=0))
    return Reachable(
        ways.endpoints, tuple(replace(leg, after_s=leg.after_s - soonest_s) for leg in outside),
        Why.WHO_AND(extension, number) if outside else Why.WHO(extension),
        tuple(max(delay_s - soonest_s, 0) for delay_s in ways.delays_s), people.endpoints_of(extension))
