"""What `centralka status` says of a device that is not simply there."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from centralka.cli.status import (
    NEVER_SEEN,
    PhoneStatus,
    ServiceStatus,
    Status,
    TrunkKind,
    TrunkStatus,
    notice_of,
    problems_of,
    render,
)
from routing.call.facts import DeviceState
from store.record_health import RecordHealth
from store.registrations import Registration

THERE = PhoneStatus("acme-201-desk", DeviceState.IDLE, ("sip:201@192.0.2.7:5060",))
AWAY = PhoneStatus("acme-201-desk", DeviceState.UNAVAILABLE, ())
NOW = datetime.now(UTC)


def test_device_that_never_registered_is_never_seen() -> None:
    assert notice_of(AWAY, None) == "never seen"
    assert notice_of(THERE, None) == ""


def test_device_that_went_is_told_with_where_it_was() -> None:
    assert notice_of(AWAY, Registration("192.0.2.7", NOW, is_there=False)) == (
        f"registers no more since {NOW:%F %H:%M} UTC, was at 192.0.2.7")


def test_device_that_does_not_answer_is_told_though_it_is_registered() -> None:
    assert notice_of(THERE, Registration("192.0.2.7", NOW, is_there=False)).startswith("does not answer since ")


def test_another_address_is_told_for_a_day() -> None:
    moved = Registration("198.51.100.2", NOW, before="192.0.2.7")
    assert notice_of(THERE, moved) == f"registers from 198.51.100.2 since {NOW:%F %H:%M} UTC, before from 192.0.2.7"
    assert notice_of(THERE, Registration("198.51.100.2", NOW - timedelta(days=2), before="192.0.2.7")) == ""


def shown(status: Status, tenant: str = "") -> list[str]:
    text = StringIO()
    Console(width=80, file=text).print(render(status, tenant))
    return text.getvalue().splitlines()


def status_of(phones: int) -> Status:
    """Of a hundred tenants, whose first telephone went and whose others were never there."""
    gone = "registers no more since 2026-11-23 11:00 UTC, was at 192.0.2.7"
    return Status(
        (ServiceStatus("asterisk", "127.0.0.1:5038"), ServiceStatus("agi", "127.0.0.1:4573", "no answer")),
        tuple(PhoneStatus(
            f"t{i % 100}-{200 + i // 100}-desk", DeviceState.UNAVAILABLE, (), NEVER_SEEN if i else gone) for i in range(phones)),
        tuple(TrunkStatus(f"t{i}-trunk-carrier", TrunkKind.ADDRESS, "Not in use") for i in range(100)), (),
        ("agi at 127.0.0.1:4573: no answer",))


def test_what_is_wrong_comes_first() -> None:
    assert shown(status_of(5))[0] == "wrong: agi at 127.0.0.1:4573: no answer"


def test_status_of_many_tenants_fits_a_screen_and_says_what_is_not_listed() -> None:
    lines = shown(status_of(1000))
    assert len(lines) < 30
    text = " ".join(" ".join(lines).split())
    assert "t0-200-desk" in text
    assert "registers no more since" in text
    assert "0 of 1000 registered" in text
    assert text.endswith("not listed: 100 more trunks, 999 more phones; centralka status TENANT lists all of a tenant")


def test_status_of_one_tenant_lists_all_of_it_and_nothing_of_others() -> None:
    lines = shown(status_of(1000), "t7")
    assert [line.split()[0] for line in lines if line.startswith("t")] == ["trunks", "t7-trunk-carrier", *(f"t7-{200 + i}-desk" for i in range(10))]
    assert lines[0].startswith("wrong: agi")


HEALTH = RecordHealth(
    losses=0, losses_file="/x/losses.csv", waiting=0, database="", missed=0, missed_at="", folder="/x", free=10**9, wanted_free=10**7, reserved=10**7,
    reserve_problem="")


def test_records_that_are_well_are_no_problem() -> None:
    assert problems_of(HEALTH) == []


@pytest.mark.parametrize(("change", "sentence"), [
    ({"losses": 3}, "3 lines or calls could not be recorded as they should; /x/losses.csv holds their events"),
    ({"database": "database or disk is full", "waiting": 7}, "7 call records wait for the database: database or disk is full"),
    ({"missed": 5, "missed_at": "2026-11-30 12:00:00 UTC"}, "Asterisk did not write 5 events of calls to the CEL file, the last"),
    ({"free": 4096}, "0.0 MB are left in the file system of /x, and 10.0 MB are reserved there for events of calls"),
    ({"reserve_problem": "Operation not supported"}, "no space is reserved for events of calls: Operation not supported"),
])
def test_problem_of_records_is_named(change: dict[str, Any], sentence: str) -> None:
    (found,) = problems_of(replace(HEALTH, **change))
    assert found.startswith(sentence)
