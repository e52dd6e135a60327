"""What is known at the moment of a decision: a frozen snapshot, taken before it. Pure."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import overload

from routing.call.admission import Limit
from routing.call.call_server import Failed, Reply
from routing.call.effects import (
    Admit,
    ChangeSetting,
    CheckPin,
    ConfirmCountry,
    Effect,
    Flip,
    FlipPause,
    Offer,
    PinIs,
    PutSwitch,
    TryRoomPin,
    Turn,
    Withdraw,
)
from routing.call.questions import (
    AskServer,
    HasPin,
    KnownCountry,
    LastCaller,
    Load,
    Loads,
    Question,
    Speak,
    Stopped,
    Understand,
)
from routing.hours.calendars import Fetched
from routing.numbering.value_types import Extension

Request = Question | Effect
Answer = int | tuple[Load, ...] | tuple[Extension, ...] | Reply | Failed | str | PinIs | Limit
Answers = Mapping[Request, Answer]


class Unanswered(Exception):
    """A question to answer, or an effect to perform, before the same decision is asked for again."""

    def __init__(self, request: Request) -> None:
        super().__init__(f"nobody has answered {request}")
        self.question = request


class DeviceState(StrEnum):
    """The state of one endpoint, in the field's words. Source: Asterisk's device states, `core show hints`."""

    IDLE = "idle"                # registered, no call
    RINGING = "ringing"
    IN_USE = "in_use"            # in a call, may take another
    BUSY = "busy"                # refuses another call
    UNAVAILABLE = "unavailable"  # not registered or not reachable
    UNKNOWN = "unknown"          # nothing was heard of it yet


class Forwarding(StrEnum):
    """When a user's calls go elsewhere."""

    UNCONDITIONAL = "unconditional"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Personal:
    """What a user has set for the time being, by code or on a page. Groups and queues are elements' names."""

    do_not_disturb: bool = False
    paused: bool = False                                     # in all groups and queues
    paused_in: frozenset[str] = frozenset()
    logged_out: bool = False                                 # of all groups and queues
    logged_out_of: frozenset[str] = frozenset()
    forwards: Mapping[Forwarding, str] = field(default_factory=dict)      # to an extension or a whole number; '': no forward
    wake_up: datetime | None = None                                       # aware: when a call wakes the user up


NOTHING_SET = Personal()


@dataclass(frozen=True, slots=True)
class Facts:
    """The snapshot. `devices` is keyed by endpoint name, such as 'acme-201-desk'; all else is the tenant's own."""

    moment: datetime                  # aware; the node converts it to the tenant's time zone
    caller_extension: str = ""        # whose phone calls; '' for a call from outside
    caller: str = ""                  # the caller's number, +E.164 where it can be told; '' when it is hidden
    dialled: str = ""                 # the number that the call came to, as it is in the tenant's file where it is there
    chance: float = 0.0               # 0 <= chance < 1, drawn anew for each decision
    devices: Mapping[str, DeviceState] = field(default_factory=dict)
    switches: Mapping[str, str] = field(default_factory=dict)             # by the switch's name: its position
    personal: Mapping[str, Personal] = field(default_factory=dict)        # by extension
    calendars: Mapping[str, Fetched] = field(default_factory=dict)        # by name: what was last found at its address
    answers: Answers = field(default_factory=dict)
    keys: str = ""                    # what the caller typed last in this call
    transferrer: str = ""             # the user who passed the conversation on to where it is; '' without one

    @property
    def payer(self) -> str:
        """The user on whose behalf a number outside is called."""
        return self.transferrer or self.caller_extension

    def state_of(self, endpoint: str) -> DeviceState:
        return self.devices.get(endpoint, DeviceState.UNKNOWN)

    def drawn(self, what: str) -> float:
        """0 <= drawn < 1: `chance` dealt anew for each thing that is decided by it, so that one does not follow from another.
        A `chance` of 0 stays 0."""
        return self.chance * (zlib.crc32(what.encode()) | 1 << 20) % 1.0

    def set_by(self, extension: str) -> Personal:
        return self.personal.get(extension, NOTHING_SET)

    @overload
    def answer(self, question: Loads) -> tuple[Load, ...]: ...
    @overload
    def answer(self, question: AskServer) -> Reply | Failed: ...
    @overload
    def answer(self, question: Speak | LastCaller) -> str: ...
    @overload
    def answer(self, question: KnownCountry | HasPin | Stopped) -> bool: ...
    @overload
    def answer(self, question: Understand) -> tuple[Extension, ...]: ...
    def answer(self, question: Question) -> Answer:
        """The answer to the question. Raises Unanswered where it is not known yet."""
        return self._found(question)

    @overload
    def perform(self, effect: Turn | Offer | Flip | FlipPause | ChangeSetting | PutSwitch) -> int: ...
    @overload
    def perform(self, effect: CheckPin) -> PinIs: ...
    @overload
    def perform(self, effect: Admit) -> Limit: ...
    @overload
    def perform(self, effect: TryRoomPin | Withdraw | ConfirmCountry) -> bool: ...
    def perform(self, effect: Effect) -> Answer:
        """The result of the effect. Raises Unanswered where it is still to be performed."""
        return self._found(effect)

    def _found(self, request: Request) -> Answer:
        try:
            return self.answers[request]
        except KeyError:
            raise Unanswered(request) from None
