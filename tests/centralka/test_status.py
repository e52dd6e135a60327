"""What `centralka status` says of a device that is not simply there."""

from datetime import UTC, datetime, timedelta

from centralka.status import PhoneStatus, notice_of
from routing.facts import DeviceState
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
