"""Periodic fetches of calendars that have a URL, for the decisions of all processes. A calendar that cannot be fetched keeps
its last events.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import httpx
import structlog
from redis.asyncio import Redis

from ami.periodic_task import take_turns
from routing.hours.calendars import CalendarEvent
from services.own_network import AddressRefused
from services.published_tenants import PublishedTenants, values_of
from services.resolver import HostUnknown
from services.web_request import Reach, TooLarge, asked, body_of, is_of_tls
from store import calendars
from store.calendars import CalendarFetch

log = structlog.get_logger()

LOOK_S: Final = 5.0              # interval of the check for new URLs and for those that are due
EVERY_S: Final = 900.0
AGAIN_S: Final = 60.0            # after a failure
LIMIT_S: Final = 15.0            # for one calendar
MAX_BYTES: Final = 1_000_000
AT_ONCE: Final = 4

ReadCalendar = Callable[[bytes, str, float], Awaitable[tuple[CalendarEvent, ...]]]
"""Parse a calendar: its text, the time zone and the time limit in seconds. Raises ValueError and TimeoutError."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A published tenant's calendar that has a URL."""

    field: str                   # '<tenant>/<calendar>'
    url: str
    zone: str


class CalendarAddresses:
    """`wanted` returns the calendars of the published tenants; `read` parses a calendar's text."""

    def __init__(self, redis: Redis, reach: Reach, wanted: Callable[[], tuple[Wanted, ...]], read: ReadCalendar) -> None:
        self._redis, self._reach, self._wanted, self._read = redis, reach, wanted, read

    async def run(self) -> None:
        """Never returns."""
        await take_turns(lambda: self.fetch_due(time.time()), every_s=LOOK_S, failed="calendars_not_fetched")

    async def fetch_due(self, now: float) -> None:
        """Fetches calendars that are new, have a new URL or are due, and forgets those that were removed.
        Raises what `AWAY` lists, and ValueError for an entry in Redis that Centralka did not write."""
        wanted = {each.field: each for each in await asyncio.to_thread(self._wanted)}
        known = await calendars.addresses(self._redis)
        await calendars.forget_others(self._redis, wanted.keys())
        free = asyncio.Semaphore(AT_ONCE)
        turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)      # one at a time for each tenant

        async def fetch(each: Wanted) -> None:
            async with turns[each.field.partition("/")[0]], free:
                await self._fetch(each, known.get(each.field), now)

        due = [fetch(each) for each in wanted.values() if is_due(each, known.get(each.field), now)]
        for failed in await asyncio.gather(*due, return_exceptions=True):
            if isinstance(failed, BaseException):
                raise failed

    async def _fetch(self, each: Wanted, before: CalendarFetch | None, now: float) -> None:
        known = before if before and before.url == each.url else CalendarFetch(each.url, now)
        try:
            events = await self._events(each)
        except (ValueError, AddressRefused, HostUnknown, TooLarge, TimeoutError, httpx.HTTPError) as error:
            failed = replace(known, tried_at=now, problem=problem_text(error))
            log.warning("calendar_not_fetched", calendar=each.field, problem=failed.problem)
            await calendars.put_failed(self._redis, each.field, failed, before)
        else:
            await calendars.put(self._redis, each.field, each.url, now, events, before)

    async def _events(self, each: Wanted) -> tuple[CalendarEvent, ...]:
        async with (
            asyncio.timeout(LIMIT_S),
            asked(self._reach, "GET", each.url, {"Accept": "text/calendar"}, limit_s=LIMIT_S) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise ValueError(f"status {response.status_code}, expected 200")
            body = await body_of(response, MAX_BYTES)
            return await self._read(body, each.zone, LIMIT_S)


def is_due(each: Wanted, known: CalendarFetch | None, now: float) -> bool:
    if known is None or known.url != each.url:
        return True
    return now - known.tried_at >= (AGAIN_S if known.problem else EVERY_S)


def problem_text(error: Exception) -> str:
    """The problem that prevented a fetch, as text."""
    match error:
        case AddressRefused():
            return f"{error} is in a network that calendars may not be in"
        case HostUnknown():
            return "there is no such host"
        case TooLarge():
            return f"larger than {MAX_BYTES // 1_000_000} MB"
        case TimeoutError() | httpx.TimeoutException():
            return f"no answer within {LIMIT_S:g} s"
        case httpx.HTTPError() if is_of_tls(error):
            return "its certificate is not trusted, or the encryption failed"
        case httpx.HTTPError():
            return "no connection, or it was closed"
        case _:
            return str(error)[:200]


class PublishedCalendars:
    """The calendars that have a URL, of all published tenants."""

    def __init__(self, published: PublishedTenants) -> None:
        self._published = published
        self._revision: str | None = None
        self._found: tuple[Wanted, ...] = ()

    def wanted(self) -> tuple[Wanted, ...]:
        revision = self._published.revision()
        if revision != self._revision:
            self._found = tuple(each for slug, text in self._published.texts(revision) for each in wanted_of(slug, text))
            self._revision = revision
        return self._found


def wanted_of(slug: str, text: bytes) -> Iterator[Wanted]:
    """The calendars of one tenant's published file; none if the file cannot be read."""
    if b'"url": "' not in text:
        return                   # faster: most of thousands of files have none
    try:
        tenant = values_of(slug, text)
        found = [
            Wanted(f"{slug}/{name}", calendar["url"], tenant["timezone"])
            for name, calendar in tenant["calendars"].items() if calendar["url"]]
    except Exception:            # this tenant's calendars are not fetched, all others are
        log.exception("published_tenant_skipped", tenant=slug)
        return
    yield from found
