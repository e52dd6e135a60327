"""When: the tests of a call and its moment that a rule of conditions may use. Pure.

Each kind returns why it holds, or None. All tests named in a rule must hold; of several values under one name, one must.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Self

from pydantic import Field, model_validator

from routing.call.reasons import Reasons, Why
from routing.hours.dates import DateSpan
from routing.hours.public_holidays import known_places, public_holiday
from routing.hours.schedule import Window, covering
from routing.hunt.hunting import Seat
from routing.hunt.presence import GroupPresence, Presence, presence_in, presence_of
from routing.nodes.node import Here
from routing.numbering.number_list import NumberPatterns, NumberSet
from routing.numbering.numbers import is_foreign
from routing.numbering.value_types import Country, Extension, Name
from yaml_models.patterns import matching
from yaml_models.strict_model import Part

DialledNumber = Annotated[str, matching(
    r"^(\+[1-9][0-9]{6,14}|[0-9]{2,6})$", "a public number as +48221234567 or an internal one")]
Region = Annotated[str, matching(r"^[A-Za-z0-9-]{1,20}$", "a region's short name, such as BY of DE")]


@dataclass(frozen=True, slots=True)
class Inquiry:
    """The call that a node's rules test, and a cache of the answers: a thousand rules test only a few users."""

    here: Here
    local: datetime
    users: dict[str, Presence] = field(default_factory=dict)
    groups: dict[str, GroupPresence] = field(default_factory=dict)

    def user(self, extension: str) -> Presence:
        found = self.users.get(extension)
        if found is None:
            found = self.users[extension] = presence_of(
                self.here.facts, extension, self.here.tenant.endpoints_of(extension))
        return found

    def group(self, name: str) -> GroupPresence:
        found = self.groups.get(name)
        if found is None:
            found = self.groups[name] = self._presence_in(self.here.tenant.seats_of(name))
        return found

    def queue(self, name: str) -> GroupPresence:
        return self._presence_in(self.here.tenant.line_of(name))

    def _presence_in(self, seats: tuple[Seat, ...]) -> GroupPresence:
        tenant = self.here.tenant
        return presence_in(
            self.here.facts, [(seat, () if seat.is_outside else tenant.endpoints_of(seat.member)) for seat in seats])


Condition = Callable[[Inquiry], Reasons | None]


def _not_asked(asked: Inquiry) -> Reasons:
    return ()


class Holidays(Part):
    """Public holidays: of the tenant's country where none is named, of the whole country where no region is."""

    country: Country | None = None
    region: Region | None = None         # the code of the `holidays` library: IT has provinces such as BZ

    @model_validator(mode="after")
    def place_is_known(self) -> Self:
        if self.region and not self.country:
            raise ValueError("expected a country with the region")
        if self.country and self.country not in known_places():
            raise ValueError(f"found the country {self.country}, expected one whose public holidays are known")
        if self.country and self.region and self.region not in known_places()[self.country]:
            raise ValueError(f"found the region {self.region!r}, expected one of {self.country} that has holidays of its own")
        return self

    def why(self, asked: Inquiry) -> Reasons | None:
        country = self.country or asked.here.tenant.country
        title = public_holiday(country, self.region or "", asked.local.date()) if country in known_places() else None
        place = f"{country}-{self.region}" if self.region else country
        return Why.HOLIDAY(asked.local.date().isoformat(), title, place) if title else None


class CallerKind(StrEnum):
    ANONYMOUS = "anonymous"      # external, the number hidden
    FOREIGN = "foreign"          # external, a number of another country than the tenant's
    INTERNAL = "internal"        # from one of the tenant's own phones


class CallerIs(Part):
    """One of them is enough. The number of a call from one of the tenant's phones is its extension."""

    numbers: NumberPatterns = ()
    lists: tuple[Name, ...] = ()
    kinds: frozenset[CallerKind] = frozenset()

    @model_validator(mode="after")
    def says_something(self) -> Self:
        if not self.numbers and not self.lists and not self.kinds:
            raise ValueError("expected numbers, lists or kinds")
        return self

    @cached_property
    def _set(self) -> NumberSet:
        return NumberSet(self.numbers)

    def why(self, asked: Inquiry) -> Reasons | None:
        facts, tenant = asked.here.facts, asked.here.tenant
        # An external caller who shows an extension has forged it.
        caller = facts.caller_extension or facts.caller
        if caller in self._set:
            return Why.CALLER_IN_RULE(caller)
        for name in self.lists:
            if caller in tenant.numbers_in(name):
                return Why.CALLER_IN_LIST(caller, name)
        if not self.kinds:
            return None             # of most rules, and a thousand may be tested
        if CallerKind.INTERNAL in self.kinds and facts.caller_extension:
            return Why.CALLER_INTERNAL(caller)
        if CallerKind.ANONYMOUS in self.kinds and not caller:
            return Why.CALLER_HIDDEN()
        if CallerKind.FOREIGN in self.kinds and not facts.caller_extension and is_foreign(caller, tenant.country):
            return Why.CALLER_FOREIGN(caller, tenant.country)
        return None


class When(Part):
    hours: tuple[Window, ...] = Field(default=(), max_length=50)
    dates: tuple[DateSpan, ...] = Field(default=(), max_length=1000)
    holidays: Holidays | None = None
    calendars: tuple[Name, ...] = ()
    caller: CallerIs | None = None
    dialled: tuple[DialledNumber, ...] = ()
    switches: dict[Name, Name] = Field(default_factory=dict)               # all of them in these positions
    users: dict[Extension, Presence] = Field(default_factory=dict)         # all of them so
    groups: dict[Name, GroupPresence] = Field(default_factory=dict)        # all of them so
    queues: dict[Name, GroupPresence] = Field(default_factory=dict)        # all of them so
    share: Annotated[float, Field(gt=0, lt=100)] | None = None             # per cent of the calls that reach the rule

    @model_validator(mode="after")
    def asks_something(self) -> Self:
        if not self._questions and not self.share:
            raise ValueError(f"expected at least one of {', '.join(When.model_fields)}")
        return self

    @cached_property
    def _questions(self) -> tuple[Condition, ...]:
        """The tests that the rule names, except the share."""
        asked = {
            "hours": self._hours, "dates": self._dates, "holidays": self._holidays, "calendars": self._calendars,
            "caller": self._caller, "dialled": self._dialled, "switches": self._switches, "users": self._users,
            "groups": self._groups, "queues": self._queues,
        }
        return tuple(question for name, question in asked.items() if getattr(self, name))

    @property
    def first_question(self) -> Condition:
        """If it returns None, so does `why`: enough for most rules."""
        return self._questions[0] if self._questions else _not_asked

    def why(self, asked: Inquiry, place: int) -> Reasons | None:
        """The reasons why everything holds, or None. `place` distinguishes the rule from the others of its node."""
        reasons: Reasons = ()
        for question in self._questions:
            reason = question(asked)
            if reason is None:
                return None
            reasons += reason
        if self.share:
            if asked.here.facts.drawn(f"{asked.here.name}/{place}") * 100 >= self.share:
                return None
            reasons += Why.SHARE(f"{self.share:g}")
        return reasons

    def settings(self) -> Iterator[tuple[str, str, str]]:
        """References to other sections of the tenant's file: field, section, key there."""
        for section in ("calendars", "users", "groups", "queues", "switches"):
            for place, name in enumerate(getattr(self, section)):
                yield f"{section}.{place if section == 'calendars' else name}", section, name
        for place, name in enumerate(self.caller.lists if self.caller else ()):
            yield f"caller.lists.{place}", "lists", name

    def _hours(self, asked: Inquiry) -> Reasons | None:
        window = covering(self.hours, asked.local)
        return Why.IN_WINDOW(asked.local.isoformat(timespec="minutes"), window.describe()) if window else None

    def _dates(self, asked: Inquiry) -> Reasons | None:
        today = asked.local.date()
        for span in self.dates:
            if span.cover(today):
                return Why.IN_DATES(today.isoformat(), str(span))
        return None

    def _holidays(self, asked: Inquiry) -> Reasons | None:
        return self.holidays.why(asked) if self.holidays else None

    def _calendars(self, asked: Inquiry) -> Reasons | None:
        for name in self.calendars:
            calendar, fetched = asked.here.tenant.calendars[name], asked.here.facts.calendars.get(name)
            if day := calendar.day_at(asked.local):
                return Why.IN_CALENDAR(asked.local.date().isoformat(), day.title, name)
            if event := calendar.event_at(asked.local, fetched):
                return Why.IN_CALENDAR_AT(asked.local.isoformat(timespec="minutes"), event.title, name)
        return None

    def _caller(self, asked: Inquiry) -> Reasons | None:
        return self.caller.why(asked) if self.caller else None

    def _dialled(self, asked: Inquiry) -> Reasons | None:
        dialled = asked.here.facts.dialled
        return Why.WAS_DIALLED(dialled) if dialled in self.dialled else None

    def _switches(self, asked: Inquiry) -> Reasons | None:
        standing, position_of = asked.here.facts.switches, asked.here.tenant.position_of
        for name, position in self.switches.items():
            if position_of(name, standing.get(name)) != position:
                return None
        return tuple(reason for name, position in self.switches.items() for reason in Why.SWITCH_IS(name, position))

    def _users(self, asked: Inquiry) -> Reasons | None:
        for user, presence in self.users.items():
            if asked.user(user) is not presence:
                return None
        return tuple(reason for user, presence in self.users.items() for reason in Why.USER_IS(user, presence))

    def _groups(self, asked: Inquiry) -> Reasons | None:
        return _all_so(Why.GROUP_IS, self.groups, asked.group)

    def _queues(self, asked: Inquiry) -> Reasons | None:
        return _all_so(Why.QUEUE_IS, self.queues, asked.queue)


def _all_so(why: Why, wanted: Mapping[str, GroupPresence], found: Callable[[str], GroupPresence]) -> Reasons | None:
    """The reasons that all these groups or queues are as required, None if one is not."""
    if any(found(name) is not presence for name, presence in wanted.items()):
        return None
    return tuple(reason for name, presence in wanted.items() for reason in why(name, presence))
