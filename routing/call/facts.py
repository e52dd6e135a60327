"""Facts: a frozen snapshot of what is known at the moment of a decision, taken before it. Pure."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import overload

from routing.call.admission import Limit
from routing.call.call_server import CallServerReply, Failed
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
    Loads,
    Question,
    Speak,
    Stopped,
    Understand,
    UserLoad,
)
from routing.hours.calendars import FetchedCalendar
from routing.numbering.value_types import Extension

Request = Question | Effect
Answer = int | tuple[UserLoad, ...] | tuple[Extension, ...] | CallServerReply | Failed | str | PinIs | Limit
Answers = Mapping[Request, Answer]


class Unanswered(Exception):
    """A question to answer, or an effect to perform, before the same decision is made again."""

    def __init__(self, request: Request) -> None:
        super().__init__(f"nobody has answered {request}")
        self.question = request


class DeviceState(StrEnum):
    """The state of one endpoint. Source: Asterisk's device states, `core show hints`."""

    IDLE = "idle"                # registered, no call
    RINGING = "ringing"
    IN_USE = "in_use"            # in a call, accepts another
    BUSY = "busy"                # refuses another call
    UNAVAILABLE = "unavailable"  # not registered or not reachable
    UNKNOWN = "unknown"          # not reported yet


class Forwarding(StrEnum):
    """The condition under which a user's calls are forwarded."""

    UNCONDITIONAL = "unconditional"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Personal:
    """A user's current settings, made by code or on a page. Groups and queues are elements' names."""

    do_not_disturb: bool = False
    paused: bool = False                                     # in all groups and queues
    paused_in: frozenset[str] = frozenset()
    logged_out: bool = False                                 # logged out of all groups and queues
    logged_out_of: frozenset[str] = frozenset()
    forwards: Mapping[Forwarding, str] = field(default_factory=dict)      # to an extension or a full number; '': no forward
    wake_up: datetime | None = None                                       # aware: when a call wakes the user up


NOTHING_SET = Personal()


@dataclass(frozen=True, slots=True)
class Facts:
    """The snapshot. `devices` is keyed by endpoint name, such as 'acme-201-desk'; everything else belongs to the tenant."""

    moment: datetime                  # aware; the node converts it to the tenant's time zone
    caller_extension: str = ""        # the user whose phone calls; '' for an external caller
    caller: str = ""                  # the caller's number, +E.164 where it is known; '' when it is hidden
    dialled: str = ""                 # the number that was called, spelled as in the tenant's file if the file has it
    chance: float = 0.0               # 0 <= chance < 1, a new random number for each decision
    devices: Mapping[str, DeviceState] = field(default_factory=dict)
    switches: Mapping[str, str] = field(default_factory=dict)             # current position, by switch
    personal: Mapping[str, Personal] = field(default_factory=dict)        # by extension
    calendars: Mapping[str, FetchedCalendar] = field(default_factory=dict)     # by name, as last fetched from its address
    answers: Answers = field(default_factory=dict)
    keys: str = ""                    # the caller's last keys in this call
    transferrer: str = ""             # the user who transferred the conversation here; '' without one

    @property
    def payer(self) -> str:
        """The user on whose behalf an external number is called."""
        return self.transferrer or self.caller_extension

    def state_of(self, endpoint: str) -> DeviceState:
        return self.devices.get(endpoint, DeviceState.UNKNOWN)

    def drawn(self, what: str) -> float:
        """0 <= drawn < 1: a number derived from `chance` for each subject, so that two decisions do not depend on each other.
        A `chance` of 0 stays 0."""
        return self.chance * (zlib.crc32(what.encode()) | 1 << 20) % 1.0

    def set_by(self, extension: str) -> Personal:
        return self.personal.get(extension, NOTHING_SET)

    @overload
    def answer(self, question: Loads) -> tuple[UserLoad, ...]: ...
    @overload
    def answer(self, question: AskServer) -> CallServerReply | Failed: ...
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
        """The result of the effect. Raises Unanswered where it still has to be performed."""
        return self._found(effect)

    def _found(self, request: Request) -> Answer:
        try:
            return self.answers[request]
        except KeyError:
            raise Unanswered(request) from None
