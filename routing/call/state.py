"""What the phone system reports of a call, what the call remembers, and what is decided. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from routing.call.reasons import Reasons
from routing.call.step import (
    CallAs,
    CallBack,
    Cause,
    CheckVoicemail,
    Conference,
    Dial,
    Echo,
    Failover,
    Hangup,
    Listen,
    Move,
    Park,
    PickUp,
    Play,
    Queue,
    Read,
    Say,
    SetCall,
    Step,
    Unpark,
    Voicemail,
)
from routing.speech.phrases import Language


class Origin(StrEnum):
    """Where a call enters."""

    TRUNK = "trunk"   # from outside, to a public number
    PHONE = "phone"   # from one of the tenant's own endpoints
    TRANSFER = "transfer"   # one of these has passed on a conversation
    WAKE_UP = "wake_up"     # we have called a user, who has answered


class DialStatus(StrEnum):
    """How a Dial step ended. Source: Asterisk's DIALSTATUS."""

    ANSWER = "ANSWER"            # somebody talked; the conversation is over
    BUSY = "BUSY"
    NOANSWER = "NOANSWER"
    UNAVAILABLE = "CHANUNAVAIL"  # nobody registered or reachable
    CONGESTION = "CONGESTION"    # refused for another reason
    CANCEL = "CANCEL"            # the caller hung up first


@dataclass(frozen=True, slots=True)
class Started:
    """A call begins. `dialled` is digits, '*', '#' and '+'; `caller_extension` is '' for a call from outside. Of a
    call that was transferred, `dialled` is what the transferring user dialled for it."""

    origin: Origin
    dialled: str
    caller_extension: str = ""


@dataclass(frozen=True, slots=True)
class Entered:
    """The flow has arrived at a node, which has not asked for anything yet."""


@dataclass(frozen=True, slots=True)
class Digits:
    """What the caller keyed, '' when nothing came in time."""

    keys: str


@dataclass(frozen=True, slots=True)
class Listened:
    """The caller was listened to, and keyed this instead of speaking; '' where nothing was keyed. What was said, and whether
    anything was, is a question of its own."""

    keys: str


@dataclass(frozen=True, slots=True)
class Played:
    """The prompts were played to their end."""


@dataclass(frozen=True, slots=True)
class DialEnded:
    """`cause` is the Q.850 cause of what ended the last of its legs, 0 where none is known."""

    status: DialStatus
    cause: int = 0


@dataclass(frozen=True, slots=True)
class VoicemailEnded:
    """The mailbox is done with the caller, whether or not a message was left; `failed` means it could not take one."""

    failed: bool = False


@dataclass(frozen=True, slots=True)
class ConferenceLeft:
    """The conference is over for the caller; `refused` means there was no place, or the room was locked."""

    refused: bool = False


class QueueEnd(StrEnum):
    """How a caller left a queue."""

    ANSWERED = "answered"      # an agent talked; the conversation is over
    KEY = "key"                # by a key
    TIMEOUT = "timeout"
    FULL = "full"              # never came in
    EMPTY = "empty"            # no agent is there any more


@dataclass(frozen=True, slots=True)
class QueueLeft:
    """`key` is '' and `place` 0 unless the caller left by a key, from that place in the line: 1 is the next."""

    end: QueueEnd
    key: str = ""
    place: int = 0


class Parked(StrEnum):
    """What became of a parked call."""

    FETCHED = "fetched"      # somebody has talked to the caller
    BACK = "back"            # nobody came in time
    FULL = "full"            # never parked


@dataclass(frozen=True, slots=True)
class ParkEnded:
    end: Parked


Event = (
    Started | Entered | Digits | Listened | Played | DialEnded | VoicemailEnded | ConferenceLeft | QueueLeft | ParkEnded)


class Awaits(StrEnum):
    """Which event the last step will be answered with."""

    DIGITS = "digits"
    PIN = "pin"           # digits that leave no trace
    SPEECH = "speech"
    PLAYED = "played"
    DIAL = "dial"
    VOICEMAIL = "voicemail"
    CONFERENCE = "conference"
    QUEUE = "queue"
    PARKED = "parked"
    ENTERED = "entered"   # whatever the step ends with, the call then enters another node
    NOTHING = "nothing"   # the step was the last


def awaits(step: Step) -> Awaits:
    match step:
        case Read(secret=secret):
            return Awaits.PIN if secret else Awaits.DIGITS
        case Listen():
            return Awaits.SPEECH
        case Play() | Echo() | Say() | Move() | PickUp() | Unpark() | CallBack():
            return Awaits.PLAYED
        case Dial():
            return Awaits.DIAL
        case Voicemail() | CheckVoicemail():
            return Awaits.VOICEMAIL
        case Park():
            return Awaits.PARKED
        case Conference():
            return Awaits.CONFERENCE
        case Queue():
            return Awaits.QUEUE
        case SetCall():
            return Awaits.ENTERED
        case Hangup() | Failover() | CallAs():
            return Awaits.NOTHING


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the flow has chosen for the rest of the call; '' is the tenant's own language, and no music."""

    language: Language | Literal[""] = ""
    music: str = ""


NOTHING_CHOSEN = Chosen()


@dataclass(frozen=True, slots=True)
class State:
    """Everything a call remembers between two steps; it travels as one small channel variable."""

    node: str                       # an element's name or an extension
    awaits: Awaits
    hops: int                       # nodes visited so far; the engine stops a loop by it
    memory: tuple[int, ...] = ()    # counters whose meaning only the node knows
    trail: tuple[str, ...] = ()     # the users who have passed the call on since its caller last chose
    chosen: Chosen = NOTHING_CHOSEN


class CorruptMemory(Exception):
    """A memory that its node never writes: the configuration changed during the call, or the channel's variable was altered."""

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
    """One entry of a call's path: where it was and why it went on."""

    node: str
    why: Reasons


@dataclass(frozen=True, slots=True)
class Decision:
    state: State
    step: Step
    path: tuple[Visit, ...]         # what this decision adds to the call's path
    refuses: bool = False           # the step's prompts say why the call goes nowhere
