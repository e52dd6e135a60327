"""What is known at the moment of a decision: a frozen snapshot, taken before it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class DeviceState(StrEnum):
    """The state of one endpoint, in the field's words. Source: Asterisk's device states, `core show hints`."""

    IDLE = "idle"                # registered, no call
    RINGING = "ringing"
    IN_USE = "in_use"            # in a call, may take another
    BUSY = "busy"                # refuses another call
    UNAVAILABLE = "unavailable"  # not registered or not reachable
    UNKNOWN = "unknown"          # nothing was heard of it yet


@dataclass(frozen=True, slots=True)
class Facts:
    """The snapshot. `devices` is keyed by endpoint name, such as 'acme-201-desk'."""

    moment: datetime                  # aware; the node converts it to the tenant's time zone
    caller_extension: str = ""        # whose phone calls; '' for a call from outside
    devices: Mapping[str, DeviceState] = field(default_factory=dict)

    def state_of(self, endpoint: str) -> DeviceState:
        return self.devices.get(endpoint, DeviceState.UNKNOWN)
