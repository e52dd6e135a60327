"""Presence of users and groups: free, busy or unavailable, from device states and settings. Pure."""

from collections.abc import Iterable
from enum import StrEnum

from routing.call.facts import DeviceState, Facts, Personal
from routing.hunt.hunting import Seat


class Presence(StrEnum):
    """The presence of a user."""

    FREE = "free"                        # a device could ring; an unknown state counts as idle
    BUSY = "busy"                        # in a call
    DO_NOT_DISTURB = "do_not_disturb"
    UNAVAILABLE = "unavailable"          # no device is registered


class GroupPresence(StrEnum):
    ANY_FREE = "any_free"
    ALL_BUSY = "all_busy"                # nobody is free, and somebody is in a call
    NOBODY_THERE = "nobody_there"        # none free or busy: unregistered, paused, logged out


def presence_of(facts: Facts, extension: str, endpoints: Iterable[str]) -> Presence:
    """`endpoints` are the user's."""
    if facts.set_by(extension).do_not_disturb:
        return Presence.DO_NOT_DISTURB
    states = {facts.state_of(endpoint) for endpoint in endpoints}
    if states & {DeviceState.IN_USE, DeviceState.BUSY}:
        return Presence.BUSY
    return Presence.UNAVAILABLE if states <= {DeviceState.UNAVAILABLE} else Presence.FREE


def is_there(facts: Facts, endpoints: Iterable[str]) -> bool:
    """Is one of these known to be registered? A Dial that reports none of them as reachable was then declined by them (603):
    Asterisk's Dial() has no status of its own for that cause."""
    return any(facts.state_of(endpoint) not in (DeviceState.UNAVAILABLE, DeviceState.UNKNOWN) for endpoint in endpoints)


def presence_in(facts: Facts, members: Iterable[tuple[Seat, Iterable[str]]]) -> GroupPresence:
    """`members` are a group's, each with the endpoints. The state of an external number is unknown: it counts as free, here as
    when the group rings."""
    found = {
        Presence.FREE if seat.is_outside else presence_of(facts, seat.member, endpoints) for seat, endpoints in members
        if not is_out(facts.set_by(seat.member), seat.via)}
    if Presence.FREE in found:
        return GroupPresence.ANY_FREE
    return GroupPresence.ALL_BUSY if Presence.BUSY in found else GroupPresence.NOBODY_THERE


def is_out(set_by: Personal, via: tuple[str, ...]) -> bool:
    """True if a user with these settings is logged out of, or paused in, one of these groups and queues."""
    return is_logged_out(set_by, via) or is_paused(set_by, via)


def is_logged_out(set_by: Personal, via: tuple[str, ...]) -> bool:
    return set_by.logged_out or not set_by.logged_out_of.isdisjoint(via)


def is_paused(set_by: Personal, via: tuple[str, ...]) -> bool:
    return set_by.paused or not set_by.paused_in.isdisjoint(via)
