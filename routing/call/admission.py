"""Whether one more call with the outside may be: the plan's lines and the brake on fraud. Pure.

store/lines.py decides the same of what Redis has, in one exchange.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from routing.call.reasons import Reasons, Why
from routing.call.step import Cause
from routing.numbering.value_types import Extension, Name
from routing.platform.platform import Brake

NO_LIMIT = 0
NOBODY = ""                # whose call is that of no user, such as one that comes in


class Limit(StrEnum):
    """What refuses a call."""

    NONE = ""
    LINES = "lines"                      # of the plan
    STOPPED = "stopped"                  # by the brake, or by hand
    USER_CALLS = "user_calls"
    TENANT_CALLS = "tenant_calls"
    USER_MINUTES = "user_minutes"        # from now on stopped
    TENANT_MINUTES = "tenant_minutes"


@dataclass(frozen=True, slots=True)
class Caps:
    """How much there may be at most, NO_LIMIT for any amount; of minutes before the call begins."""

    lines: int = NO_LIMIT
    user_calls: int = NO_LIMIT
    tenant_calls: int = NO_LIMIT
    user_minutes: int = NO_LIMIT
    tenant_minutes: int = NO_LIMIT


@dataclass(frozen=True, slots=True)
class Usage:
    """What is taken: `calls` are the outgoing ones by user, `stopped` has users, and NOBODY where all the tenant is."""

    lines: int = 0
    calls: Mapping[Extension, int] = field(default_factory=dict)
    minutes: Mapping[Extension, int] = field(default_factory=dict)
    stopped: frozenset[Extension] = frozenset()


NO_CAPS = Caps()
NOTHING_USED = Usage()


def caps(lines: int | None, brake: Brake | None) -> Caps:
    if brake is None:
        return Caps(lines or NO_LIMIT)
    return Caps(
        lines or NO_LIMIT, brake.user_calls or NO_LIMIT, brake.tenant_calls or NO_LIMIT, brake.user_minutes or NO_LIMIT,
        brake.tenant_minutes or NO_LIMIT)


def reached(limits: Caps, usage: Usage, extension: Extension, *, outgoing: bool) -> Limit:
    """The limit that one more call would exceed. What a user may at most holds for no call of NOBODY."""
    if outgoing and usage.stopped & {extension, NOBODY}:
        return Limit.STOPPED
    if limits.lines and usage.lines >= limits.lines:
        return Limit.LINES
    if not outgoing:
        return Limit.NONE
    of_user = extension != NOBODY
    counted = (
        (limits.user_calls, usage.calls.get(extension, 0) if of_user else 0, Limit.USER_CALLS),
        (limits.tenant_calls, sum(usage.calls.values()), Limit.TENANT_CALLS),
        (limits.user_minutes, usage.minutes.get(extension, 0) if of_user else 0, Limit.USER_MINUTES),
        (limits.tenant_minutes, sum(usage.minutes.values()), Limit.TENANT_MINUTES),
    )
    return next((limit for most, found, limit in counted if most and found >= most), Limit.NONE)


REFUSALS: dict[Limit, tuple[Name, Cause]] = {
    Limit.LINES: ("sys_outside_lines_taken", Cause.CONGESTION),
    Limit.STOPPED: ("sys_outside_stopped", Cause.REFUSED),
    Limit.USER_CALLS: ("sys_outside_too_many", Cause.CONGESTION),
    Limit.TENANT_CALLS: ("sys_outside_too_many", Cause.CONGESTION),
    Limit.USER_MINUTES: ("sys_outside_stopped", Cause.REFUSED),
    Limit.TENANT_MINUTES: ("sys_outside_stopped", Cause.REFUSED),
}
"""What a refused caller hears, and the cause of the end."""


def reasons_of(limit: Limit, limits: Caps, extension: Extension) -> Reasons:
    """The reasons for which the limit refuses a call of that user, or of NOBODY."""
    match limit:
        case Limit.LINES:
            return Why.LINES_TAKEN(limits.lines)
        case Limit.STOPPED:
            return Why.STOPPED(extension)
        case Limit.USER_CALLS:
            return Why.USER_CALLS(extension, limits.user_calls)
        case Limit.TENANT_CALLS:
            return Why.TENANT_CALLS(limits.tenant_calls)
        case Limit.USER_MINUTES:
            return Why.USER_MINUTES(extension, limits.user_minutes)
        case Limit.TENANT_MINUTES:
            return Why.TENANT_MINUTES(limits.tenant_minutes)
        case Limit.NONE:
            raise ValueError("nothing refuses the call")
