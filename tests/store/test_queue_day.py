"""A queue's day, from call records."""

from datetime import UTC, datetime, timedelta

from store.queue_day import QueueDay, day_of
from store.records import Call, Outcome, PathEntry

BEGAN = datetime(2026, 11, 24, 8, tzinfo=UTC)


def call(*path: tuple[int, str, str], outcome: Outcome, answered_s: int | None = None) -> Call:
    entries = tuple(PathEntry(BEGAN + timedelta(seconds=at), node, why) for at, node, why in path)
    answered = BEGAN + timedelta(seconds=answered_s) if answered_s is not None else None
    return Call("acme", "1.1", BEGAN, answered, BEGAN + timedelta(seconds=99), "+48600100200", "", "+48221234567",
                "201" if answered else None, outcome, entries)


JOINS = (2, "line", "waits for 201, 202")


def test_callers_are_answered_in_time_or_late_lost_or_sent_on() -> None:
    over = (60, "line", "the conversation is over")
    calls = [
        call((0, "start", "to +48"), JOINS, over, outcome=Outcome.ANSWERED, answered_s=12),
        call(JOINS, outcome=Outcome.ANSWERED, answered_s=32),                       # the caller hung up after the conversation
        call(JOINS, outcome=Outcome.UNANSWERED),
        call(JOINS, (22, "line", "waited 20 s, on to box"), (22, "box", "plays leave"), outcome=Outcome.VOICEMAIL),
        call(JOINS, (9, "line", "key 1, on to 203"), (9, "203", "rings desk"), outcome=Outcome.ANSWERED, answered_s=15),
        call((0, "other", "waits for 201"), outcome=Outcome.ANSWERED, answered_s=3),
        call((0, "line", "no agent is there, on to bye"), (0, "bye", "hangs up"), outcome=Outcome.UNANSWERED),
    ]
    day = day_of("line", calls, service_level_s=20)
    assert day == QueueDay(answered=2, in_time=1, abandoned=1, left=2, average_wait_s=20.0, longest_wait_s=30.0)
    assert day.service_level == 33.3


def test_day_without_callers_has_no_service_level() -> None:
    assert day_of("line", [], 20).service_level is None
