"""What an ICS file beside the tenant's file says: each day and hour as the person who wrote it meant."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from confgen.publish.calendars import with_events
from routing.hours.dates import shown
from routing.tenant.tenant import Tenant
from tests.tenants_for_tests import acme
from yaml_models.document import Document
from yaml_models.errors import ConfigError

WARSAW = ZoneInfo("Europe/Warsaw")
TENANT = acme(("numbers:", "calendars:\n  office: {file: office.ics}\nnumbers:"))


def office(folder: Path, *events: str) -> Tenant:
    entries = "".join(f"BEGIN:VEVENT\nUID:{n}\nDTSTAMP:20260101T000000Z\n{event}\nEND:VEVENT\n" for n, event in enumerate(events))
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{entries}END:VCALENDAR\n"
    (folder / "office.ics").write_text(text.replace("\n", "\r\n"))
    return with_events(TENANT, folder, Document("acme.yaml", {}, {}), 2026)


def why(tenant: Tenant, local: str, zone: ZoneInfo = WARSAW) -> str | None:
    moment = datetime.fromisoformat(local).replace(tzinfo=zone)
    found = tenant.calendars["office"].event_at(moment)
    return f"{shown(moment)} {moment:%H:%M} is {found.title}" if found else None


def problem(folder: Path, *events: str) -> str:
    with pytest.raises(ConfigError) as error:
        office(folder, *events)
    return str(error.value)


def test_whole_day_is_a_day_of_the_firms_clock(tmp_path: Path) -> None:
    tenant = office(tmp_path, "DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261226\nSUMMARY:Przerwa")
    assert why(tenant, "2026-12-24T00:00") == "24 Dec 00:00 is Przerwa"
    assert why(tenant, "2026-12-25T23:59") == "25 Dec 23:59 is Przerwa"
    assert why(tenant, "2026-12-23T23:59") is why(tenant, "2026-12-26T00:00") is None


@pytest.mark.parametrize(("start", "begins"), [
    ("DTSTART:20260701T100000", "2026-07-01T10:00"), ("DTSTART:20260701T100000Z", "2026-07-01T12:00"),
    ("DTSTART;TZID=America/New_York:20260701T100000", "2026-07-01T16:00")])
def test_hours_are_of_the_zone_that_the_event_names(tmp_path: Path, start: str, begins: str) -> None:
    tenant = office(tmp_path, f"{start}\nDURATION:PT1H\nSUMMARY:Zebranie")
    first = datetime.fromisoformat(begins).replace(tzinfo=WARSAW).astimezone(UTC)
    (event,) = tenant.calendars["office"].events
    assert (event.begins, (event.ends - event.begins).seconds) == (first, 3600)


def test_repeated_event_keeps_its_hour_over_both_clock_changes_leaves_out_exceptions_and_ends_with_the_horizon(tmp_path: Path) -> None:
    tenant = office(tmp_path, "DTSTART;TZID=Europe/Warsaw:20250106T090000\nDTEND;TZID=Europe/Warsaw:20250106T100000\n"
                    "RRULE:FREQ=WEEKLY\nEXDATE;TZID=Europe/Warsaw:20260330T090000\nSUMMARY:Zebranie")
    for day in ("2026-01-05", "2026-07-06", "2026-10-26", "2028-12-25"):
        assert why(tenant, f"{day}T09:00")
        assert why(tenant, f"{day}T09:59")
        assert not why(tenant, f"{day}T08:59")
        assert not why(tenant, f"{day}T10:00")
    assert not why(tenant, "2026-03-30T09:30")
    assert not why(tenant, "2029-01-01T09:30")


def test_cancelled_event_counts_for_nothing_and_a_title_is_one_line(tmp_path: Path) -> None:
    tenant = office(
        tmp_path, "DTSTART;VALUE=DATE:20261201\nSTATUS:CANCELLED\nSUMMARY:x", "DTSTART;VALUE=DATE:20261202\nSUMMARY:a\\nb\\;" + "c" * 100)
    assert why(tenant, "2026-12-01T12:00") is None
    assert why(tenant, "2026-12-02T12:00") == "2 Dec 12:00 is a b;" + "c" * 76


def test_plan_is_the_same_on_every_day_of_a_year(tmp_path: Path) -> None:
    event = "DTSTART;VALUE=DATE:20200101\nRRULE:FREQ=DAILY\nSUMMARY:x"
    assert office(tmp_path, event) == office(tmp_path, event)
    assert len(office(tmp_path, event).calendars["office"].events) == 365 + 365 + 366


@pytest.mark.parametrize(("text", "expected"), [
    (None, "no calendar office.ics beside the tenant's file (No such file or directory)"), ("", "is no calendar that can be read"),
    ("hello", "is no calendar that can be read"), ("\x00\xff", "is no calendar that can be read"),
    ("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:soon\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", "is no calendar that can be read")])
def test_file_that_is_no_calendar_is_refused(tmp_path: Path, text: str | None, expected: str) -> None:
    if text is not None:
        (tmp_path / "office.ics").write_text(text)
    with pytest.raises(ConfigError, match=r"acme\.yaml:1 calendars\.office: ") as error:
        with_events(TENANT, tmp_path, Document("acme.yaml", {}, {}), 2026)
    assert expected in str(error.value)


@pytest.mark.parametrize("rule", ["FREQ=SECONDLY", "FREQ=MINUTELY", "FREQ=HOURLY", "FREQ=DAILY;BYHOUR=1,2,3", "FREQ=DAILY;BYSECOND=1,2"])
def test_event_that_is_repeated_all_day_long_is_refused(tmp_path: Path, rule: str) -> None:
    assert "repeated several times a day" in problem(tmp_path, f"DTSTART:20260101T000000Z\nRRULE:{rule}\nSUMMARY:x")
