"""Whether a user, or anybody of a group, could take a call: by their devices and by what they have set. Pure."""

from collections.abc import Iterable
from enum import StrEnum

from routing.call.facts import DeviceState, Facts, Personal
from routing.hunt.hunting import Seat


class Presence(StrEnum):
    """A user's."""

    FREE = "free"                        # a device could ring; one of which nothing is known counts as such
    BUSY = "busy"                        # in a call
    DO_NOT_DISTURB = "do_not_disturb"
    UNAVAILABLE = "unavailable"          # no device is registered


class GroupPresence(StrEnum):
    ANY_FREE = "any_free"
    ALL_BUSY = "all_busy"                # nobody is free, and somebody is in a call
    NOBODY_THERE = "nobody_there"        # neither: not registered, paused, logged out


def presence_of(facts: Facts, extension: str, endpoints: Iterable[str]) -> Presence:
    """`endpoints` are the user's."""
    if facts.set_by(extension).do_not_disturb:
        return Presence.DO_NOT_DISTURB
    states = {facts.state_of(endpoint) for endpoint in endpoints}
    if states & {DeviceState.IN_USE, DeviceState.BUSY}:
        return Presence.BUSY
    return Presence.UNAVAILABLE if states <= {DeviceState.UNAVAILABLE} else Presence.FREE


def is_there(facts: Facts, endpoints: Iterable[str]) -> bool:
    """Is one of these known to be registered? A Dial that says it can reach none of them was then declined by them (603):
    for the cause of that, Asterisk's Dial() has no word of its own."""
    return any(facts.state_of(endpoint) not in (DeviceState.UNAVAILABLE, DeviceState.UNKNOWN) for endpoint in endpoints)


def presence_in(facts: Facts, members: Iterable[tuple[Seat, Iterable[str]]]) -> GroupPresence:
    """`members` are a group's, each with the endpoints. Of a number outside nothing can be known: it counts as free, here as
    when the group rings."""
    found = {
        Presence.FREE if seat.is_outside else presence_of(facts, seat.member, endpoints) for seat, endpoints in members
        if not is_out(facts.set_by(seat.member), seat.via)}
    if Presence.FREE in found:
        return GroupPresence.ANY_FREE
    return GroupPresence.ALL_BUSY if Presence.BUSY in found else GroupPresence.NOBODY_THERE


def is_out(set_by: Personal, via: tuple[str, ...]) -> bool:
    """Whether who has set this is logged out of one of these groups and queues, or pauses in it."""
    return is_logged_out(set_by, via) or is_paused(set_by, via)


def is_logged_out(set_by: Personal, via: tuple[str, ...]) -> bool:
    return set_by.logged_out or not set_by.logged_out_of.isdisjoint(via)


def is_paused(set_by: Personal, via: tuple[str, ...]) -> bool:
    return set_by.paused or not set_by.paused_in.isdisjoint(via)
