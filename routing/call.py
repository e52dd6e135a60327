"""The vocabulary between a decision and the phone system: events in, steps out, and the state between them. Pure."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Literal

from routing.phrases import Language


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


class Cause(IntEnum):
    """Q.850 cause of a hang-up; Asterisk turns it into the SIP code in the comment."""

    UNKNOWN_NUMBER = 1    # 404
    NORMAL = 16           # BYE, or 603 before an answer
    BUSY = 17             # 486
    NO_ANSWER = 19        # 480
    UNAVAILABLE = 20      # 480
    REFUSED = 21          # 403
    CONGESTION = 34       # 503


# What the phone system reports.


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
class Spoken:
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
    Started | Entered | Digits | Spoken | Played | DialEnded | VoicemailEnded | ConferenceLeft | QueueLeft | ParkEnded)


# What is asked of the phone system.

NEXT_KEY_S = 3     # between two keys of a number


@dataclass(frozen=True, slots=True)
class Read:
    """Play the prompts, which a key interrupts, then wait for up to `max_digits` keys. Answers the call.

    `longer` are the beginnings of longer numbers: after any other keys nothing more is waited for, after these `NEXT_KEY_S`.
    Without it the keys end with `max_digits`, or when `wait_s` have passed since the last. `told` is played to its end before
    all that, and keys pressed meanwhile count for nothing: they belong to the number that was wrong. What is keyed is `secret`
    where nobody but the decision that asked may know it.
    """

    prompts: tuple[str, ...]
    max_digits: int
    wait_s: int
    longer: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Listen:
    """Play the prompts, which a key interrupts, then record what the caller says until a pause. A key ends that: then up to
    `max_digits` keys are taken, the last after `wait_s` without another. Answers the call."""

    prompts: tuple[str, ...]
    max_digits: int
    wait_s: int


@dataclass(frozen=True, slots=True)
class Play:
    """Play the prompts to their end, or, `skippable`, to any key; `early` plays them without answering the call."""

    prompts: tuple[str, ...]
    early: bool = False
    skippable: bool = False


@dataclass(frozen=True, slots=True)
class Outside:
    """A number outside, +E.164 or a short one, and the endpoint of the trunk that leads there. It begins to ring `after_s`
    seconds later.

    With `confirm` whoever answers has to press a key to get the call, and the others ring on until then: so a network's
    voicemail takes no call. It is a call outside of the `payer`, a user, or of the tenant where that is ''; a user has to be
    permitted to call there, unless the administrator has `permitted` it.
    """

    number: str
    trunk: str
    after_s: int = 0
    confirm: bool = False
    payer: str = ""
    permitted: bool = False


@dataclass(frozen=True, slots=True)
class Echo:
    """Play the prompt, then send back all that is said, until '#'."""

    prompt: str


@dataclass(frozen=True, slots=True)
class Say:
    """Play a sound that was made during the call, by its name."""

    sound: str


class Diverted(StrEnum):
    """Why a call is passed on to a number outside. Source: RFC 5806, diversion reasons."""

    UNCONDITIONAL = "unconditional"
    BUSY = "user-busy"
    NO_ANSWER = "no-answer"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Diversion:
    """The tenant's number that was called before, and why the call did not stay there."""

    number: str
    reason: Diverted


@dataclass(frozen=True, slots=True)
class Dial:
    """Ring the endpoints and the numbers outside together for `ring_s` seconds and connect the first that answers.

    Outside they see the number `shown`, or the caller's own where it is '', or none where it is `hidden`; the tenant's number
    `vouching` stands for the call.
    """

    endpoints: tuple[str, ...]
    ring_s: int
    outside: tuple[Outside, ...] = ()
    shown: str = ""
    vouching: str = ""
    delays_s: tuple[int, ...] = ()   # of each endpoint, how much later it begins to ring; empty: all at once
    passed_on: bool = False          # who does not answer sees no missed call: others are still to be rung
    music: str = ""                  # what the caller hears instead of the ringing tone, one of the tenant's musics
    hidden: bool = False
    diversion: Diversion | None = None     # of a call that is forwarded
    told: tuple[str, ...] = ()       # prompts that whoever answers hears first
    own: bool = False                # only who dialled talks there, and nobody to whom that one transfers the call


@dataclass(frozen=True, slots=True)
class Voicemail:
    """Record a message for the mailbox, after a beep."""

    mailbox: str


@dataclass(frozen=True, slots=True)
class CheckVoicemail:
    """Let the mailbox's owner listen."""

    mailbox: str


@dataclass(frozen=True, slots=True)
class Move:
    """Take over the conversation of another phone of the user, or of the `mobile`; `nothing` is played where there is none."""

    extension: str
    mobile: str
    nothing: str


@dataclass(frozen=True, slots=True)
class CallAs:
    """From here on the call is one that this user makes: the number is dialled as from the user's phone."""

    extension: str
    number: str


@dataclass(frozen=True, slots=True)
class PickUp:
    """Take a call that rings at one of these endpoints, or, without any, in a pickup group of the channel's own; `nothing` is
    played where none rings."""

    endpoints: tuple[str, ...]
    nothing: str


@dataclass(frozen=True, slots=True)
class Park:
    """Let the call wait in a lot, in the first of the `slots` that is free, for `limit_s` seconds; a phone is `told` which."""

    lot: str
    slots: tuple[str, ...]
    limit_s: int
    told: bool


@dataclass(frozen=True, slots=True)
class Unpark:
    """Take the call that waits in a slot; `nothing` is played where there is none."""

    lot: str
    slot: str
    nothing: str


@dataclass(frozen=True, slots=True)
class SetCall:
    """From now on the caller's name begins with `name_prefix`, and the caller hears `language` and, while waiting, `music`, one
    of the tenant's musics. What is '' stays as it is."""

    name_prefix: str = ""
    language: Language | Literal[""] = ""
    music: str = ""


@dataclass(frozen=True, slots=True)
class Conference:
    """Let the caller into a room with others. `prompts` are the room's own words, in the order of CONFERENCE_PROMPTS.

    A moderator comes in when the room is full, too. Others wait for one if `waits`, and leave with the last one if `ends`.
    """

    room: str
    max_members: int
    prompts: tuple[str, ...]
    moderator: bool = False
    waits: bool = False
    ends: bool = False
    music: str = ""


@dataclass(frozen=True, slots=True)
class Agent:
    """Who may be rung for a caller who has waited for `after_s` seconds. `delays_s` are of the endpoints, as in a Dial."""

    extension: str
    endpoints: tuple[str, ...]
    after_s: int = 0
    delays_s: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Queue:
    """Wait in the line of a queue until one of the `agents` answers, `max_wait_s` have passed (0: no limit), or one of the
    `keys` is pressed. Where `max_waiting` are in the line (0: no limit) nobody comes in. `tiers` is in how many steps the
    agents are rung; `music` is what is heard meanwhile, and `language` what the place in the line is told in, '' where it is
    not told."""

    queue: str
    agents: tuple[Agent, ...]
    max_wait_s: int = 0
    max_waiting: int = 0
    keys: tuple[str, ...] = ()
    tiers: int = 1
    music: str = ""
    language: Language | Literal[""] = ""
    place: int = 0                   # where the caller comes in; 0: at the end


@dataclass(frozen=True, slots=True)
class CallBack:
    """Let the caller hang up and keep the `place` in the line; when it comes up, the agent who takes it is told so, and the
    number is rung for `ring_s` seconds. `agreed` is what the caller hears, `agent` and then
    `unanswered`, or `refused` where no call outside is let out then, what the agent does."""

    queue: str
    place: int
    outside: Outside
    ring_s: int
    shown: str
    agreed: str
    agent: str
    unanswered: str
    refused: str
    tiers: int = 1


CONFERENCE_PROMPTS = (
    "sys_conference_alone", "sys_conference_wait", "sys_conference_ended", "sys_conference_removed", "sys_conference_closed",
    "sys_conference_muted", "sys_conference_unmuted", "sys_conference_locked", "sys_conference_unlocked",
)


@dataclass(frozen=True, slots=True)
class Hangup:
    cause: Cause


@dataclass(frozen=True, slots=True)
class Failover:
    """Hand the call to the tenant's rendered failover: the flow cannot go on."""


Step = (
    Read | Listen | Play | Echo | Say | Dial | Voicemail | CheckVoicemail | Move | CallAs | PickUp | Park | Unpark | SetCall
    | Conference | Queue | CallBack | Hangup | Failover)


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


@dataclass(frozen=True, slots=True)
class Visit:
    """One entry of a call's path: where it was and why it went on, in words."""

    node: str
    why: str


@dataclass(frozen=True, slots=True)
class Decision:
    state: State
    step: Step
    path: tuple[Visit, ...]         # what this decision adds to the call's path
