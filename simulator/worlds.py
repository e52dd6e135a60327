"""Worlds: possible states of phones, switches and users' settings for a representative call. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from routing.call.facts import DeviceState, Personal
from routing.numbering.value_types import Extension, Name
from routing.tenant.tenant import Tenant
from simulator.behaviour import entries_of, reachable

MAX_SPECIAL = 24       # worlds of one number besides the usual ones


@dataclass(frozen=True, slots=True)
class World:
    """`words` describe the differences from the usual day; '': the usual day, with all phones free and nothing set."""

    words: str = ""
    states: Mapping[str, DeviceState] = field(default_factory=dict)       # by extension or external number
    silent: frozenset[str] = frozenset()
    switches: Mapping[Name, Name] = field(default_factory=dict)
    personal: Mapping[Extension, Personal] = field(default_factory=dict)


def usual_worlds(before: Tenant, after: Tenant) -> tuple[World, ...]:
    """Worlds with one state for all phones; the first is the usual day."""
    users = {*before.users, *after.users}
    far = {number for tenant in (before, after) for node in tenant.nodes.values() for _, number in node.uses().outside}
    return (
        World(),
        World("nobody answers", silent=frozenset(users | far)),
        World("all are busy", dict.fromkeys(users | far, DeviceState.BUSY)),
        World("nobody is registered", dict.fromkeys(users, DeviceState.UNAVAILABLE)),
    )


def special_worlds(before: Tenant, after: Tenant, number: str) -> Iterator[World]:
    """Worlds with single switches or users in other states, as far as calls to the number depend on them: switches, users and
    groups that rules test, and users who have their calls forwarded."""
    found: dict[str, World] = {}
    for tenant in (before, after):
        nodes = [tenant.nodes[name].uses() for name in reachable(tenant, entries_of(tenant)[number])]
        asked = {(section, key) for uses in nodes for _, section, key in uses.settings}
        for section, key in sorted(asked):
            match section:
                case "switches":
                    found |= _of_switch(tenant, key)
                case "users":
                    found |= _of_user(key)
                case "groups":
                    paused = dict.fromkeys(tenant.members_of(key), Personal(paused=True))
                    found[f"all of {key}"] = World(f"all of {key} are paused", personal=paused)
                case "queues":
                    paused = dict.fromkeys(tenant.agents_of(key), Personal(paused=True))
                    found[f"all of {key}"] = World(f"all of {key} are paused", personal=paused)
                case "calendars" | "lists":
                    pass                     # the moments and callers that they mention are tried anyway
                case other:
                    raise ValueError(f"rules ask for {other!r}, of which no world is known")
        names = [name for name in reachable(tenant, entries_of(tenant)[number]) if name in tenant.users]
        for extension in [*names, *(extension for uses in nodes for _, extension in uses.users)]:
            if extension in tenant.users and tenant.users[extension].forwards:
                found |= _of_user(extension)
    yield from found.values()


def _of_switch(tenant: Tenant, name: Name) -> dict[str, World]:
    switch = tenant.switches[name]
    others = [position for position in switch.positions if position != switch.standing(None)]
    return {f"{name} {position}": World(f"switch {name} is {position}", switches={name: position}) for position in others}


def _of_user(extension: Extension) -> dict[str, World]:
    worlds = (
        World(f"{extension} is not to be disturbed", personal={extension: Personal(do_not_disturb=True)}),
        World(f"{extension} is busy", {extension: DeviceState.BUSY}),
        World(f"{extension} is not registered", {extension: DeviceState.UNAVAILABLE}),
        World(f"{extension} does not answer", silent=frozenset({extension})),
    )
    return {world.words: world for world in worlds}
