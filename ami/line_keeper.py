"""Renews the places that calls in progress hold among their tenants' lines, and gives back those of legs outside that are over:
store/lines.py."""

import time
from collections import defaultdict
from collections.abc import Mapping

from ami.legs_outside import LegsOutside
from ami.periodic_task import take_turns
from store.lines import RENEW_S, Lines, Seen
from store.live import LiveCall

LOOK_S = 0.5


class LineKeeper:
    """`calls`: those in progress, LiveCall as JSON by linkedid."""

    def __init__(self, lines: Lines, calls: Mapping[str, str], legs: LegsOutside) -> None:
        self._lines, self._calls, self._legs = lines, calls, legs
        self._told: dict[str, tuple[Seen, float]] = {}

    async def run(self) -> None:
        """Never returns."""
        await take_turns(self.tell, every_s=LOOK_S, failed="lines of calls in progress are not renewed")

    async def tell(self) -> None:
        """Of each tenant whose calls have changed, or whose leases want renewing."""
        seen, now = seen_by_tenant(self._calls, self._legs), time.monotonic()
        for tenant, its in seen.items():
            before, at = self._told.get(tenant, (None, 0.0))
            if its != before or now - at >= RENEW_S:
                await self._lines.renew(tenant, its)
                self._told[tenant] = its, now
        self._told = {tenant: told for tenant, told in self._told.items() if tenant in seen}


def seen_by_tenant(calls: Mapping[str, str], legs: LegsOutside) -> dict[str, Seen]:
    found: dict[str, list[str]] = defaultdict(list)
    for linkedid, text in list(calls.items()):
        found[LiveCall.from_json(linkedid, text).tenant].append(linkedid)
    return legs.seen({tenant: sorted(up) for tenant, up in found.items()})
