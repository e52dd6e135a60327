"""The moments and callers that stand for all others."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from simulator.mentions import Mentions, mentions_of
from simulator.samples import callers_of, hours, moments_of

MONDAY, WARSAW = date(2026, 11, 23), "Europe/Warsaw"
CHRISTMAS = date(2026, 12, 25)
SAMPLES = list(moments_of(Mentions(frozenset({time(8)}), frozenset({CHRISTMAS, date(2026, 11, 24)})), MONDAY, WARSAW))


def test_each_day_and_each_date_has_midnight_noon_and_the_edges_of_every_time() -> None:
    days = {sample.moment.date() for sample in SAMPLES}
    assert len(days) == 8
    for day in days:
        assert [f"{sample.moment:%H:%M}" for sample in SAMPLES if sample.moment.date() == day] == ["00:00", "07:59", "08:00", "12:00"]
    assert [sample.named for sample in SAMPLES if sample.moment.date() == CHRISTMAS] == [True] * 4


def test_date_is_told_as_a_date_and_a_week_as_days() -> None:
    zone = ZoneInfo(WARSAW)
    at = {datetime.combine(CHRISTMAS, time(12), zone), datetime.combine(MONDAY, time(12), zone)}
    assert hours(SAMPLES, at) == "Mon, 2026-12-25 12:00-24:00"
    assert hours(SAMPLES, {sample.moment for sample in SAMPLES}) == ""


def test_usual_hidden_foreign_and_mentioned_callers_are_tried() -> None:
    callers = list(callers_of(Mentions(numbers=("+48600100200", "+4822")), "PL"))
    assert callers[0].startswith("+48")
    assert callers[1] == ""
    assert callers[2].startswith("+44")
    assert callers[3:] == ["+48600100200", "+48220000000"]
    assert next(number for number in callers_of(Mentions(), "GB") if number and not number.startswith("+44")).startswith("+49")


def test_numbers_that_only_one_side_speaks_of_come_first() -> None:
    joined = Mentions(numbers=("+481111111", "+482222222")).joined(Mentions(numbers=("+481111111", "+483333333")))
    assert joined.numbers == ("+482222222", "+483333333", "+481111111")


def test_times_dates_and_numbers_are_found_at_any_depth_and_nothing_else() -> None:
    found = mentions_of([{"a": [{"from": "+48221", "text": "call +48221 now", "at": time(8, 30)}], "b": (CHRISTMAS, 7, None, True)}])
    assert found == Mentions(frozenset({time(8, 30)}), frozenset({CHRISTMAS}), ("+48221",))
