"""Renews the places that calls in progress hold among their tenants' lines: store/lines.py."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping

import structlog

from store.lines import RENEW_S, Lines
from store.live import AWAY, LiveCall, stop_if_cancelled

log = structlog.get_logger()


class LineKeeper:
    """`calls`: those in progress, LiveCall as JSON by linkedid."""

    def __init__(self, lines: Lines, calls: Mapping[str, str]) -> None:
        self._lines, self._calls = lines, calls

    async def run(self) -> None:
        """Never returns."""
        while True:
            try:
                await self._lines.renew(by_tenant(self._calls))
            except AWAY as error:
                log.warning("redis away; lines of calls in progress are not renewed", problem=str(error))
            stop_if_cancelled()
            await asyncio.sleep(RENEW_S)


def by_tenant(calls: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for linkedid, text in list(calls.items()):
        call = LiveCall.from_json(linkedid, text)
        found[call.tenant] += [linkedid, *call.parts]
    return found
