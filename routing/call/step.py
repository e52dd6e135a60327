"""Steps of a call: requests of a decision to the phone system. Pure."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Literal

from routing.speech.phrases import Language

NEXT_KEY_S = 3     # time limit between two keys of a number
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

    `longer` are the beginnings of longer numbers: after any other keys the input ends at once, after these within `NEXT_KEY_S`.
    Without it the input ends after `max_digits`, or `wait_s` after the last key. `first_prompts` are played to their end before
    all that; keys pressed meanwhile are ignored, because they belong to the number that was wrong. With `secret` only the node
    that asked may know the keys.
    """

    prompts: tuple[str, ...]
    max_digits: int
    wait_s: int
    longer: tuple[str, ...] = ()
    first_prompts: tuple[str, ...] = ()
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Listen:
    """Play the prompts, which a key interrupts, then record the caller's speech until a pause. A key ends that: then up to
    `max_digits` keys are read, with a time limit of `wait_s` after each. Answers the call."""

    prompts: tuple[str, ...]
    max_digits: int
    wait_s: int


@dataclass(frozen=True, slots=True)
class Play:
    """Play the prompts to their end, or, if `skippable`, until any key; `early` plays them without answering the call."""

    prompts: tuple[str, ...]
    early: bool = False
    skippable: bool = False


@dataclass(frozen=True, slots=True)
class ExternalNumber:
    """An external number, +E.164 or a short one, and the endpoint of its trunk. It begins to ring `after_s`
    seconds later.

    With `confirm` the person who answers has to press a key to get the call, and the others ring until then: so a network's
    voicemail takes no call. It is an external call of the `payer`, a user, or of the tenant where that is ''; the user needs
    the permission for it, unless the administrator has `permitted` it.
    """

    number: str
    trunk: str
    after_s: int = 0
    confirm: bool = False
    payer: str = ""
    permitted: bool = False


@dataclass(frozen=True, slots=True)
class Echo:
    """Play the prompt, then play the caller's speech back, until '#'."""

    prompt: str


@dataclass(frozen=True, slots=True)
class Say:
    """Play a sound that was made during the call, by its name."""

    sound: str


class Diverted(StrEnum):
    """The reason why a call is diverted to an external number. Source: RFC 5806, diversion reasons."""

    UNCONDITIONAL = "unconditional"
    BUSY = "user-busy"
    NO_ANSWER = "no-answer"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Diversion:
    """The tenant's number that was called first, and the reason why the call was diverted."""

    number: str
    reason: Diverted


@dataclass(frozen=True, slots=True)
class Dial:
    """Ring the endpoints and the external numbers together for `ring_s` seconds and connect the first that answers.

    External numbers see the number `shown`, or the caller's own where it is '', or none where it is `hidden`; the tenant's
    number `vouching` is the asserted identity of the call.
    """

    endpoints: tuple[str, ...]
    ring_s: int
    outside: tuple[ExternalNumber, ...] = ()
    shown: str = ""
    vouching: str = ""
    delays_s: tuple[int, ...] = ()   # ring delay of each endpoint; empty: all at once
    passed_on: bool = False          # phones that do not answer show no missed call: others are still to ring
    music: str = ""                  # the caller hears this music of the tenant's instead of the ringing tone
    hidden: bool = False
    diversion: Diversion | None = None     # of a call that is forwarded
    first_prompts: tuple[str, ...] = ()       # prompts that the answering party hears first
    own: bool = False                # this call may not be transferred


@dataclass(frozen=True, slots=True)
class Voicemail:
    """Record a message for the mailbox, after a beep."""

    mailbox: str


@dataclass(frozen=True, slots=True)
class CheckVoicemail:
    """Play the mailbox's messages to its owner."""

    mailbox: str


@dataclass(frozen=True, slots=True)
class Move:
    """Take over the conversation of another phone of the user, or of the `mobile`; `nothing` is played if there is none."""

    extension: str
    mobile: str
    nothing: str


@dataclass(frozen=True, slots=True)
class CallAs:
    """Continue as a call of this user: the number is dialled as from the user's phone."""

    extension: str
    number: str


@dataclass(frozen=True, slots=True)
class PickUp:
    """Take a call that rings at one of these endpoints, or, without any, in the channel's own pickup groups; `nothing` is
    played if none rings."""

    endpoints: tuple[str, ...]
    nothing: str


@dataclass(frozen=True, slots=True)
class Park:
    """Park the call in the first free one of the lot's `slots`, for `limit_s` seconds; `says_slot`: the phone hears which."""

    lot: str
    slots: tuple[str, ...]
    limit_s: int
    says_slot: bool


@dataclass(frozen=True, slots=True)
class Unpark:
    """Take the call that waits in a slot; `nothing` is played if there is none."""

    lot: str
    slot: str
    nothing: str


@dataclass(frozen=True, slots=True)
class SetCall:
    """Set the prefix of the caller's name, the `language` of the call and, while waiting, its `music`, one of the tenant's
    musics. An empty value changes nothing."""

    name_prefix: str = ""
    language: Language | Literal[""] = ""
    music: str = ""


@dataclass(frozen=True, slots=True)
class Conference:
    """Connect the caller to a conference room. `prompts` are the room's own, in the order of CONFERENCE_PROMPTS.

    A moderator may enter a full room. With `waits` the others wait for a moderator; with `ends` they leave with the last one.
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
    """An agent who may be rung once the caller has waited for `after_s` seconds. `delays_s` are of the endpoints."""

    extension: str
    endpoints: tuple[str, ...]
    after_s: int = 0
    delays_s: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Queue:
    """Wait in the line of a queue until one of the `agents` answers, `max_wait_s` have passed (0: no limit), or one of the
    `keys` is pressed. With `max_waiting` callers in the line (0: no limit) nobody can enter. `tiers` is the number of steps in
    which the agents are rung; `music` plays meanwhile; `language` is the language in which the caller's place is announced, ''
    for no announcement."""

    queue: str
    agents: tuple[Agent, ...]
    max_wait_s: int = 0
    max_waiting: int = 0
    keys: tuple[str, ...] = ()
    tiers: int = 1
    music: str = ""
    language: Language | Literal[""] = ""
    place: int = 0                   # the place at which the caller enters; 0: at the end


@dataclass(frozen=True, slots=True)
class CallBack:
    """Let the caller hang up and keep the `place` in the line. When it comes up, the agent who takes it hears `agent`, and the
    number rings for `ring_s` seconds. The caller hears `agreed`; the agent then hears
    `unanswered`, or `refused` if the outbound policy refuses the call."""

    queue: str
    place: int
    outside: ExternalNumber
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
