"""Follows the CEL file into the database: each ended call is kept exactly once, whenever this process is killed.

The calls that haven't ended are the calls in progress. One that is older than Asterisk's last boot was interrupted by it.

The position kept with the calls is that of the oldest call that hasn't ended. After a restart the events behind it are read
again; the calls among them that are kept already stay as they are.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from ami.cel import FAILOVER, CelError, CelEvent, EndedCall, PendingCalls, assemble, parse_event, start_of, tenant_of
from ami.cel_file import CelFile, Place
from ami.legs_outside import LegsOutside, payers
from ami.live_writer import LiveHash
from ami.load_counter import LoadCounter
from services import metrics
from store.calls import CallStore
from store.live import LiveCall
from store.records import Call, CelPosition, Leg

log = structlog.get_logger()

POLL_S = 0.25
# Asterisk tells its uptime in whole seconds; it takes no SIP request until it has booted, some tenths of a second later.
BOOT_SLACK = timedelta(seconds=1)
SAVE_EVERY = 1 << 20      # bytes read without an ended call, after which the position is kept all the same
FIRST_DELAY_S, LONGEST_DELAY_S = 0.5, 30.0
REMEMBERED = 10_000       # ended calls whose late events are known as such

T = TypeVar("T")
_AWAY = (OperationalError, InterfaceError, PoolTimeoutError, OSError, TimeoutError)


class CelFollower:
    """`run` never returns; everything that it needs may be away for a while.

    `calls` gets the calls in progress. `booted_at` tells when Asterisk booted; None while that isn't known. `counter` is told
    of each call before it is kept, and so of some calls more than once.
    """

    def __init__(
        self, file: CelFile, store: CallStore, calls: LiveHash, booted_at: Callable[[], datetime | None], counter: LoadCounter,
    ) -> None:
        self._file, self._store, self._calls, self._booted_at = file, store, calls, booted_at
        self._counter = counter
        self._pending = PendingCalls()
        self.legs = LegsOutside()                    # of the calls in progress
        self._began: dict[str, Place] = {}           # of each pending call that is whole, the oldest first
        self._ended: dict[str, None] = {}
        self._saved = Place(0, 0)
        metrics.CALLS_IN_PROGRESS.set_function(lambda: len(calls.values))

    async def run(self) -> None:
        await self.resume()
        while True:
            try:
                busy = await self.follow()
            except OSError as error:
                log.warning("the CEL file can't be read", file=str(self._file.path), problem=str(error))
                busy = False
            await asyncio.sleep(0 if busy else POLL_S)

    async def resume(self) -> None:
        """Go to where the process before this one was."""
        self._file.resume(await self._patiently(self._store.position, "read"))
        self._saved = self._file.place

    async def follow(self) -> bool:
        """Read what there is, up to one chunk, and keep the calls that ended in it. False when nothing was there."""
        lines = self._file.read()
        ended = [call for place, line in lines if (call := self._take(place, line)) is not None]
        if not lines and self._file.is_at_end:
            if not self._calls.begun:
                self._calls.rewrite()
            ended = self._interrupted()
        if ended or (lines and self._is_far()):
            await self._save(ended)
        return bool(lines)

    def _take(self, place: Place, line: bytes) -> EndedCall | None:
        try:
            event = parse_event(line)
        except CelError as error:
            metrics.CEL_LINES_REFUSED.inc()
            log.warning("line of the CEL file skipped", offset=place.offset, problem=str(error), line=line[:200])
            return None
        self._pending.place(event)
        if event.linkedid in self._ended:
            return None
        if joined := self._pending.join(event):
            self.legs.join(joined, event.linkedid)
            self._forget(joined)
        self.legs.take(event)
        if event.linkedid not in self._pending.events and _begins(event):
            self._began[event.linkedid] = place
        ended = self._pending.take(event)
        if ended is not None:
            self._forget(ended.linkedid)
        elif event.linkedid in self._began and event.kind in ("CHAN_START", "start"):
            live = _live_call(self._pending.events[event.linkedid])
            if live.tenant and event.linkedid not in self._calls.values:
                metrics.CALLS_STARTED.labels(live.tenant).inc()
            if live.tenant:        # who calls from a shared carrier has none until the number was found
                self._calls.put(event.linkedid, live.to_json())
        return ended

    def _forget(self, linkedid: str) -> None:
        self._began.pop(linkedid, None)
        self.legs.forget(linkedid)
        self._calls.put(linkedid, None)
        self._ended[linkedid] = None
        if len(self._ended) > REMEMBERED:
            del self._ended[next(iter(self._ended))]

    def _interrupted(self) -> list[EndedCall]:
        """The calls whose end Asterisk never wrote, because it stopped before."""
        booted_at = self._booted_at()
        if booted_at is None:
            return []
        lost = [linkedid for linkedid, events in self._pending.events.items() if events[0].at < booted_at - BOOT_SLACK]
        for linkedid in lost:
            self._forget(linkedid)
        return [self._pending.interrupt(linkedid) for linkedid in lost]

    def _resume_at(self) -> Place:
        return min(self._began.values(), default=self._file.place)

    def _is_far(self) -> bool:
        place = self._resume_at()
        return place.generation != self._saved.generation or place.offset - self._saved.offset >= SAVE_EVERY

    async def _save(self, ended: Sequence[EndedCall]) -> None:
        beheaded = [call.linkedid for call in ended if not call.whole]
        kept = await self._patiently(partial(self._store.kept, beheaded), "read") if beheaded else frozenset()
        records: list[tuple[Call, tuple[Leg, ...]]] = []
        paid: list[Mapping[str, str]] = []
        for call in ended:
            if call.linkedid in kept:
                continue
            record = assemble(call)
            if record is None:
                log.info("call of no tenant isn't kept", call=call.linkedid, channel=call.events[0].channel)
            else:
                records.append(record)
                paid.append(payers(call.events))
        place = self._resume_at()
        position = self._file.position(place)
        if position is None:
            return
        await self._counter.count(records, paid)
        _count_ended(call for call, _ in records)
        metrics.RECORDS_WAITING.set(len(records))
        try:
            await self._patiently(partial(self._store.save, records, position), "write")
            metrics.RECORDS_WRITTEN.inc(len(records))
        except SQLAlchemyError:
            await self._save_one_by_one(records, position)
        metrics.RECORDS_WAITING.set(0)
        self._saved = place
        self._file.forget_before(place)

    async def _save_one_by_one(self, records: Sequence[tuple[Call, tuple[Leg, ...]]], position: CelPosition) -> None:
        """One record that the database refuses must not stop the others."""
        for record in records:
            try:
                await self._patiently(partial(self._store.save, [record], None), "write")
                metrics.RECORDS_WRITTEN.inc()
            except SQLAlchemyError as error:
                metrics.RECORDS_LOST.labels("refused").inc()
                log.error("call record refused by the database", tenant=record[0].tenant, call=record[0].linkedid,
                          problem=str(error.__cause__ or error), record=repr(record))
        await self._patiently(partial(self._store.save, [], position), "write")

    async def _patiently(self, work: Callable[[], Awaitable[T]], what: str) -> T:
        """Do it, again and again while the database is away."""
        delay_s, away = FIRST_DELAY_S, False
        while True:
            try:
                result = await work()
            except _AWAY as error:
                if not away:
                    log.warning("database away; call records wait in the CEL file", what=what,
                                problem=str(error.__cause__ or error))
                away = True
                await asyncio.sleep(delay_s)
                delay_s = min(delay_s * 2, LONGEST_DELAY_S)
            else:
                if away:
                    log.info("database back", what=what)
                return result


def _count_ended(calls: Iterable[Call]) -> None:
    for call in calls:
        metrics.CALLS_ENDED.labels(call.tenant, call.outcome.value).inc()
        if any(entry.node == FAILOVER[0] for entry in call.path):
            metrics.CALLS_FAILED_OVER.labels(call.tenant).inc()


def _begins(event: CelEvent) -> bool:
    """Events of a call whose beginning is missing don't hold the position back: they may be the last rest of one."""
    return event.kind == "CHAN_START"


def _live_call(events: Sequence[CelEvent]) -> LiveCall:
    start = start_of(events)
    return LiveCall(events[0].linkedid, tenant_of(events), start.caller, start.dialled, events[0].at)
