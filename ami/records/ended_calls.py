"""Ended calls: each is counted for its users in Redis, and its record is stored in the database exactly once.

Redis and the database may each be unavailable for a while; Redis adds no delay beyond LIMIT_S. A record that cannot be made or
that the database refuses is counted, and its events are kept (losses.py).
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from typing import TypeVar

import structlog
from redis.asyncio import Redis

from ami.records.calls import FAILOVER, EndedCall, assemble, extension_of, taken_of
from ami.records.events import line_of
from ami.records.lines import payers
from ami.records.losses import Losses
from services import metrics
from store import user_calls
from store.calls import CallStore
from store.database import is_away
from store.live import AWAY
from store.records import CallRecord, CelPosition, Leg, Outcome
from store.user_calls import CallForUsers, Conversation, Conversations, LoadStore

log = structlog.get_logger()

LIMIT_S = 1.0                # the records wait meanwhile
RETRY_S = 2.0
MOST_WAITING = 100_000       # calls kept while Redis is unavailable; beyond that the oldest are not counted
BATCH = 500
FIRST_DELAY_S, LONGEST_DELAY_S = 0.5, 30.0       # from one try of the database to the next

T = TypeVar("T")
Record = tuple[CallRecord, tuple[Leg, ...]]


class LoadCounter:
    """`count` runs before a record is stored; `run` retries when Redis is available again. `zone_of`: a tenant's time zone."""

    def __init__(self, redis: Redis, zone_of: Callable[[str], tzinfo]) -> None:
        self._redis, self._loads, self._zone_of = redis, LoadStore(redis), zone_of
        self._waiting: list[tuple[Conversations, CallForUsers]] = []
        self._flushing = asyncio.Lock()

    async def count(
        self, records: Sequence[tuple[CallRecord, Sequence[Leg]]], paid: Sequence[Mapping[str, str]],
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
                    await user_calls.note_callers(self._redis, [to for _, to in batch])
            except AWAY as error:
                log.warning("user_calls_counted_later", problem=str(error), calls=len(self._waiting))
                if (lost := len(self._waiting) - MOST_WAITING) > 0:
                    log.error("user_calls_not_counted", calls=lost)
                    del self._waiting[:lost]
                return
            del self._waiting[:len(batch)]


@dataclass(frozen=True, slots=True)
class WaitingRecord:
    """The record of an ended call that is not in the database yet. `paid`: the users who pay for its external legs, by
    uniqueid."""

    ended: EndedCall
    record: Record
    paid: Mapping[str, str]


class RecordWriter:
    """Makes the records of ended calls and stores them. `counter` gets each call before it is stored, and so some calls more
    than once. `problem` is why records are not stored now."""

    def __init__(self, store: CallStore, counter: LoadCounter, losses: Losses) -> None:
        self._store, self._counter, self._losses = store, counter, losses
        self._waiting: list[WaitingRecord] = []
        self.problem = ""
        metrics.RECORDS_WAITING.set_function(lambda: self.waiting)

    @property
    def waiting(self) -> int:
        """Records of ended calls that are not in the database yet."""
        return len(self._waiting)

    def take(self, ended: Iterable[EndedCall]) -> list[WaitingRecord]:
        """Makes the records of these calls, which wait for the database from now on."""
        new = [each for call in ended if (each := self._record_of(call)) is not None]
        self._waiting += new
        return new

    async def count(self, calls: Sequence[WaitingRecord]) -> None:
        await self._counter.count([call.record for call in calls], [call.paid for call in calls])
        for call, _ in (each.record for each in calls):
            metrics.CALLS_ENDED.labels(call.tenant, call.outcome.value).inc()
            if any(entry.node == FAILOVER[0] for entry in call.path):
                metrics.CALLS_FAILED_OVER.labels(call.tenant).inc()

    def report(self, ended: EndedCall, problem: str) -> None:
        """Counts a loss, and keeps the call's events."""
        self._losses.add([line_of(event) for event in ended.events], problem, call=ended.linkedid)

    async def position(self) -> CelPosition | None:
        """The position that was stored last. Waits for the database."""
        return await self._patiently(self._store.position, "read")

    async def save(self, position: CelPosition | None) -> None:
        """Stores the waiting records as soon as the database accepts them, and the position to resume from after a restart."""
        calls = [*self._waiting]
        beheaded = [call.ended.linkedid for call in calls if not call.ended.whole]
        kept = await self._patiently(partial(self._store.kept, beheaded), "read") if beheaded else frozenset()
        new = [call for call in calls if call.ended.linkedid not in kept]
        for call in new:
            if not call.ended.whole:
                self.report(call.ended, "its beginning was never read")
        await self.count([call for call in new if not call.ended.whole])
        try:
            await self._patiently(partial(self._store.save, [call.record for call in new], position), "write")
            metrics.RECORDS_WRITTEN.inc(len(new))
        except Exception:
            await self._save_one_by_one(new, position)
        del self._waiting[:len(calls)]

    async def _save_one_by_one(self, calls: Sequence[WaitingRecord], position: CelPosition | None) -> None:
        """One record that the database refuses must not stop the others."""
        for call in calls:
            try:
                await self._patiently(partial(self._store.save, [call.record], None), "write")
                metrics.RECORDS_WRITTEN.inc()
            except Exception as error:  # whatever it is: the next one is kept
                log.exception("call_record_refused", tenant=call.record[0].tenant, call=call.ended.linkedid)
                self._lose(call.ended, "refused", f"refused by the database: {error.__cause__ or error}")
        await self._patiently(partial(self._store.save, [], position), "write")

    def _record_of(self, ended: EndedCall) -> WaitingRecord | None:
        try:
            record = assemble(ended)
            if record is not None:
                return WaitingRecord(ended, record, payers(ended.events))
            log.info("call_without_tenant_skipped", call=ended.linkedid, channel=ended.events[0].channel)
        except Exception as error:  # one call that fails must not stop the others
            log.exception("call_record_failed", call=ended.linkedid)
            self._lose(ended, "failed", repr(error))
        return None

    def _lose(self, ended: EndedCall, reason: str, problem: str) -> None:
        metrics.RECORDS_LOST.labels(reason).inc()
        self.report(ended, problem)

    async def _patiently(self, work: Callable[[], Awaitable[T]], what: str) -> T:
        """Run it, with retries while the database is unavailable. Raises errors that the values cause."""
        delay_s = FIRST_DELAY_S
        while True:
            try:
                result = await work()
            except Exception as error:
                if not is_away(error):
                    raise
                problem = str(error.__cause__ or error) or type(error).__name__
                if problem != self.problem:
                    log.warning("database_away", what=what, problem=problem, waiting=self.waiting)
                self.problem = problem
                await asyncio.sleep(delay_s)
                delay_s = min(delay_s * 2, LONGEST_DELAY_S)
            else:
                if self.problem:
                    log.info("database_back", what=what)
                self.problem = ""
                return result


def called(call: CallRecord, legs: Sequence[Leg]) -> CallForUsers:
    """The users whom a call was for: those whose phones rang, and those whom it reached otherwise. A call that Centralka makes,
    such as a wake-up call, begins with a Local channel and has neither a caller nor users."""
    if legs[0].channel.startswith("Local/"):
        return CallForUsers(call.tenant, "", call.started_at, frozenset())
    found = {extension_of(leg.endpoint, call.tenant) for leg in legs[1:]} | {entry.node for entry in call.path}
    found -= {extension_of(legs[0].endpoint, call.tenant)}
    return CallForUsers(call.tenant, call.caller, call.started_at, frozenset(each for each in found if each.isdecimal()))


def conversations(call: CallRecord, legs: Sequence[Leg], zone: tzinfo, payers: Mapping[str, str]) -> Conversations:
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
