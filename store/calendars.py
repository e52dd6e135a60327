"""Events of tenants' calendars that have a URL, in Redis. Each change is published to followers.

    centralka:calendars       hash: "<tenant>/<calendar>" -> {"url", "tried_at", "events": [[begins, ends, title], ...]}; it
                              is written when other events are found
    centralka:calendar_tries  hash: "<tenant>/<calendar>" -> {"url", "tried_at", "fetched_at", "problem", "digest"} of the last
                              try; moments as Unix time in seconds, `fetched_at` 0 if no fetch ever succeeded
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

import structlog
from pydantic import TypeAdapter, ValidationError
from redis.asyncio import Redis

from routing.hours.calendars import LONGEST_EVENT_DAYS, CalendarEvent, Events, FetchedCalendar
from store.live import CALENDAR_TRIES, CALENDARS, CHANGES

log = structlog.get_logger()

LONGEST_EVENT_S: Final = LONGEST_EVENT_DAYS * 86_400
_URL = re.compile(r'\{"url": ("(?:[^"\\]|\\.)*"), ')


@dataclass(frozen=True, slots=True)
class CalendarFetch:
    """The last fetch of a calendar's URL. `problem`: why it failed; the events are then older. `digest`: of the events."""

    url: str
    tried_at: float
    fetched_at: float = 0.0
    problem: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class _Found:
    """The stored values of a fetched calendar."""

    url: str
    tried_at: float                            # versions before this one ask for it
    events: list[tuple[float, float, str]]


_ADDRESS, _FOUND = TypeAdapter(CalendarFetch), TypeAdapter(_Found)


@dataclass(frozen=True, slots=True)
class _EventsIn:
    """The events of a text from Redis, read when they are asked for. A text that Centralka did not write has none."""

    text: str

    def __iter__(self) -> Iterator[CalendarEvent]:
        try:
            return iter([_event(*each) for each in _FOUND.validate_json(self.text).events])
        except (ValueError, OverflowError) as error:
            log.warning("calendar_not_understood", found=self.text[:80], problem=str(error)[:200])
            return iter(())


def _event(begins: float, ends: float, title: str) -> CalendarEvent:
    if not 0 <= ends - begins <= LONGEST_EVENT_S:
        raise ValueError(f"found an event of {ends - begins} s")
    return CalendarEvent.model_construct(
        begins=datetime.fromtimestamp(begins, UTC), ends=datetime.fromtimestamp(ends, UTC), title=title)


def fetched(text: str) -> FetchedCalendar:
    """As a decision knows it. The events are read when the first decision asks for them: of a thousand tenants few have a call
    before the calendar changes again. Raises ValueError."""
    if not (found := _URL.match(text)):
        raise ValueError(f"found {text[:80]!r}, expected a calendar with its url")
    return FetchedCalendar(json.loads(found[1]), Events(_EventsIn(text)))


async def addresses(redis: Redis) -> dict[str, CalendarFetch]:
    """The last tries, by '<tenant>/<calendar>'. Raises what `AWAY` lists, and ValueError."""
    return {str(field): _address(str(text)) for field, text in (await redis.hgetall(CALENDAR_TRIES)).items()}


@lru_cache(maxsize=50_000)
def _address(text: str) -> CalendarFetch:
    try:
        return _ADDRESS.validate_json(text)
    except ValidationError as error:
        raise ValueError(f"found {text[:80]!r}: {error.errors()[0]['msg']}") from None


async def put_failed(redis: Redis, field: str, address: CalendarFetch, before: CalendarFetch | None) -> None:
    """`before` is the try before this one. The events of before stay unless they were at another address. Raises what `AWAY`
    lists."""
    was_elsewhere = before is not None and before.url != address.url
    await _put(redis, field, address, _Found(address.url, address.tried_at, []) if was_elsewhere else None)


async def put(
    redis: Redis, field: str, url: str, now: float, events: Iterable[CalendarEvent], before: CalendarFetch | None,
) -> None:
    """The same events as `before` are not written again. Raises what `AWAY` lists."""
    found = _Found(url, now, [(event.begins.timestamp(), event.ends.timestamp(), event.title) for event in events])
    digest = hashlib.sha256(json.dumps([url, found.events]).encode()).hexdigest()
    is_same = before is not None and before.digest == digest
    await _put(redis, field, CalendarFetch(url, now, now, digest=digest), None if is_same else found)


async def _put(redis: Redis, field: str, address: CalendarFetch, found: _Found | None) -> None:
    async with redis.pipeline(transaction=True) as pipeline:
        pipeline.hset(CALENDAR_TRIES, field, json.dumps(asdict(address), ensure_ascii=False))
        if found:
            text = json.dumps(asdict(found), ensure_ascii=False)
            pipeline.hset(CALENDARS, field, text)
            pipeline.publish(CHANGES, json.dumps({"calendars": {field: text}}))
        await pipeline.execute()


async def forget_others(redis: Redis, fields: Iterable[str]) -> None:
    """Forgets the calendars that no tenant has any more; `fields` are those of all others. Raises what `AWAY` lists."""
    kept = frozenset(fields)
    for key in (CALENDARS, CALENDAR_TRIES):
        for field in map(str, await redis.hkeys(key)):
            if field not in kept:
                await redis.hdel(key, field)
