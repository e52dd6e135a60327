"""Talk time and number of calls of each user, counted once a call as its record is made; groups choose members by them. Also
notes each user's last caller."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo

import structlog
from redis.asyncio import Redis

from ami.cel import extension_of, taken_of
from store import last_callers
from store.last_callers import CallForUsers
from store.live import AWAY
from store.loads import Conversation, Conversations, LoadStore
from store.records import Call, Leg, Outcome

log = structlog.get_logger()

LIMIT_S = 1.0                # the records wait meanwhile
RETRY_S = 2.0
MOST_WAITING = 100_000       # calls kept while Redis is unavailable; beyond that the oldest are not counted
BATCH = 500


class LoadCounter:
    """`count` runs before a record is stored; `run` retries when Redis is available again. `zone_of`: a tenant's time zone."""

    def __init__(self, redis: Redis, zone_of: Callable[[str], tzinfo]) -> None:
        self._redis, self._loads, self._zone_of = redis, LoadStore(redis), zone_of
        self._waiting: list[tuple[Conversations, CallForUsers]] = []
        self._flushing = asyncio.Lock()

    async def count(
        self, records: Sequence[tuple[Call, Sequence[Leg]]], paid: Sequence[Mapping[str, str]],
    ) -> None:
        """Never fails, never takes long; the same call twice counts once. `paid`: for each call, the users who pay for its
        external legs, by uniqueid."""
        away = bool(self._waiting)
        self._waiting += [
            (conversations(call, legs, self._zone_of(call.tenant), by), called(call, legs))
            for (call, legs), by in zip(records, paid, strict=True)]
        if not away:
            await self._flush()

    async def run(self) -> None:
        """Never returns."""
        while True:
            await asyncio.sleep(RETRY_S)
            await self._flush()

    async def _flush(self) -> None:
        if self._flushing.locked():
            return
        async with self._flushing:
            await self._count_waiting()

    async def _count_waiting(self) -> None:
        while batch := self._waiting[:BATCH]:
            try:
                async with asyncio.timeout(LIMIT_S):
                    await self._loads.count([had for had, _ in batch])
                    await last_callers.note(self._redis, [to for _, to in batch])
            except AWAY as error:
                log.warning("redis away; what users talked is counted later", problem=str(error), calls=len(self._waiting))
                if (lost := len(self._waiting) - MOST_WAITING) > 0:
                    log.error("calls are never counted: redis is away too long", calls=lost)
                    del self._waiting[:lost]
                return
            del self._waiting[:len(batch)]


def called(call: Call, legs: Sequence[Leg]) -> CallForUsers:
    """The users whom a call was for: those whose phones rang, and those whom it reached otherwise. A call that Centralka makes,
    such as a wake-up call, begins with a Local channel and has neither a caller nor users."""
    if legs[0].channel.startswith("Local/"):
        return CallForUsers(call.tenant, "", call.started_at, frozenset())
    found = {extension_of(leg.endpoint, call.tenant) for leg in legs[1:]} | {entry.node for entry in call.path}
    found -= {extension_of(legs[0].endpoint, call.tenant)}
    return CallForUsers(call.tenant, call.caller, call.started_at, frozenset(each for each in found if each.isdecimal()))


def conversations(call: Call, legs: Sequence[Leg], zone: tzinfo, payers: Mapping[str, str]) -> Conversations:
    """The load that a call adds to the users who answered it, to the user who made it, and to those who pay for its external
    legs, `payers` by uniqueid."""
    had = []
    for leg in taken_of(legs):
        if leg.answered_at is not None:
            had.append(Conversation(extension_of(leg.endpoint, call.tenant), leg.answered_at, leg.ended_at))
    if call.outcome is Outcome.ANSWERED and call.answered_at is not None:
        had.append(Conversation(extension_of(legs[0].endpoint, call.tenant), call.answered_at, legs[0].ended_at))
    rung = frozenset(extension_of(leg.endpoint, call.tenant) for leg in legs[1:])
    outside: Counter[str] = Counter()
    for leg in legs:
        if leg.answered_at is not None and leg.uniqueid in payers:
            outside[payers[leg.uniqueid]] += round((leg.ended_at - leg.answered_at).total_seconds())
    return Conversations(
        call.tenant, call.linkedid, call.ended_at.astimezone(zone).date().isoformat(),
        tuple(each for each in had if each.extension.isdecimal()), frozenset(each for each in rung if each.isdecimal()),
        outside)
