"""Call admission: the plan's limits and the fraud brake, for one more external call. Pure.

store/lines.py makes the same decision from the counters in Redis, in one exchange.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from routing.call.reasons import Reasons, Why
from routing.call.step import Cause
from routing.numbering.value_types import Extension, Name
from routing.platform.platform import Brake

NO_LIMIT = 0
NOBODY = ""                # the user of a call that belongs to no user, such as an incoming one


class Limit(StrEnum):
    """The limit that refuses a call."""

    NONE = ""
    LINES = "lines"                      # of the plan
    STOPPED = "stopped"                  # by the fraud brake, or by an administrator
    USER_CALLS = "user_calls"
    TENANT_CALLS = "tenant_calls"
    USER_MINUTES = "user_minutes"        # stopped from now on
    TENANT_MINUTES = "tenant_minutes"


@dataclass(frozen=True, slots=True)
class Caps:
    """Upper limits; NO_LIMIT: none. The limits of minutes count the minutes before the call begins."""

    lines: int = NO_LIMIT
    user_calls: int = NO_LIMIT
    tenant_calls: int = NO_LIMIT
    user_minutes: int = NO_LIMIT
    tenant_minutes: int = NO_LIMIT


@dataclass(frozen=True, slots=True)
class Usage:
    """Current usage. `calls` are outgoing ones by user. `stopped` holds users, and NOBODY if the whole tenant is stopped."""

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
    """The limit that one more call would exceed. Per-user limits do not apply to NOBODY."""
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
"""The prompt for a refused caller, and the cause of the hang-up."""


def reasons_of(limit: Limit, limits: Caps, extension: Extension) -> Reasons:
    """The reasons for which the limit refuses a call of this user, or of NOBODY."""
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
