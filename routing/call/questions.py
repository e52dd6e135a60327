"""Questions: what a decision must know that its snapshot of facts does not hold. A question changes nothing. Pure.

The decision names the question by `Facts.answer`; the caller of the engine answers it and asks for the same decision again.
Each kind of question has its own kind of answer.
"""

from dataclasses import dataclass
from enum import StrEnum

from routing.numbering.value_types import Extension
from routing.speech.phrases import Language

MOST_UNDERSTOOD = 3     # names that are offered to a caller who has said one
NOT_KNOWN = "?"


@dataclass(frozen=True, slots=True)
class Load:
    """A user's conversations, taken or made. `ended_at` is when the last one ended, as a Unix time in seconds; 0: never."""

    calls: int = 0           # today, in the tenant's time zone
    talk_s: int = 0          # today
    ended_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Loads:
    """The conversations of these users on this day. The answer: a Load for each."""

    extensions: tuple[Extension, ...]
    day: str                     # 2026-11-23, in the tenant's time zone


@dataclass(frozen=True, slots=True)
class LastCaller:
    """The last call to this user, whether or not it was taken. The answer: the number as its caller showed it, '' where nobody
    has called or none was shown, NOT_KNOWN where nobody can say."""

    extension: Extension


@dataclass(frozen=True, slots=True)
class AskServer:
    """The answer of the tenant's call server of this name. `keys` is what the caller typed last."""

    server: str
    keys: str


@dataclass(frozen=True, slots=True)
class Speak:
    """The sound of this text. The answer: its name for Say, '' when it could not be made."""

    text: str
    language: Language


class PinOf(StrEnum):
    MOBILE = "mobile"            # lets a user dial from the mobile
    PERMISSIONS = "permissions"  # steps over what the user is not permitted


@dataclass(frozen=True, slots=True)
class HasPin:
    """Does the user have such a PIN?"""

    extension: Extension
    of: PinOf


@dataclass(frozen=True, slots=True)
class Stopped:
    """Are all outgoing calls of the tenant stopped?"""


@dataclass(frozen=True, slots=True)
class KnownCountry:
    """Has any user of the tenant ever confirmed a call to this foreign country?"""

    country: str


@dataclass(frozen=True, slots=True)
class Understand:
    """The name that the caller said a moment ago. Each user with the ways to say the name. The answer: the nearest, best first;
    none where nothing was said, or something else."""

    names: tuple[tuple[Extension, tuple[str, ...]], ...]
    language: Language


LiveQuestion = Loads | LastCaller | Stopped | KnownCountry     # answered at once, from the live state
SlowQuestion = AskServer | Speak | Understand                  # takes longer than a decision may: the call waits meanwhile
Question = LiveQuestion | SlowQuestion | HasPin
