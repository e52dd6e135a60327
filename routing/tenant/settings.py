"""Users' settings: made by codes or written as texts such as dnd, logout=sales, busy=202. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from routing.call.changes import DoNotDisturb, Forward, LoggedOut, Paused, Setting, WakeUp
from routing.call.facts import NOTHING_SET, Forwarding, Personal
from routing.numbering.dialled import class_of
from routing.numbering.value_types import Extension, Name
from routing.tenant.tenant import Tenant
from yaml_models.suggestion import expected_one_of


def read_settings(tenant: Tenant, extension: Extension, texts: Iterable[str]) -> Personal:
    """The user's settings in texts: 'dnd', 'pause', 'pause=sales', 'logout', 'logout=sales', 'busy=202'. Raises ValueError."""
    personal = NOTHING_SET
    for text in texts:
        personal = with_setting(tenant, extension, personal, text)
    return personal


def with_setting(tenant: Tenant, extension: Extension, before: Personal, text: str) -> Personal:
    """The user's settings once this one is added. Raises ValueError."""
    word, _, detail = text.partition("=")
    if word in ("pause", "logout") and detail:
        known_groups(tenant, extension, [detail])
    match word, detail:
        case "dnd", "":
            return replace(before, do_not_disturb=True)
        case "pause", "":
            return replace(before, paused=True)
        case "pause", group:
            return replace(before, paused_in=before.paused_in | {group})
        case "logout", "":
            return replace(before, logged_out=True)
        case "logout", group:
            return replace(before, logged_out_of=before.logged_out_of | {group})
        case "wake_up", moment:
            local = datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(tenant.timezone))
            return replace(before, wake_up=local.astimezone(UTC))
        case _ if word in set(Forwarding) and not detail:
            return replace(before, forwards={**before.forwards, Forwarding(word): ""})
        case _ if word in set(Forwarding):
            kind, to = read_forward(tenant, extension, text)
            return replace(before, forwards={**before.forwards, kind: to})
        case _:
            raise ValueError(
                f"found {text!r}, expected dnd, pause, logout, pause=<group>, logout=<group>, wake_up=2026-11-26 06:30 "
                "or such as busy=202")


def after(before: Personal, setting: Setting) -> Personal:
    """The user's settings after a code. Resuming in one group leaves a user paused in, or logged out of, all others."""
    match setting:
        case DoNotDisturb(on=on):
            return replace(before, do_not_disturb=on)
        case Paused(on=on, group=""):
            return replace(before, paused=on, paused_in=frozenset())
        case Paused(on=True, group=group):
            return replace(before, paused_in=before.paused_in | {group})
        case Paused(group=group, others=others):
            rest = frozenset(others) if before.paused else before.paused_in - {group}
            return replace(before, paused=False, paused_in=rest)
        case LoggedOut(on=on, group=""):
            return replace(before, logged_out=on, logged_out_of=frozenset())
        case LoggedOut(on=True, group=group):
            return replace(before, logged_out_of=before.logged_out_of | {group})
        case LoggedOut(group=group, others=others):
            rest = frozenset(others) if before.logged_out else before.logged_out_of - {group}
            return replace(before, logged_out=False, logged_out_of=rest)
        case Forward(kind=kind, to=to, fixed=fixed):
            kept = {each: target for each, target in before.forwards.items() if each != kind}
            return replace(before, forwards={**kept, Forwarding(kind): to} if to or fixed else kept)
        case WakeUp(at=at):
            return replace(before, wake_up=at)


def pause_flipped(before: Personal) -> Personal:
    """The settings after the pause key: a user paused anywhere resumes everywhere, any other user is paused everywhere."""
    return after(before, Paused(on=not (before.paused or before.paused_in)))


def read_forward(tenant: Tenant, extension: Extension, text: str) -> tuple[Forwarding, str]:
    """A forward such as 'busy=202' of the user with this extension. Raises ValueError."""
    kind, equals, to = text.partition("=")
    if not equals:
        raise ValueError(f"found the forward {text!r}, expected its kind, = and where to, such as busy=202")
    whole = to.startswith("+") and to[1:].isascii() and to[1:].isdigit() and 7 <= len(to[1:]) <= 15
    if not whole and to not in tenant.internal_numbers:
        raise ValueError(f"found the target {to!r}, expected an extension of {tenant.tenant} or a number such as +48221234567")
    if to == extension:
        raise ValueError(f"found the user's own extension {to}, expected another one or a number such as +48221234567")
    return read_forwarding(kind), to


def checked_forward(tenant: Tenant, extension: Extension, to: str) -> None:
    """Raises ValueError if the outbound policy refuses the user's calls to this number: a forward there would never ring."""
    if to.startswith("+") and to not in tenant.numbers:
        call_class = class_of(to, tenant.country)
        if call_class is None:
            raise ValueError(f"found the target {to}, expected a number of a dialling plan")
        if call_class not in tenant.permissions_of(extension):
            raise ValueError(f"found the target {to}, expected one that {extension} may call: {call_class} is not permitted")


def read_forwarding(text: str) -> Forwarding:
    """The kind of forward of this name. Raises ValueError."""
    if text not in set(Forwarding):
        raise ValueError(f"found the kind of forwarding {text!r}, expected one of {', '.join(Forwarding)}")
    return Forwarding(text)


def known_groups(tenant: Tenant, extension: Extension, names: Iterable[str]) -> frozenset[str]:
    """The same names, if the user is in each of these groups and queues. Raises ValueError."""
    own = groups_of(tenant, extension)
    found = frozenset(names)
    for name in sorted(found):
        if name not in own:
            raise ValueError(f"{extension} is in no group or queue {name!r}, {expected_one_of(own, 'nor in any other')}")
    return found


def groups_of(tenant: Tenant, extension: Extension) -> tuple[Name, ...]:
    """The groups and queues that the user is in."""
    groups = (name for name in tenant.groups if extension in tenant.members_of(name))
    return (*groups, *(name for name in tenant.queues if extension in tenant.agents_of(name)))


def checked_position(tenant: Tenant, switch: Name, position: str) -> Name:
    """The position, if the tenant's switch has it. Raises ValueError."""
    if switch not in tenant.switches:
        raise ValueError(f"found the switch {switch!r}, {expected_one_of(tenant.switches, f'{tenant.tenant} has no switches')}")
    if position not in tenant.switches[switch].positions:
        raise ValueError(f"found the position {position!r}, expected one of {', '.join(tenant.switches[switch].positions)}")
    return position
