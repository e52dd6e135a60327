"""When a business is open, whatever clock the machine has."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from routing.call.english import in_english
from routing.call.facts import Facts
from routing.call.state import Origin, Started, Visit
from routing.engine.engine import next_step
from routing.hours.schedule import Window, covering, parse_days
from routing.tenant.tenant import Tenant
from tests.tenants_for_tests import acme, changed, problems
from tests.words import words


def shop(days: str, opens: str, closes: str, *changes: tuple[str, str]) -> Tenant:
    return acme(
        ("numbers:", f'schedules:\n  hours: {{windows: [{{days: "{days}", opens: "{opens}", closes: "{closes}"}}], open: sales, closed: mail}}\nnumbers:'),
        ("{to: main}", "{to: hours}"), *changes)


def visit(tenant: Tenant, moment: datetime) -> Visit:
    """What the schedule says of a call at the moment."""
    return next_step(tenant, Facts(moment), None, Started(Origin.TRUNK, "+48221234567")).path[1]


@pytest.mark.parametrize(("text", "days"), [
    ("mon-fri", {0, 1, 2, 3, 4}), ("fri-mon", {4, 5, 6, 0}), ("sun-tue", {6, 0, 1}), ("sat-sun", {5, 6}), ("wed", {2}),
    ("wed-wed", {2}), ("tue-mon", {0, 1, 2, 3, 4, 5, 6}), ("sat, mon - tue", {5, 0, 1}), ("sun-mon,thu", {6, 0, 3}),
])
def test_days_run_on_over_the_end_of_the_week(text: str, days: set[int]) -> None:
    assert parse_days(text) == days


@pytest.mark.parametrize("days", ["Monday", "mon-", "-fri", "mon,", "mon-fri-sun", "mon fri", ","])
def test_days_that_nobody_can_read_are_told(days: str) -> None:
    text = changed(("numbers:", f'schedules:\n  s: {{windows: [{{days: "{days}", opens: "08:00", closes: "16:00"}}], open: sales, closed: mail}}\nnumbers:'))
    assert problems(text) == [f"acme.yaml:11 schedules.s.windows.#1.days: found '{days}', expected days such as mon-fri or sat, sun"]


@pytest.mark.parametrize(("day", "is_open"), [(23, True), (24, False), (26, False), (27, True), (28, True), (29, True)])
def test_firm_that_opens_from_friday_to_monday_is_open_on_those_days(day: int, is_open: bool) -> None:
    tenant = shop("fri-mon", "08:00", "16:00")
    why = "open: mon, fri, sat, sun 08:00-16:00, on to sales" if is_open else None
    said = visit(tenant, datetime(2026, 11, day, 11, tzinfo=UTC))
    assert said.node == "hours"
    assert in_english(said.why) == why if why else in_english(said.why).startswith("closed: ")


@pytest.mark.parametrize(("moment", "why"), [
    ("2026-11-23T06:59", "closed: Mon 07:59, on to mail"),
    ("2026-11-23T07:00", "open: mon 08:00-16:00, on to sales"),
    ("2026-11-23T14:59", "open: mon 08:00-16:00, on to sales"),
    ("2026-11-23T15:00", "closed: Mon 16:00, on to mail"),
    ("2026-07-20T06:00", "open: mon 08:00-16:00, on to sales"),       # two hours ahead in summer
    ("2026-07-20T14:00", "closed: Mon 16:00, on to mail"),
])
def test_moment_in_utc_is_told_by_the_firms_clock(moment: str, why: str) -> None:
    tenant = shop("mon", "08:00", "16:00")
    utc = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert words(visit(tenant, utc)) == ("hours", why)
    assert words(visit(tenant, utc.astimezone(timezone(timedelta(hours=-9))))) == ("hours", why)


def test_weekday_too_is_that_of_the_firms_clock() -> None:
    tenant = shop("tue", "00:00", "06:00", ("Europe/Warsaw", "Asia/Tokyo"))
    assert words(visit(tenant, datetime(2026, 11, 23, 20, tzinfo=UTC))) == ("hours", "open: tue 00:00-06:00, on to sales")


def test_window_past_midnight_belongs_to_the_day_it_opens_on() -> None:
    window = Window.model_validate({"days": "fri", "opens": "22:00", "closes": "02:00"})
    by_hour = {(27, 21): False, (27, 22): True, (28, 1): True, (28, 2): False, (28, 23): False, (27, 1): False}
    assert {key: window.covers(datetime(2026, 11, *key)) for key in by_hour} == by_hour


def test_window_that_closes_when_it_opens_is_open_a_whole_day() -> None:
    window = Window.model_validate({"days": "fri", "opens": "08:00", "closes": "08:00"})
    assert window.covers(datetime(2026, 11, 27, 8))
    assert window.covers(datetime(2026, 11, 28, 7, 59))
    assert not window.covers(datetime(2026, 11, 28, 8))


def test_first_window_that_is_open_is_the_reason() -> None:
    windows = [Window.model_validate({"days": "mon", "opens": opens, "closes": "16:00"}) for opens in ("10:00", "08:00", "09:00")]
    assert covering(windows, datetime(2026, 11, 23, 9)) is windows[1]
    assert covering(windows, datetime(2026, 11, 23, 10)) is windows[0]
    assert covering(windows, datetime(2026, 11, 23, 7)) is None
