"""Questions: what a decision needs to know beyond its snapshot of facts. A question changes nothing. Pure.

The decision names the question with `Facts.answer`; the caller of the engine answers it and asks for the same decision again.
Each kind of question has its own kind of answer.
"""

from dataclasses import dataclass
from enum import StrEnum

from routing.numbering.value_types import Extension
from routing.speech.phrases import Language

MOST_UNDERSTOOD = 3     # names offered to a caller who has said a name
NOT_KNOWN = "?"


@dataclass(frozen=True, slots=True)
class UserLoad:
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
    """The last call to this user, answered or not. The answer: the caller's number as it was shown, '' if there was no call or
    no number, NOT_KNOWN where the live state cannot say."""

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
    MOBILE = "mobile"            # allows the user to dial from the mobile
    PERMISSIONS = "permissions"  # overrides the user's permissions for one call


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
    """Has any user of the tenant ever confirmed calls to this foreign country?"""

    country: str


@dataclass(frozen=True, slots=True)
class Understand:
    """The name that the caller has just said. Each user has the ways to say the name. The answer: the nearest, best first;
    empty where nothing was said, or none of the names."""

    names: tuple[tuple[Extension, tuple[str, ...]], ...]
    language: Language


LiveQuestion = Loads | LastCaller | Stopped | KnownCountry     # answered at once, from the live state
SlowQuestion = AskServer | Speak | Understand                  # takes longer than a decision may: the call waits meanwhile
Question = LiveQuestion | SlowQuestion | HasPin
