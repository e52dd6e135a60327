"""A tenant's own days: a named list of days, or what a calendar in ICS form says, in a file or at an address. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Annotated, Self

from pydantic import AwareDatetime, Field, model_validator

from routing.hours.dates import DateSpan
from routing.numbering.value_types import Url
from yaml_models.patterns import SHORT_LINE, matching
from yaml_models.strict_model import Part

MAX_EVENTS = 5000
LONGEST_EVENT_DAYS = 1500
Title = Annotated[str, matching(r"^[^\x00-\x1f\x7f]{1,80}$", SHORT_LINE)]
IcsFile = Annotated[str, matching(r"^[A-Za-z0-9_-]{1,60}\.ics$", "a file name such as holidays.ics, without a folder")]


class Day(Part):
    """A day, or several in a row, with what they are."""

    on: DateSpan
    title: Title


class CalendarEvent(Part):
    """An event of an ICS file, at one moment of the world's time."""

    begins: AwareDatetime     # inclusive
    ends: AwareDatetime       # exclusive
    title: Title

    @model_validator(mode="after")
    def has_a_length(self) -> Self:
        if not timedelta(0) <= self.ends - self.begins <= timedelta(days=LONGEST_EVENT_DAYS):
            raise ValueError(f"expected an end after the beginning and at most {LONGEST_EVENT_DAYS} days later")
        return self


class Events:
    """Events by the days that they touch, to be asked often; arranged when the first question comes."""

    def __init__(self, events: Iterable[CalendarEvent] = ()) -> None:
        self._events = events

    @cached_property
    def _by_day(self) -> dict[date, list[CalendarEvent]]:
        by_day: dict[date, list[CalendarEvent]] = {}
        for event in self._events:
            first, last = event.begins.astimezone(UTC).date(), event.ends.astimezone(UTC).date()
            for number in range((last - first).days + 1):
                by_day.setdefault(first + timedelta(days=number), []).append(event)
        return by_day

    def at(self, local: datetime) -> CalendarEvent | None:
        """The event at that moment, the first of several."""
        events = self._by_day.get(local.astimezone(UTC).date(), ())
        return next((event for event in events if event.begins <= local < event.ends), None)


@dataclass(frozen=True, slots=True)
class FetchedCalendar:
    """Events last fetched from a calendar's address."""

    url: str
    events: Events = field(default_factory=Events)


class Calendar(Part):
    """Days with a title. What stands in `file` is read into `events` when the tenant's file is: a person writes no events. What
    stands at `url` is fetched again and again, and known to a decision as a fact."""

    days: tuple[Day, ...] = Field(default=(), max_length=1000)
    file: IcsFile | None = None
    url: Url | None = None
    events: tuple[CalendarEvent, ...] = Field(default=(), max_length=MAX_EVENTS)

    @model_validator(mode="after")
    def has_a_source(self) -> Self:
        if not self.days and not self.file and not self.url:
            raise ValueError("expected days, or the file or the url of a calendar")
        return self

    @cached_property
    def _events(self) -> Events:
        return Events(self.events)

    def day_at(self, local: datetime) -> Day | None:
        """The day of `days` at that local moment."""
        return next((day for day in self.days if day.on.cover(local.date())), None)

    def event_at(self, local: datetime, fetched: FetchedCalendar | None = None) -> CalendarEvent | None:
        """The event at that local moment, of the file or the address. Events from another address than the calendar has now
        count for nothing."""
        event = self._events.at(local)
        return fetched.events.at(local) if event is None and fetched and fetched.url == self.url else event
