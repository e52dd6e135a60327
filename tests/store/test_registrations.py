"""What is noted of where devices register."""

from datetime import UTC, datetime, timedelta

from store.registrations import Registration, changes

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
BEFORE = NOW - timedelta(days=3)
KNOWN = {"acme-201-desk": Registration("192.0.2.7", BEFORE)}


def test_device_that_is_where_it_was_is_not_told_again() -> None:
    assert changes(KNOWN, {"acme-201-desk": "192.0.2.7"}, NOW) == {}


def test_device_from_elsewhere_is_told_with_where_it_was() -> None:
    moved = changes(KNOWN, {"acme-201-desk": "198.51.100.2"}, NOW)
    assert moved == {"acme-201-desk": Registration("198.51.100.2", NOW, before="192.0.2.7")}


def test_device_that_goes_is_told_once_and_again_when_it_is_back() -> None:
    gone = changes(KNOWN, {}, NOW)
    assert gone == {"acme-201-desk": Registration("192.0.2.7", NOW, is_there=False)}
    assert changes(gone, {}, NOW) == {}
    back = changes(gone, {"acme-201-desk": "192.0.2.7"}, NOW)
    assert back == {"acme-201-desk": Registration("192.0.2.7", NOW)}


def test_device_that_comes_back_from_elsewhere_is_told_so() -> None:
    gone = changes(KNOWN, {}, NOW)
    assert changes(gone, {"acme-201-desk": "203.0.113.9"}, NOW)["acme-201-desk"].before == "192.0.2.7"


def test_new_device_is_told() -> None:
    assert changes({}, {"acme-202-desk": "192.0.2.8"}, NOW) == {"acme-202-desk": Registration("192.0.2.8", NOW)}


def test_registration_is_read_as_it_was_written() -> None:
    for each in (KNOWN["acme-201-desk"], Registration("2001:db8::1", NOW, is_there=False, before="192.0.2.7")):
        assert Registration.from_json(each.to_json()) == each
