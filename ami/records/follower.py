"""Call records from the CEL file to the database: each ended call is stored exactly once, whenever this process is killed.

Calls that have not ended are the calls in progress. A call that began before Asterisk's last boot was interrupted by it.

The position stored with the calls is the first event of the oldest call that has not ended. After a restart the events from
there on are read again; calls that are already stored do not change.

A line, event or call that fails is counted, its lines are kept (losses.py), and reading goes on. While the database is
unavailable, reading goes on too, up to MOST_UNSAVED calls, so that the lines of ended calls become free.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NoReturn

import structlog

from ami.records.calls import EndedCall, PendingCalls, start_of, tenant_of
from ami.records.cel_file import CHUNK, CelFile, Place
from ami.records.ended_calls import LONGEST_DELAY_S, RecordWriter
from ami.records.events import CelError, CelEvent, MissingEvents, events_in, line_of, parse_event
from ami.records.lines import LegsOutside
from ami.records.losses import Losses
from services import metrics
from store.live import LiveCall, LiveHash

log = structlog.get_logger()

POLL_S = 0.25
# Asterisk reports its uptime in whole seconds; it accepts no SIP request until it has booted, some tenths of a second later.
BOOT_SLACK = timedelta(seconds=1)
SAVE_EVERY = 1 << 20      # bytes read without an ended call, after which the position is stored anyway
REMEMBERED = 10_000       # ended calls whose late events are known as such
MOST_UNSAVED = 5_000      # ended calls that wait for the database in memory; all others wait in the CEL file


class CelFollower:
    """`run` never returns; Asterisk, Redis and the database may each be unavailable for a while.

    `calls` gets the calls in progress. `booted_at` returns the time of Asterisk's boot; None while it is unknown.
    """

    def __init__(
        self, file: CelFile, writer: RecordWriter, calls: LiveHash, booted_at: Callable[[], datetime | None], losses: Losses,
    ) -> None:
        self._file, self._writer, self._calls, self._booted_at, self._losses = file, writer, calls, booted_at, losses
        self._pending = PendingCalls()
        self.legs = LegsOutside()                    # of the calls in progress
        self.is_caught_up = False                    # the last look read to the end of the file
        self.missed, self.missed_at = 0, ""          # number of events from AMI that the file lacks; time of the last
        self._missing = MissingEvents()
        self._refused = 0
        self._began: dict[str, Place] = {}           # of each pending call whose beginning was read, the oldest first
        self._ended: dict[str, None] = {}
        self._to_save = asyncio.Event()
        self._boot: datetime | None = None           # the last boot that pending calls were compared with
        self._saved = Place(0, 0)
        metrics.CALLS_IN_PROGRESS.set_function(lambda: len(calls.values))

    async def run(self) -> NoReturn:
        await self.resume()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read_on(), name="events of calls")
            tasks.create_task(self._save_on(), name="records to the database")
        raise AssertionError("both tasks run for ever")

    @property
    def waiting(self) -> int:
        """Records of ended calls that are not in the database yet."""
        return self._writer.waiting

    @property
    def problem(self) -> str:
        """The reason why records are not stored now; '' for none."""
        return self._writer.problem

    @property
    def pending(self) -> Mapping[str, Sequence[CelEvent]]:
        """The events of each call that has not ended, by linkedid."""
        return self._pending.events

    def channels(self, linkedid: str) -> frozenset[str]:
        """The channels of a pending call of which no hang-up was read, by uniqueid."""
        return self._pending.channels(linkedid)

    @property
    def gaps(self) -> int:
        """The number of times that events may have been lost: unusable lines, and truncations of the file."""
        return self._refused + self._file.cuts

    def note_from_ami(self, event: CelEvent) -> None:
        """Note an event from AMI: it is used if the file turns out to lack it."""
        self._missing.note(event, time.monotonic())

    async def interrupt(self, linkedid: str) -> None:
        """Ends a pending call whose end will never be read."""
        ended = self._interrupt(linkedid)
        if ended.whole:
            self._writer.report(ended, "its end was never read")
        await self._finish([ended])

    async def _read_on(self) -> NoReturn:
        reported = ""
        while True:
            busy = False
            try:
                if self._writer.waiting < MOST_UNSAVED:
                    busy = await self.read()
                reported = ""
            except OSError as error:
                if str(error) != reported:
                    log.warning("cel_file_not_readable", file=str(self._file.path), problem=str(error))
                reported = str(error)
            except Exception:  # the outermost loop: the next events are read all the same
                log.exception("cel_reading_failed")
            await asyncio.sleep(0 if busy else POLL_S)

    async def _save_on(self) -> NoReturn:
        while True:
            await self._to_save.wait()
            try:
                await self.save()
            except Exception as error:  # the outermost loop: nothing is forgotten before it is saved
                log.exception("call_records_not_saved")
                self._writer.problem = str(error) or type(error).__name__
                await asyncio.sleep(LONGEST_DELAY_S)

    async def resume(self) -> None:
        """Go to the position where the previous process stopped."""
        self._file.resume(await self._writer.position())
        self._saved = self._file.place

    async def follow(self) -> bool:
        """Read the new lines, up to one chunk, and store the calls that ended in them. False if there are no new lines."""
        busy = await self.read()
        await self.save()
        return busy

    async def read(self) -> bool:
        """Reads the new lines, up to one chunk. False if there are none."""
        lines = self._file.read()
        self.is_caught_up = sum(len(line) for _, line in lines) < CHUNK // 2
        ended = [call for place, line in lines for call in self._take(place, line)]
        if self.is_caught_up:
            missing = self._missing.overdue(time.monotonic())
            ended += [call for each in missing if (call := self._take_missing(self._file.place, each))]
        if not lines and self._file.is_at_end:
            if not self._calls.begun:
                self._calls.rewrite()
            ended += self._interrupted()
        if lines and self._is_far():
            self._to_save.set()
        await self._finish(ended)
        return bool(lines)

    async def _finish(self, ended: Sequence[EndedCall]) -> None:
        """Makes the records of ended calls, and frees the lines that these calls hold."""
        if new := self._writer.take(ended):
            self._to_save.set()
            await self._writer.count([each for each in new if each.ended.whole])

    def _take(self, place: Place, line: bytes) -> list[EndedCall]:
        """The calls that end with this line: one event, unless the disk was full."""
        ended = []
        for part in self._parts_of(line):
            try:
                event = parse_event(part)
                ended += [call for each in self._missing.before(event) if (call := self._take_missing(place, each))]
                call = self._take_event(place, event)
            except CelError as error:
                self._refuse(place, part, str(error))
            except Exception as error:  # one event that fails must not stop those of other calls
                log.exception("cel_event_failed", offset=place.offset)
                self._refuse(place, part, repr(error))
            else:
                ended += [call] if call else []
        return ended

    def _take_missing(self, place: Place, event: CelEvent) -> EndedCall | None:
        self.missed, self.missed_at = self.missed + 1, f"{datetime.now(UTC):%F %H:%M:%S} UTC"
        metrics.CEL_EVENTS_MISSED.inc()
        log.warning("cel_event_missing_in_file", tenant=event.tenant, call=event.linkedid, kind=event.kind, taken_from="AMI")
        try:
            return self._take_event(place, event)
        except Exception as error:  # one event that fails must not stop those of other calls
            log.exception("cel_event_failed", call=event.linkedid)
            self._refuse(place, line_of(event), repr(error))
        return None

    def _refuse(self, place: Place, line: bytes, problem: str) -> None:
        metrics.CEL_LINES_REFUSED.inc()
        self._refused += 1
        self._losses.add([line], f"offset {place.offset}: {problem}")

    def _parts_of(self, line: bytes) -> list[bytes]:
        try:
            parse_event(line)
        except CelError:
            return events_in(line)
        return [line]

    def _take_event(self, place: Place, event: CelEvent) -> EndedCall | None:
        self._pending.place(event)
        if event.linkedid in self._ended:
            return None
        if joined := self._pending.join(event):
            self.legs.join(joined, event.linkedid)
            self._forget(joined)
        self.legs.take(event)
        if self._boot and event.at < self._boot - BOOT_SLACK:
            self._boot = None              # read after the boot was known, written before it
        if event.linkedid not in self._pending.events and _begins(event):
            self._began[event.linkedid] = place
        ended = self._pending.take(event)
        if ended is not None:
            self._forget(ended.linkedid)
        elif event.linkedid in self._began and event.kind in ("CHAN_START", "start"):
            live = _live_call(self._pending.events[event.linkedid])
            if live.tenant and event.linkedid not in self._calls.values:
                metrics.CALLS_STARTED.labels(live.tenant).inc()
            if live.tenant:        # a caller from a shared carrier has none until the number is looked up
                self._calls.put(event.linkedid, live.to_json())
                self.legs.begin(event.linkedid, live.tenant)
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
        if booted_at is None or booted_at == self._boot:
            return []
        self._boot = booted_at
        lost = [linkedid for linkedid, events in self._pending.events.items() if events[0].at < booted_at - BOOT_SLACK]
        return [self._interrupt(linkedid) for linkedid in lost]

    def _interrupt(self, linkedid: str) -> EndedCall:
        self._forget(linkedid)
        return self._pending.interrupt(linkedid)

    def _resume_at(self) -> Place:
        while self._began:
            linkedid, place = next(iter(self._began.items()))
            if self._file.holds(place):
                return place
            del self._began[linkedid]      # the events read so far cannot be read again
        return self._file.place

    def _is_far(self) -> bool:
        place = self._resume_at()
        return place.generation != self._saved.generation or place.offset - self._saved.offset >= SAVE_EVERY

    async def save(self) -> None:
        """Stores ended calls as soon as the database accepts them, and the position to resume from after a restart."""
        self._to_save.clear()
        place = self._resume_at()
        if not self._writer.waiting and not self._is_far():
            return
        await self._writer.save(self._file.position(place))
        self._saved = place
        self._file.forget_before(place)



def _begins(event: CelEvent) -> bool:
    """Events of a call whose beginning is missing don't hold the position back: they may be all that is left of it."""
    return event.kind == "CHAN_START"


def _live_call(events: Sequence[CelEvent]) -> LiveCall:
    start = start_of(events)
    return LiveCall(events[0].linkedid, tenant_of(events), start.caller, start.dialled, events[0].at)
