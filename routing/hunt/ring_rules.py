"""Ring rules: the devices that ring for each kind of call, and after what delay. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from routing.numbering.value_types import Did, Name

MOBILE = "mobile"        # in `rings`, the user's mobile; every other word there is a device
LONGEST_DELAY_S = 110


class CallKind(StrEnum):
    """The way by which a call comes to a user."""

    INTERNAL = "internal"    # a colleague calls the user
    DIRECT = "direct"        # external call to a number that leads directly to the user
    MAIN = "main"            # external call to any other number: a menu or a forward has led here
    GROUP = "group"          # to a member of a group, from any caller
    QUEUE = "queue"          # to an agent of a queue, from any caller


Delays = Annotated[dict[Name, Annotated[int, Field(ge=0, le=LONGEST_DELAY_S)]], Field(min_length=1)]
RingTable = dict[CallKind, Delays]


@dataclass(frozen=True, slots=True)
class Ways:
    """Phones that ring for a user: endpoints with their delays in seconds, and the mobile's number with its delay."""

    endpoints: tuple[str, ...]
    delays_s: tuple[int, ...]
    mobile: tuple[Did, int] | None = None


def ways(endpoints: Mapping[Name, str], mobile: tuple[Did, int] | None, rings: RingTable, kind: CallKind) -> Ways:
    """`endpoints` are those of the devices, `mobile` the user's number and its delay where `rings` has no entry for this
    kind of call. Then all ring together, but for a queue the devices alone."""
    if kind not in rings:
        return Ways(tuple(endpoints.values()), (0,) * len(endpoints), None if kind is CallKind.QUEUE else mobile)
    delays = rings[kind]
    named = {endpoint: delays[device] for device, endpoint in endpoints.items() if device in delays}
    leg = (mobile[0], delays[MOBILE]) if mobile and MOBILE in delays else None
    return Ways(tuple(named), tuple(named.values()), leg)
