"""What a node must know that no snapshot holds: a turn to take, a service to ask. The engine names the question, the caller of
the engine answers it and asks for the same decision again. Each kind of question has its own kind of answer. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Literal

from routing.call.admission import Caps, Limit
from routing.call.call_server import Failed, Reply
from routing.call.changes import Setting
from routing.numbering.value_types import Did, Extension
from routing.speech.phrases import Language


@dataclass(frozen=True, slots=True)
class Load:
    """A user's conversations, taken or made. `ended_at` is when the last one ended, as a Unix time in seconds; 0: never."""

    calls: int = 0           # today, in the tenant's time zone
    talk_s: int = 0          # today
    ended_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Turn:
    """How often has a call come to this group before? Each question counts one. The answer: 0, 1, 2, ..."""

    group: str


@dataclass(frozen=True, slots=True)
class Flip:
    """To which position does the switch move, the next after the one where it stands? The answer: its place among
    `positions`, or NOT_CHANGED. Asked again for the same decision, it moves no further."""

    switch: str
    positions: tuple[str, ...]
    initial: str                     # where it stands before anybody touches it

    def after(self, found: str | None) -> int:
        """The place after the position that live state says."""
        standing = found if found in self.positions else self.initial
        return (self.positions.index(standing) + 1) % len(self.positions)


@dataclass(frozen=True, slots=True)
class Loads:
    """How much did these users talk on this day, and when last? The answer: a Load for each."""

    extensions: tuple[Extension, ...]
    day: str                     # 2026-11-23, in the tenant's time zone


@dataclass(frozen=True, slots=True)
class Offer:
    """Who of these users and numbers is offered the call? The first whom no other call is being offered to, or the one with the
    fewest such calls; from now on it counts as offered to that one for `for_s` seconds, and to `before`, who had it, no more.
    The answer: a place in `order`; 0 where nobody is to have it."""

    order: tuple[Extension | Did, ...]
    for_s: int
    before: Extension | Did = ""


@dataclass(frozen=True, slots=True)
class ChangeSetting:
    """Change what the user has set. The answer: CHANGED, or NOT_CHANGED. Asked again, it changes nothing more."""

    extension: Extension
    setting: Setting


@dataclass(frozen=True, slots=True)
class FlipPause:
    """Begin the user's pause, everywhere, or end it wherever it is. The answer: PAUSES, GOES_ON or NOT_CHANGED. Asked again
    for the same decision, it changes nothing more."""

    extension: Extension


@dataclass(frozen=True, slots=True)
class PutSwitch:
    """Move the switch to this position. The answer: CHANGED, or NOT_CHANGED."""

    switch: str
    position: str


@dataclass(frozen=True, slots=True)
class LastCaller:
    """Who called this user last, whether or not the call was taken? The answer: a number as that caller showed it, '' where
    nobody has called or none was shown, NOT_KNOWN where nobody can say."""

    extension: Extension


@dataclass(frozen=True, slots=True)
class AskServer:
    """What does the tenant's call server of this name say to the call? `keys` is what its caller typed last."""

    server: str
    keys: str


@dataclass(frozen=True, slots=True)
class Speak:
    """Which sound says this text? The answer is a sound's name for Say, '' when it could not be made."""

    text: str
    language: Language


class PinOf(StrEnum):
    MOBILE = "mobile"            # lets a user dial from the mobile
    PERMISSIONS = "permissions"  # steps over what the user is not permitted


class PinIs(Enum):
    RIGHT = "right"
    WRONG = "wrong"
    LOCKED = "locked"            # too many wrong ones of late, whatever this one is; or nobody can tell


@dataclass(frozen=True, slots=True)
class CheckPin:
    """Is this the user's PIN? Each question counts as a try, over all calls, until a right one."""

    extension: Extension
    keys: str = field(repr=False)
    of: PinOf = PinOf.MOBILE


@dataclass(frozen=True, slots=True)
class HasPin:
    """Is there such a PIN for the user?"""

    extension: Extension
    of: PinOf


@dataclass(frozen=True, slots=True)
class TryRoomPin:
    """May a PIN of this conference room be tried? A wrong one counts from now on, over all calls; those of the tenant's own
    phones, `inside`, and all others are counted apart, so that nobody outside keeps colleagues out."""

    room: str
    inside: bool
    right: bool


@dataclass(frozen=True, slots=True)
class Admit:
    """May one more call with the outside be, and which limit refuses it? From now on it counts, until it is over. `anyway`: it
    counts, and nothing refuses it. An outgoing call is that of the user with this extension, or of nobody, to this `number`,
    which begins to ring `after_s` seconds later; what the same channel has called before is over."""

    limits: Caps
    day: str                         # 2026-11-23, in the tenant's time zone
    extension: Extension | Literal[""] = ""
    outgoing: bool = False
    anyway: bool = False
    number: str = ""
    after_s: int = 0


@dataclass(frozen=True, slots=True)
class Stopped:
    """Are all calls of the tenant's to the outside stopped?"""


@dataclass(frozen=True, slots=True)
class KnownCountry:
    """Has anybody of the tenant ever confirmed a call to this foreign country? Once `confirmed`, somebody has."""

    country: str
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Understand:
    """Whose name did the caller say a moment ago? Each user with the ways to say the name. The answer: the nearest, best first;
    none where nothing was said, or something else."""

    names: tuple[tuple[Extension, tuple[str, ...]], ...]
    language: Language


MOST_UNDERSTOOD = 3     # names that are offered to whoever said one
CHANGED, NOT_CHANGED = 0, -1
PAUSES, GOES_ON = 1, 0
NOT_KNOWN = "?"
# Answered at once, of the live state.
LiveQuestion = (
    Turn | Loads | Offer | Flip | FlipPause | ChangeSetting | PutSwitch | LastCaller | Admit | Stopped | KnownCountry
    | TryRoomPin)
SlowQuestion = AskServer | Speak | Understand   # takes longer than a decision may: the call is told to wait
Question = LiveQuestion | SlowQuestion | CheckPin | HasPin
Answer = int | tuple[Load, ...] | tuple[Extension, ...] | Reply | Failed | str | PinIs | Limit
Answers = Mapping[Question, Answer]


class Unanswered(Exception):
    """A question that the facts do not answer yet."""

    def __init__(self, question: Question) -> None:
        super().__init__(f"nobody has answered {question}")
        self.question = question
