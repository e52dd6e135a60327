"""Events of a call, the state it keeps between steps, and the decision about it. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from routing.call.reasons import Reasons
from routing.call.step import Cause, Step
from routing.speech.phrases import Language


class Origin(StrEnum):
    """The way by which a call enters."""

    TRUNK = "trunk"   # from a trunk, to a public number
    PHONE = "phone"   # from one of the tenant's own endpoints
    TRANSFER = "transfer"   # one of these endpoints has transferred a conversation
    WAKE_UP = "wake_up"     # we have called a user, who has answered


class DialStatus(StrEnum):
    """The status with which a Dial step ended. Source: Asterisk's DIALSTATUS."""

    ANSWER = "ANSWER"            # answered; the conversation is over
    BUSY = "BUSY"
    NOANSWER = "NOANSWER"
    UNAVAILABLE = "CHANUNAVAIL"  # not registered or not reachable
    CONGESTION = "CONGESTION"    # refused for another reason
    CANCEL = "CANCEL"            # the caller hung up first


@dataclass(frozen=True, slots=True)
class Started:
    """A call begins. `dialled` is digits, '*', '#' and '+'; `caller_extension` is '' for an external caller. For a transferred
    call, `dialled` is the number that the transferring user dialled."""

    origin: Origin
    dialled: str
    caller_extension: str = ""


@dataclass(frozen=True, slots=True)
class Entered:
    """The call has entered a node, which has not asked for anything yet."""


@dataclass(frozen=True, slots=True)
class Digits:
    """The keys that the caller pressed, '' after a timeout."""

    keys: str


@dataclass(frozen=True, slots=True)
class Listened:
    """The caller's speech was recorded, or the caller pressed these keys instead; '' if none. The recognised name, if any, is a
    separate question."""

    keys: str


@dataclass(frozen=True, slots=True)
class Played:
    """The prompts were played to their end."""


REDIRECTED = 23
"""The Q.850 cause of a leg that answered with 3xx, which is not followed. Asterisk then says busy, without a cause."""


@dataclass(frozen=True, slots=True)
class DialEnded:
    """`cause` is the Q.850 cause of the leg that ended last, 0 where none is known."""

    status: DialStatus
    cause: int = 0


@dataclass(frozen=True, slots=True)
class VoicemailEnded:
    """The mailbox has finished with the caller, with or without a message; `failed` means it could not record one."""

    failed: bool = False


@dataclass(frozen=True, slots=True)
class ConferenceLeft:
    """The conference is over for the caller; `refused` means the room was full or locked."""

    refused: bool = False


class QueueEnd(StrEnum):
    """The way by which a caller left a queue."""

    ANSWERED = "answered"      # an agent answered; the conversation is over
    KEY = "key"                # by a key
    TIMEOUT = "timeout"
    FULL = "full"              # never came in
    EMPTY = "empty"            # no agent is available any more


@dataclass(frozen=True, slots=True)
class QueueLeft:
    """`key` is '' and `place` 0 unless the caller left by a key, from that place in the line: 1 is the next."""

    end: QueueEnd
    key: str = ""
    place: int = 0


class Parked(StrEnum):
    """The end of a parked call's wait."""

    FETCHED = "fetched"      # taken from the slot; the conversation is over
    BACK = "back"            # returned after the time limit
    FULL = "full"            # no free slot: never parked


@dataclass(frozen=True, slots=True)
class ParkEnded:
    end: Parked


Event = (
    Started | Entered | Digits | Listened | Played | DialEnded | VoicemailEnded | ConferenceLeft | QueueLeft | ParkEnded)


class Awaits(StrEnum):
    """The event that will answer the last step."""

    DIGITS = "digits"
    PIN = "pin"           # digits that are not logged or stored
    SPEECH = "speech"
    PLAYED = "played"
    DIAL = "dial"
    VOICEMAIL = "voicemail"
    CONFERENCE = "conference"
    QUEUE = "queue"
    PARKED = "parked"
    ENTERED = "entered"   # the call then enters another node, however the step ends
    NOTHING = "nothing"   # the step was the last


@dataclass(frozen=True, slots=True)
class Chosen:
    """Settings that the flow has chosen for the rest of the call; '' is the tenant's own language, and no music."""

    language: Language | Literal[""] = ""
    music: str = ""


NOTHING_CHOSEN = Chosen()


@dataclass(frozen=True, slots=True)
class State:
    """Everything a call remembers between two steps; it travels as one small channel variable."""

    node: str                       # an element's name or an extension
    awaits: Awaits
    hops: int                       # nodes visited so far; the engine's protection against loops
    memory: tuple[int, ...] = ()    # counters whose meaning only the node knows
    trail: tuple[str, ...] = ()     # the users who have passed the call on since its caller last made a choice
    chosen: Chosen = NOTHING_CHOSEN


class CorruptMemory(Exception):
    """A memory that its node never writes: the configuration changed during the call, or the channel variable was altered."""

    def __init__(self, memory: tuple[int, ...], expected: str) -> None:
        super().__init__(f"memory: found {'.'.join(map(str, memory)) or 'nothing'}, expected {expected}")


def counters(memory: tuple[int, ...], count: int) -> tuple[int, ...]:
    """The memory itself. Raises CorruptMemory unless it has `count` numbers."""
    if len(memory) != count:
        raise CorruptMemory(memory, f"{count} numbers")
    return memory


def cause_in(memory: tuple[int, ...]) -> Cause:
    """The cause that is the memory's last number. Raises CorruptMemory."""
    try:
        return Cause(memory[-1])
    except (IndexError, ValueError):
        raise CorruptMemory(memory, "a cause") from None


@dataclass(frozen=True, slots=True)
class Visit:
    """One entry of a call's path: the node, and why the call went on."""

    node: str
    why: Reasons


@dataclass(frozen=True, slots=True)
class Decision:
    state: State
    step: Step
    path: tuple[Visit, ...]         # what this decision adds to the call's path
    refuses: bool = False           # the step's prompts explain why the call cannot go on
