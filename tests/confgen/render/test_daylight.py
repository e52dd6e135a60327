"""Time zones as devices are told them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest

from confgen.render.daylight import ClockChange, parse_zone, read_zone


def test_every_time_zone_that_a_file_may_name_can_be_told() -> None:
    for name in available_timezones():
        read_zone(name)


@pytest.mark.parametrize("name", ["Europe/Warsaw", "Europe/Rome", "America/New_York", "Australia/Sydney", "Asia/Kolkata", "Africa/Lagos"])
def test_offset_is_the_zones_own_in_winter_and_summer(name: str) -> None:
    zone = read_zone(name)
    moments = [datetime(2030, month, 15, tzinfo=UTC).astimezone(ZoneInfo(name)).utcoffset() for month in range(1, 13)]
    ahead_s = zone.summer.ahead_s if zone.summer else 0
    assert set(moments) == {timedelta(seconds=zone.east_s), timedelta(seconds=zone.east_s + ahead_s)}


def test_last_sunday_of_march_at_two_is_read_as_such() -> None:
    zone = parse_zone("CET-1CEST,M3.5.0,M10.5.0/3")
    assert zone.summer
    assert (zone.summer.begins, zone.summer.ends) == (ClockChange(3, 5, 0, 2), ClockChange(10, 5, 0, 3))
    assert (zone.offset, zone.short_offset) == ("+01:00", "+1")


def test_rule_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="expected one such as CET-1CEST"):
        parse_zone("CET-1CEST,J60,J300")
