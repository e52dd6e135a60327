"""Calendars in ICS format, from files beside a tenant's file and others, as events at moments. Repeated events are expanded
up to a horizon: an apply moves it forward, and a plan sees no change before the next year begins.
"""

import asyncio
import json
import re
import resource
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from routing.hours.calendars import MAX_EVENTS, Calendar, CalendarEvent
from routing.tenant.tenant import Tenant
from yaml_models.errors import ConfigError, Problem

if TYPE_CHECKING:
    import icalendar

    from yaml_models.document import Document  # a service reads calendars, and no YAML

MAX_FILE_BYTES = 1_000_000
MAX_MEMORY_BYTES = 1 << 30
MAX_RULES = 200              # repeated events in one file
MAX_DAYS = 20_000            # of all events together
HORIZON_YEARS = 3            # this year and the next two
TOO_OFTEN = ("BYHOUR", "BYMINUTE", "BYSECOND")


def with_events(tenant: Tenant, folder: Path, document: "Document", this_year: int) -> Tenant:
    """The tenant with its calendars' events. `folder` holds the ICS files, `document` is its YAML. Raises ConfigError for a
    file that is missing or no calendar."""
    problems: list[Problem] = []
    calendars: dict[str, Calendar] = {}
    for name, calendar in tenant.calendars.items():
        calendars[name] = calendar
        where = ("calendars", name)
        if calendar.events:
            problems.append(document.problem((*where, "events"), "found events, expected days or the file that they are in"))
        if calendar.file:
            try:
                events = _events(folder / calendar.file, ZoneInfo(tenant.timezone), this_year)
                calendars[name] = calendar.model_copy(update={"events": events})
            except ValueError as error:
                problems.append(document.problem_in(where, "file", str(error)))
    if problems:
        raise ConfigError(problems)
    return tenant.model_copy(update={"calendars": calendars}) if tenant.calendars else tenant


def _events(path: Path, zone: ZoneInfo, this_year: int) -> tuple[CalendarEvent, ...]:
    """In the order of time. Raises ValueError that says what was found and expected."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ValueError(f"{path.name} is larger than {MAX_FILE_BYTES // 1_000_000} MB")
        read = path.read_bytes()
    except OSError as error:
        raise ValueError(f"no calendar {path.name} beside the tenant's file ({error.strerror})") from None
    return read_events(read, path.name, zone, this_year)


def read_events(read: bytes, name: str, zone: ZoneInfo, this_year: int) -> tuple[CalendarEvent, ...]:
    """In the order of time. Raises ValueError that says what was found and expected; it calls the calendar `name`."""
    import icalendar  # few tenants need them, and their import is slow
    import recurring_ical_events

    begins, ends = (datetime(year, 1, 1, tzinfo=zone) for year in (this_year, this_year + HORIZON_YEARS))
    try:
        calendar = icalendar.Calendar.from_ical(read)
        _refuse_too_many(calendar, name)
        found = {_event(entry, zone, begins, ends) for entry in recurring_ical_events.of(calendar).between(begins, ends)
                 if str(entry.get("STATUS", "")).upper() != "CANCELLED"}
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError) as error:
        raise ValueError(f"{name} is no calendar that can be read: {str(error)[:200]}") from None
    if len(found) > MAX_EVENTS:
        raise ValueError(f"{name} has {len(found)} events until {ends.year}, at most {MAX_EVENTS}")
    days = sum((event.ends - event.begins).days + 2 for event in found)
    if days > MAX_DAYS:
        raise ValueError(f"{name} has events of {days} days in all until {ends.year}, at most {MAX_DAYS}")
    return tuple(sorted(found, key=lambda event: (event.begins, event.ends, event.title)))


def _refuse_too_many(calendar: "icalendar.Component", name: str) -> None:
    rules = [rule for event in calendar.walk("VEVENT") for rule in _rules(event)]
    if len(rules) > MAX_RULES:
        raise ValueError(f"{name} repeats {len(rules)} events, at most {MAX_RULES}")
    for rule in rules:
        often = str(rule.get("FREQ", [""])[0]).upper() in ("SECONDLY", "MINUTELY", "HOURLY")
        if often or any(key in rule for key in TOO_OFTEN):
            raise ValueError("an event is repeated several times a day")
        if any(int(interval) < 1 for interval in rule.get("INTERVAL", [1])):
            raise ValueError("an event is repeated without end at one moment")


def _rules(event: "icalendar.Component") -> Iterator["icalendar.vRecur"]:
    found = event.get("RRULE", [])
    yield from found if isinstance(found, list) else [found]


def _event(entry: "icalendar.Event", zone: ZoneInfo, begins: datetime, ends: datetime) -> CalendarEvent:
    title = re.sub(r"[\x00-\x1f\x7f]+", " ", str(entry.get("SUMMARY", ""))).strip()[:80]
    return CalendarEvent(
        begins=max(begins, _moment(entry.start, zone)).astimezone(UTC),
        ends=min(ends, _moment(entry.end, zone)).astimezone(UTC),
        title=title or "an event without a title")


def _moment(value: date | datetime, zone: ZoneInfo) -> datetime:
    """Days begin at the tenant's local midnight; times without a zone are the tenant's local time."""
    if not isinstance(value, datetime):
        return datetime.combine(value, time(), zone)
    return value if value.tzinfo else value.replace(tzinfo=zone)


async def read_apart(read: bytes, zone: str, limit_s: float) -> tuple[CalendarEvent, ...]:
    """As read_events, in a process of its own that ends within the limit: a few bytes can name more days than there are.
    Raises ValueError and TimeoutError."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from confgen.publish.calendars import answer; answer()", zone, stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL)
    try:
        async with asyncio.timeout(limit_s):
            answered, _ = await process.communicate(read)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    try:
        answer = json.loads(answered)
    except ValueError:
        raise ValueError("it could not be read with the memory that there is for it") from None
    if isinstance(answer, str):
        raise ValueError(answer)
    return tuple(CalendarEvent.model_validate(event) for event in answer)


def answer() -> None:
    """The process that `read_apart` runs: reads a calendar from its input, writes the events or the problem to its output."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    try:
        events = read_events(sys.stdin.buffer.read(), "it", ZoneInfo(sys.argv[1]), datetime.now(UTC).year)
        print(json.dumps([event.model_dump(mode="json") for event in events]))
    except ValueError as error:
        print(json.dumps(str(error)))
