"""Renews the places that calls in progress hold among their tenants' lines: store/lines.py."""

from collections import defaultdict
from collections.abc import Mapping

from agi.turns import take_turns
from store.lines import RENEW_S, Lines
from store.live import LiveCall


class LineKeeper:
    """`calls`: those in progress, LiveCall as JSON by linkedid."""

    def __init__(self, lines: Lines, calls: Mapping[str, str]) -> None:
        self._lines, self._calls = lines, calls

    async def run(self) -> None:
        """Never returns."""
        await take_turns(self._renew, every_s=RENEW_S, failed="lines of calls in progress are not renewed")

    async def _renew(self) -> None:
        await self._lines.renew(by_tenant(self._calls))


def by_tenant(calls: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for linkedid, text in list(calls.items()):
        call = LiveCall.from_json(linkedid, text)
        found[call.tenant] += [linkedid, *call.parts]
    return found
