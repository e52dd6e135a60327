"""Whether a user, or anybody of a group, could take a call: by their devices and by what they have set. Pure."""

from collections.abc import Iterable
from enum import StrEnum

from routing.facts import DeviceState, Facts, Personal


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


def presence_in(facts: Facts, group: str, members: Iterable[tuple[str, Iterable[str]]]) -> GroupPresence:
    """`members` are the group's users, each with the endpoints."""
    found = {
        presence_of(facts, extension, endpoints)
        for extension, endpoints in members if not is_out(facts.set_by(extension), group)}
    if Presence.FREE in found:
        return GroupPresence.ANY_FREE
    return GroupPresence.ALL_BUSY if Presence.BUSY in found else GroupPresence.NOBODY_THERE


def is_out(set_by: Personal, group: str) -> bool:
    """Whether who has set this is logged out of the group or queue, or pauses in it."""
    return set_by.paused or set_by.logged_out or group in set_by.paused_in or group in set_by.logged_out_of
