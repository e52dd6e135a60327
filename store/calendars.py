"""What was found at the addresses of tenants' calendars, in Redis. Followers are told of each change.

    centralka:calendars   hash: "<tenant>/<calendar>" -> {"url", "tried_at", "fetched_at", "problem", "events": [[begins, ends,
                          title], ...]}; moments as Unix time in seconds, `fetched_at` 0 where nothing was ever found
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from pydantic import TypeAdapter, ValidationError
from redis.asyncio import Redis

from routing.hours.calendars import CalendarEvent, Events, Fetched
from store.live import CALENDARS, CHANGES

Triple = tuple[float, float, str]


@dataclass(frozen=True, slots=True)
class Address:
    """What is kept of a calendar's address. `problem` is why the last try failed: the events are of one before it."""

    url: str
    tried_at: float
    fetched_at: float = 0.0
    problem: str = ""
    events: tuple[Triple, ...] = ()


_READER = TypeAdapter(Address)


def triples(events: Iterable[CalendarEvent]) -> tuple[Triple, ...]:
    return tuple((event.begins.timestamp(), event.ends.timestamp(), event.title) for event in events)


def read(text: str) -> Address:
    """Raises ValueError."""
    try:
        return _READER.validate_json(text)
    except ValidationError as error:
        raise ValueError(f"found {text[:80]!r}: {error.errors()[0]['msg']}") from None


def fetched(text: str) -> Fetched:
    """As a decision knows it. Raises ValueError."""
    address = read(text)
    return Fetched(address.url, Events(
        CalendarEvent(begins=datetime.fromtimestamp(begins, UTC), ends=datetime.fromtimestamp(ends, UTC), title=title)
        for begins, ends, title in address.events))


async def addresses(redis: Redis) -> dict[str, Address]:
    """By '<tenant>/<calendar>'. Raises what `AWAY` lists, and ValueError."""
    return {str(field): read(str(text)) for field, text in (await redis.hgetall(CALENDARS)).items()}


async def put(redis: Redis, field: str, address: Address) -> None:
    """Raises what `AWAY` lists."""
    text = json.dumps(asdict(address), ensure_ascii=False)
    async with redis.pipeline(transaction=True) as pipeline:
        pipeline.hset(CALENDARS, field, text)
        pipeline.publish(CHANGES, json.dumps({"calendars": {field: text}}))
        await pipeline.execute()


async def forget(redis: Redis, fields: Iterable[str]) -> None:
    """Those that no tenant has any more. Raises what `AWAY` lists."""
    for field in fields:
        await redis.hdel(CALENDARS, field)
