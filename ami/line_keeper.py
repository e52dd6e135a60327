"""Leases of tenants' lines (store/lines.py): renewed while calls are in progress, freed when external legs end."""

import time
from collections.abc import Callable
from itertools import takewhile

from ami.legs_outside import LegsOutside
from ami.periodic_task import take_turns
from store.lines import RENEW_S, Lines

LOOK_S = 0.5


class LineKeeper:
    """Examines only tenants whose calls have changed and those whose leases are due for renewal."""

    def __init__(self, lines: Lines, legs: LegsOutside, clock: Callable[[], float] = time.monotonic) -> None:
        self._lines, self._legs, self._clock = lines, legs, clock
        self._told_at: dict[str, float] = {}         # by tenant, the oldest first

    async def run(self) -> None:
        """Never returns."""
        await take_turns(self.tell, every_s=LOOK_S, failed="lines of calls in progress are not renewed")

    async def tell(self) -> None:
        """Raises what store.live.AWAY lists; leases that were not renewed then are renewed at the next turn."""
        now, changed = self._clock(), self._legs.changed
        changed.update(takewhile(lambda tenant: now - self._told_at[tenant] >= RENEW_S, self._told_at))
        for tenant in [*changed]:
            changed.discard(tenant)              # later changes are reported at the next turn
            self._told_at.pop(tenant, None)
            if seen := self._legs.seen(tenant):
                try:
                    await self._lines.renew(tenant, seen)
                except BaseException:
                    changed.add(tenant)
                    raise
                self._told_at[tenant] = now
