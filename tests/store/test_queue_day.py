"""A queue's day, from call records."""

import itertools
from datetime import UTC, datetime, timedelta

from routing.call.reasons import Reasons, Why
from store.queue_day import QueueDay, day_of
from store.records import CallRecord, Leg, Outcome, PathEntry

BEGAN = datetime(2026, 11, 24, 8, tzinfo=UTC)
IDS = itertools.count(1)
Recorded = tuple[CallRecord, list[Leg]]


def after(seconds: int) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def call(*path: tuple[int, str, Reasons], ended_s: int = 99, **answered_s: int) -> Recorded:
    """`answered_s`: after how many seconds which channel answered; that of the caller, who hears music, did at once."""
    entries = tuple(PathEntry(after(at), node, why) for at, node, why in path)
    name = f"1.{next(IDS)}"
    channels = {"PJSIP/acme-trunk-carrier-00000001": 0} | {f"PJSIP/acme-{who[1:]}-desk-00000002": at for who, at in answered_s.items()}
    legs = [Leg("acme", name, f"{name}.{i}", channel, "", BEGAN, after(at), after(ended_s), 16)
            for i, (channel, at) in enumerate(channels.items())]
    local = Leg("acme", name, f"{name}.9", "Local/201@acme-agent-00000001;1", "", BEGAN, after(3), after(ended_s), 16)
    record = CallRecord("acme", name, BEGAN, None, after(ended_s), "+48600100200", "", "+48221234567", None, Outcome.ANSWERED, entries)
    return record, [*legs, local]


def day(*calls: Recorded) -> QueueDay:
    return day_of("line", [each for each, _ in calls], {each.linkedid: legs for each, legs in calls}, service_level_s=20)


JOINS = (2, "line", Why.WAITS_FOR("201, 202"))


def test_callers_are_answered_in_time_or_late_lost_or_sent_on() -> None:
    over = (60, "line", Why.CONVERSATION_OVER())
    counted = day(
        call((0, "start", Why.TO_DID("+48")), JOINS, over, x201=12),
        call(JOINS, x201=32),                       # the caller hung up after the conversation
        call(JOINS),
        call(JOINS, (22, "line", Why.WAITED(20) + Why.ON_TO("box")), (22, "box", Why.PLAYS("leave"))),
        call(JOINS, (9, "line", Why.KEY(1) + Why.ON_TO("203")), (9, "203", Why.RINGS(Why.WHO("desk"))), x203=15),
        call((0, "other", Why.WAITS_FOR("201")), x201=3),
        call((0, "line", Why.NO_AGENT() + Why.ON_TO("bye")), (0, "bye", Why.HANGS_UP())),
    )
    assert counted == QueueDay(answered=2, in_time=1, abandoned=1, left=2, average_wait_s=20.0, longest_wait_s=30.0)
    assert counted.service_level == 33.3


RINGS = (0, "203", Why.RINGS(Why.WHO("desk")))
TRANSFERRED = (30, "line", Why.WAITS_FOR("201, 202"))


def test_caller_whom_a_colleague_has_transferred_into_the_line_counts_from_there() -> None:
    start = (30, "start", Why.DIALS("203", "300"))
    assert day(call(RINGS, start, TRANSFERRED, x203=5, x201=42)) == QueueDay(1, 1, 0, 0, 12.0, 12.0)
    assert day(call(RINGS, start, TRANSFERRED, x203=5)) == QueueDay(0, 0, 1, 0)
    assert day(call(RINGS, start, TRANSFERRED, (50, "line", Why.WAITED(20) + Why.ON_TO("bye")), x203=5)) == QueueDay(0, 0, 0, 1)


def test_caller_whom_an_agent_transfers_on_was_answered_by_the_line() -> None:
    """And then waits in another one."""
    moved = call(JOINS, (40, "start", Why.DIALS("201", "300")), (40, "other", Why.WAITS_FOR("203")), x201=10, x203=50)
    assert day(moved) == QueueDay(1, 1, 0, 0, 8.0, 8.0)
    assert day_of("other", [moved[0]], {moved[0].linkedid: moved[1]}, 5) == QueueDay(1, 0, 0, 0, 10.0, 10.0)


def test_caller_who_is_offered_a_call_back_stands_in_the_line_until_it_is_agreed() -> None:
    offered, declined = (9, "line", Why.KEY(1) + Why.OFFERS_CALL_BACK()), (14, "line", Why.NO_CALL_BACK() + Why.WAITS_FOR("201, 202"))
    agreed = (14, "line", Why.CALLS_BACK("+48600100200", 2))
    assert day(call(JOINS, offered, declined, (60, "line", Why.CONVERSATION_OVER()), x201=22)) == QueueDay(1, 1, 0, 0, 20.0, 20.0)
    assert day(call(JOINS, offered, declined)) == QueueDay(0, 0, 1, 0)
    assert day(call(JOINS, offered)) == QueueDay(0, 0, 1, 0)
    assert day(call(JOINS, offered, agreed, (19, "line", Why.HANGS_UP()))) == QueueDay(0, 0, 0, 1)
    assert day(call(JOINS, offered, declined, (50, "line", Why.WAITED(50) + Why.ON_TO("box")), (50, "box", Why.PLAYS("leave")))) == QueueDay(0, 0, 0, 1)


def test_day_without_callers_has_no_service_level() -> None:
    assert day().service_level is None
