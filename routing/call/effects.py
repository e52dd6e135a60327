"""Effects: what a decision changes in the live state. Pure.

The decision names the effect by `Facts.perform`; the caller of the engine performs it and asks for the same decision again,
with the result. An effect that is named again for the same decision counts once.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from routing.call.admission import Caps
from routing.call.changes import Setting
from routing.call.questions import PinOf
from routing.numbering.value_types import Did, Extension

CHANGED, NOT_CHANGED = 0, -1
PAUSES, GOES_ON = 1, 0


@dataclass(frozen=True, slots=True)
class Turn:
    """Count one more call of this group. The result: how many came before it, 0, 1, 2, ..."""

    group: str


@dataclass(frozen=True, slots=True)
class Offer:
    """Offer the call to one of these users and numbers: the first to whom no other call is being offered, or the one with the
    fewest such calls. It counts as offered to that one for `for_s` seconds, and to `before`, who had it, no more. The result: a
    place in `order`."""

    order: tuple[Extension | Did, ...]
    for_s: int
    before: Extension | Did = ""


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Offer the call no longer to the user or number that has it. The result: True, False where nobody can tell."""

    holder: Extension | Did


@dataclass(frozen=True, slots=True)
class Flip:
    """Move the switch to the position after the one where it stands. The result: the new position's place among `positions`, or
    NOT_CHANGED."""

    switch: str
    positions: tuple[str, ...]
    initial: str                     # where it stands before anybody touches it

    def after(self, found: str | None) -> int:
        """The place after the position that live state says."""
        standing = found if found in self.positions else self.initial
        return (self.positions.index(standing) + 1) % len(self.positions)


@dataclass(frozen=True, slots=True)
class PutSwitch:
    """Move the switch to this position. The result: CHANGED, or NOT_CHANGED."""

    switch: str
    position: str


@dataclass(frozen=True, slots=True)
class ChangeSetting:
    """Change what the user has set. The result: CHANGED, or NOT_CHANGED."""

    extension: Extension
    setting: Setting


@dataclass(frozen=True, slots=True)
class FlipPause:
    """Begin the user's pause, everywhere, or end it wherever it is. The result: PAUSES, GOES_ON or NOT_CHANGED."""

    extension: Extension


class PinIs(Enum):
    RIGHT = "right"
    WRONG = "wrong"
    LOCKED = "locked"            # too many wrong ones in the last hour, whatever this one is; or nobody can tell


@dataclass(frozen=True, slots=True)
class CheckPin:
    """Try this as the user's PIN. It counts as a try, over all calls, until a right one. The result: a PinIs."""

    extension: Extension
    keys: str = field(repr=False)
    of: PinOf = PinOf.MOBILE


@dataclass(frozen=True, slots=True)
class TryRoomPin:
    """Try a PIN of this conference room. A wrong one counts from now on, over all calls; those of the tenant's own phones,
    `inside`, and all others are counted apart, so that no stranger keeps colleagues out. The result: False where too many were
    wrong, and then no PIN opens the room."""

    room: str
    inside: bool
    right: bool


@dataclass(frozen=True, slots=True)
class Admit:
    """Take a line for one more call with an external number. It counts from now on, until it is over. `anyway`: nothing refuses
    it. An outgoing call is that of the user with this extension, or of nobody, to this `number`, which begins to ring `after_s`
    seconds later; what the same channel has called before is over. The result: the Limit that refuses it, or Limit.NONE."""

    limits: Caps
    day: str                         # 2026-11-23, in the tenant's time zone
    extension: Extension | Literal[""] = ""
    outgoing: bool = False
    anyway: bool = False
    number: str = ""
    after_s: int = 0


@dataclass(frozen=True, slots=True)
class ConfirmCountry:
    """Remember that calls to this foreign country are meant. The result: False where it cannot be remembered now."""

    country: str


LiveEffect = Turn | Offer | Withdraw | Flip | PutSwitch | ChangeSetting | FlipPause | TryRoomPin | Admit | ConfirmCountry
Effect = LiveEffect | CheckPin
