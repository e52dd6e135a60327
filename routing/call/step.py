"""The steps of a call: what a decision asks of the phone system. Pure."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Literal

from routing.speech.phrases import Language

NEXT_KEY_S = 3     # between two keys of a number
CONFERENCE_PROMPTS = (
    "sys_conference_alone", "sys_conference_wait", "sys_conference_ended", "sys_conference_removed", "sys_conference_closed",
    "sys_conference_muted", "sys_conference_unmuted", "sys_conference_locked", "sys_conference_unlocked",
)


class Cause(IntEnum):
    """Q.850 cause of a hang-up; Asterisk turns it into the SIP code in the comment."""

    UNKNOWN_NUMBER = 1    # 404
    NORMAL = 16           # BYE, or 603 before an answer
    BUSY = 17             # 486
    NO_ANSWER = 19        # 480
    UNAVAILABLE = 20      # 480
    REFUSED = 21          # 403
    CONGESTION = 34       # 503


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


@dataclass(frozen=True, slots=True)
class Hangup:
    cause: Cause


@dataclass(frozen=True, slots=True)
class Failover:
    """Hand the call to the tenant's rendered failover: the flow cannot go on."""


Step = (
    Read | Listen | Play | Echo | Say | Dial | Voicemail | CheckVoicemail | Move | CallAs | PickUp | Park | Unpark | SetCall
    | Conference | Queue | CallBack | Hangup | Failover)
