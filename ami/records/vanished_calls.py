"""Calls in progress that Asterisk no longer has: their end was never read, because the CEL file was truncated or not written.

Each channel is queried by its uniqueid, with Getvar: unlike the list of CoreShowChannels, the response contains no text that
a caller chose (ami/view/live_view.py). Calls with recent events are not queried.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ami.client import AmiClient, AmiError
from ami.periodic_task import take_turns
from ami.records.follower import CelFollower

LOOK_S: Final = 1.0
AT_ONCE: Final = 20              # calls examined in one turn
QUIET_S: Final = 20.0            # without an event, before Asterisk is asked
CONFIRM_S: Final = 3.0           # the same while events are known to be missing, and before Asterisk is asked a second time
GAP_S: Final = 60.0              # calls are checked for so long after a gap in the CEL file


@dataclass(frozen=True, slots=True)
class _Look:
    """A call as it was when last examined."""

    events: int
    at: float
    is_gone: bool = False


class VanishedCalls:
    def __init__(self, ami: AmiClient, follower: CelFollower, clock: Callable[[], float] = time.monotonic) -> None:
        self._ami, self._follower, self._clock = ami, follower, clock
        self._looked: dict[str, _Look] = {}
        self._round: list[str] = []
        self._gaps, self._suspect_until = 0, 0.0

    async def run(self) -> None:
        """Never returns."""
        await take_turns(self.look, every_s=LOOK_S, failed="vanished_calls_not_known")

    async def look(self) -> None:
        """Raises AmiError."""
        if not self._ami.connected.is_set() or not self._follower.is_caught_up:
            return
        if self._follower.gaps != self._gaps:
            self._gaps, self._suspect_until = self._follower.gaps, self._clock() + GAP_S
        if not self._round:
            self._round = [*self._follower.pending]
            self._looked = {call: self._looked[call] for call in self._round if call in self._looked}
        batch, self._round = self._round[:AT_ONCE], self._round[AT_ONCE:]
        for call in batch:
            if call in self._follower.pending:
                await self._look_at(call)

    async def _look_at(self, call: str) -> None:
        now, events, before = self._clock(), len(self._follower.pending[call]), self._looked.get(call)
        if before is None or before.events != events:
            self._looked[call] = _Look(events, now)
            return
        quiet_s = CONFIRM_S if before.is_gone or now < self._suspect_until else QUIET_S
        if now - before.at < quiet_s:
            return
        is_gone = not await self._exists(call)
        if len(self._follower.pending.get(call, ())) != events:
            return                       # it went on meanwhile
        if is_gone and before.is_gone:
            await self._follower.interrupt(call)
        else:
            self._looked[call] = _Look(events, now, is_gone)

    async def _exists(self, call: str) -> bool:
        for uniqueid in sorted(self._follower.channels(call)):
            try:
                await self._ami.action("Getvar", Channel=uniqueid, Variable="UNIQUEID")
            except AmiError as error:
                if not str(error).endswith("No such channel"):
                    raise
            else:
                return True
        return False
