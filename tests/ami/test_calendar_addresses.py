"""Calendars at addresses: fetched when they are due, kept when they cannot be, and never from our own network unasked."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime
from ipaddress import ip_network
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from redis.asyncio import Redis

from ami import calendar_addresses
from ami.calendar_addresses import (
    AGAIN_S,
    EVERY_S,
    MAX_BYTES,
    CalendarAddresses,
    PublishedCalendars,
    Wanted,
    wanted_of,
)
from confgen.publish.calendars import read_apart
from routing.hours.calendars import CalendarEvent
from services.published_tenants import PublishedTenants
from services.web_request import reach_of
from store import calendars
from store.live import AWAY, CALENDARS, CHANGES
from tests.agi.service import Service, http, serving
from tests.store.redis_server import RedisServer

FIELD = "acme/holidays"
WARSAW = ZoneInfo("Europe/Warsaw")
NOW = 1_795_000_000.0
LOOPBACK = (ip_network("127.0.0.0/8"),)


def ics(title: str) -> bytes:
    lines = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", "BEGIN:VEVENT", "UID:1", "DTSTAMP:20260101T000000Z",
             f"DTSTART;VALUE=DATE:{datetime.now(WARSAW).year}1224", f"SUMMARY:{title}", "END:VEVENT", "END:VCALENDAR", "")
    return http("\r\n".join(lines).encode())


@pytest.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    async with redis_server.client() as client:
        yield client


def fetcher(redis: Redis, service: Service, *, allowed: bool = True) -> CalendarAddresses:
    wanted = (Wanted(FIELD, service.url(path="/holidays.ics"), "Europe/Warsaw"),)
    return CalendarAddresses(redis, reach_of(LOOPBACK if allowed else ()), lambda: wanted, read_apart)


async def kept(redis: Redis) -> calendars.CalendarFetch:
    return (await calendars.addresses(redis))[FIELD]


async def why(redis: Redis) -> str:
    fetched = calendars.fetched(str(await redis.hget(CALENDARS, FIELD)))
    event = fetched.events.at(datetime(datetime.now(WARSAW).year, 12, 24, 12, tzinfo=WARSAW))
    return event.title if event else ""


async def test_calendar_is_fetched_when_it_is_new_and_again_when_it_is_due(redis: Redis) -> None:
    async with serving(ics("Wigilia"), ics("Inne")) as service:
        addresses = fetcher(redis, service)
        await addresses.fetch_due(NOW)
        assert await why(redis) == "Wigilia"
        await addresses.fetch_due(NOW + EVERY_S - 1)
        assert service.connections == 1
        await addresses.fetch_due(NOW + EVERY_S)
        assert await why(redis) == "Inne"


async def test_calendar_that_cannot_be_fetched_stays_as_it_was_and_is_tried_sooner(redis: Redis) -> None:
    async with serving(ics("Wigilia"), http(b"", "500 Oops"), ics("Inne")) as service:
        addresses = fetcher(redis, service)
        await addresses.fetch_due(NOW)
        await addresses.fetch_due(NOW + EVERY_S)
        assert await why(redis) == "Wigilia"
        assert (await kept(redis)).problem == "status 500, expected 200"
        assert (await kept(redis)).fetched_at == NOW
        await addresses.fetch_due(NOW + EVERY_S + AGAIN_S)
        assert (await why(redis), (await kept(redis)).problem) == ("Inne", "")


async def test_calendar_that_says_the_same_is_neither_written_nor_told_again(redis: Redis) -> None:
    async with serving(ics("Wigilia"), ics("Wigilia"), http(b"", "500 Oops"), ics("Inne")) as service, redis.pubsub() as told:
        await told.subscribe(CHANGES)
        addresses = fetcher(redis, service)
        counted = []
        for at in (0, EVERY_S, 2 * EVERY_S, 2 * EVERY_S + AGAIN_S):
            before = await redis.hget(CALENDARS, FIELD)
            await addresses.fetch_due(NOW + at)
            counted.append((await redis.hget(CALENDARS, FIELD) != before, (await kept(redis)).tried_at == NOW + at))
        assert counted == [(True, True), (False, True), (False, True), (True, True)]
        await redis.publish(CHANGES, "end")
        changes = 0
        async for message in told.listen():
            if message["data"] == "end":
                break
            changes += message["type"] == "message"
        assert changes == 2


@pytest.mark.parametrize(("answer", "problem"), [
    (http(b"<html>"), "is no calendar that can be read"), (http(b"x" * (MAX_BYTES + 1)), "larger than 1 MB"),
    (http(b"", "302 Found", "Location: http://127.0.0.1/"), "status 302"), (b"", "no connection, or it was closed")])
async def test_answer_that_is_no_calendar_is_told(redis: Redis, answer: bytes, problem: str) -> None:
    async with serving(answer) as service:
        await fetcher(redis, service).fetch_due(NOW)
        assert problem in (await kept(redis)).problem
        assert service.connections == 1


@pytest.mark.parametrize("rule", ["RRULE:FREQ=DAILY;INTERVAL=0", "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"])
async def test_event_that_repeats_without_end_or_never_holds_up_nothing(
    redis: Redis, rule: str, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calendar_addresses, "LIMIT_S", 2.0)
    async with serving(ics("Wigilia").replace(b"SUMMARY", f"{rule}\r\nSUMMARY".encode()).replace(
            b"Content-Length: ", b"X-Length: ")) as service:
        await asyncio.wait_for(fetcher(redis, service).fetch_due(NOW), 60)
        assert (await kept(redis)).tried_at == NOW


async def test_redis_away_while_a_calendar_is_kept_ends_nothing(redis_server: RedisServer) -> None:
    async def read_and_lose_redis(body: bytes, zone: str, limit_s: float) -> tuple[CalendarEvent, ...]:
        await redis_server.stop()
        return ()

    async with serving(ics("Wigilia")) as service, redis_server.client() as client:
        wanted = (Wanted(FIELD, service.url(), "Europe/Warsaw"),)
        with pytest.raises(AWAY):
            await CalendarAddresses(client, reach_of(LOOPBACK), lambda: wanted, read_and_lose_redis).fetch_due(NOW)


async def test_address_in_our_own_network_is_not_asked_unless_it_is_allowed(redis: Redis) -> None:
    async with serving(ics("Wigilia")) as service:
        await fetcher(redis, service, allowed=False).fetch_due(NOW)
        assert service.connections == 0
        assert (await kept(redis)).problem == "127.0.0.1 is in a network that calendars may not be in"


async def test_turn_in_which_none_is_due_reads_no_calendars_events(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(ics("Wigilia")) as service:
        addresses = fetcher(redis, service)
        await addresses.fetch_due(NOW)
        await redis.hset(CALENDARS, FIELD, "not to be read")
        await addresses.fetch_due(NOW + 1)
        assert await redis.hget(CALENDARS, FIELD) == "not to be read"
        assert service.connections == 1


async def test_what_an_earlier_version_found_counts_until_it_is_fetched_again(redis: Redis) -> None:
    year = datetime.now(WARSAW).year
    begins = datetime(year, 12, 24, tzinfo=WARSAW).timestamp()
    async with serving(http(b"", "500 Oops"), ics("Inne")) as service:
        old = {"url": service.url(path="/holidays.ics"), "tried_at": NOW, "fetched_at": NOW, "problem": "",
               "events": [[begins, begins + 86_400, "Wigilia"]]}
        await redis.hset(CALENDARS, FIELD, json.dumps(old))
        assert await why(redis) == "Wigilia"
        await fetcher(redis, service).fetch_due(NOW)
        assert await why(redis) == "Wigilia"
        await fetcher(redis, service).fetch_due(NOW + AGAIN_S)
        assert await why(redis) == "Inne"


@pytest.mark.parametrize("events", ['[["a"]]', "[[5, 1, \"x\"]]", "[[0, 1e300, \"x\"]]", "[[0, 1e9, \"x\"]]", "{"])
async def test_events_that_nobody_of_ours_wrote_count_as_none(events: str) -> None:
    found = calendars.fetched('{"url": "https://x.example/", "tried_at": 1, "events": ' + events + "}")
    assert found.events.at(datetime.now(WARSAW)) is None
    assert found.events.at(datetime.fromtimestamp(1, WARSAW)) is None


async def test_calendar_that_nobody_has_any_more_is_forgotten_and_what_stood_elsewhere_counts_no_more(redis: Redis) -> None:
    async with serving(ics("Wigilia")) as service:
        await fetcher(redis, service).fetch_due(NOW)
    async with serving(http(b"", "500 Oops")) as moved:
        await fetcher(redis, moved).fetch_due(NOW)
        assert await why(redis) == ""
    await CalendarAddresses(redis, reach_of(), lambda: (), read_apart).fetch_due(NOW)
    assert await calendars.addresses(redis) == {}


def test_calendars_with_an_address_are_those_of_the_published_tenants(tmp_path: Path) -> None:
    tenants = tmp_path / "published" / "revisions" / "1" / "tenants"
    tenants.mkdir(parents=True)
    for slug, calendar in (("acme", {"url": "https://x.example/a.ics"}), ("forno", {"url": None, "days": []})):
        content = {"tenant": {"tenant": slug, "timezone": "Europe/Rome", "calendars": {"holidays": calendar}}}
        (tenants / f"{slug}.json").write_text(json.dumps(content))
    (tmp_path / "published" / "decided").symlink_to("revisions/1")
    published = PublishedCalendars(PublishedTenants(tmp_path))
    assert published.wanted() == published.wanted() == (Wanted("acme/holidays", "https://x.example/a.ics", "Europe/Rome"),)
    assert list(wanted_of("acme", b'{"tenant": {}}')) == []
