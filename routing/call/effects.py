"""Effects: what a decision changes in the live state. Pure.

The decision names the effect with `Facts.perform`; the caller of the engine performs it and asks for the same decision again,
with the result. An effect named again for the same decision counts once.
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
    """Count one more call of this group. The result: the number of calls before it, 0, 1, 2, ..."""

    group: str


@dataclass(frozen=True, slots=True)
class Offer:
    """Offer the call to one of these users and numbers: the first one without another current offer, or else the one with the
    fewest. The offer counts for `for_s` seconds; the offer to `before`, the previous holder, no longer counts. The result: an
    index into `order`."""

    order: tuple[Extension | Did, ...]
    for_s: int
    before: Extension | Did = ""


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Withdraw the call's current offer. The result: True, or False where the live state cannot say."""

    holder: Extension | Did


@dataclass(frozen=True, slots=True)
class Flip:
    """Move the switch to its next position. The result: the index of the new position in `positions`, or
    NOT_CHANGED."""

    switch: str
    positions: tuple[str, ...]
    initial: str                     # the position before the first change

    def after(self, found: str | None) -> int:
        """The index after the position that the live state holds."""
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
    """Begin the user's pause in all groups and queues, or end every pause. The result: PAUSES, GOES_ON or NOT_CHANGED."""

    extension: Extension


class PinIs(Enum):
    RIGHT = "right"
    WRONG = "wrong"
    LOCKED = "locked"            # too many wrong PINs in the last hour, whatever this one is; or unknown


@dataclass(frozen=True, slots=True)
class CheckPin:
    """Check this PIN of the user. It counts as an attempt, over all calls, until a right one. The result: a PinIs."""

    extension: Extension
    keys: str = field(repr=False)
    of: PinOf = PinOf.MOBILE


@dataclass(frozen=True, slots=True)
class TryRoomPin:
    """Try a PIN of this conference room. A wrong one counts from now on, over all calls. Attempts from the tenant's own phones,
    `inside`, are counted apart from all others, so that no stranger locks colleagues out. The result: False after too many
    wrong PINs, and then no PIN opens the room."""

    room: str
    inside: bool
    right: bool


@dataclass(frozen=True, slots=True)
class Admit:
    """Take a line for one more external call. It counts from now on, until the call ends. `anyway`: no limit refuses
    it. An outgoing call belongs to the user with this extension, or to nobody; it goes to this `number`, which begins to ring
    `after_s` seconds later; earlier calls of the same channel are over. The result: the Limit that refuses it, or NONE."""

    limits: Caps
    day: str                         # 2026-11-23, in the tenant's time zone
    extension: Extension | Literal[""] = ""
    outgoing: bool = False
    anyway: bool = False
    number: str = ""
    after_s: int = 0


@dataclass(frozen=True, slots=True)
class ConfirmCountry:
    """Store the confirmation of calls to this foreign country. The result: False where it cannot be stored now."""

    country: str


LiveEffect = Turn | Offer | Withdraw | Flip | PutSwitch | ChangeSetting | FlipPause | TryRoomPin | Admit | ConfirmCountry
Effect = LiveEffect | CheckPin
