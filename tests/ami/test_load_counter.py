"""What a call's record adds to its users' loads, on the tenant's own day, and whom the call was for."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from ami.records.ended_calls import called, conversations
from routing.call.reasons import Why
from store.records import CallRecord, Leg, Outcome, PathEntry
from store.user_calls import Conversation

EVENING = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)      # in Warsaw it is tomorrow already


def leg(number: int, channel: str, answered_s: int | None) -> Leg:
    answered_at = None if answered_s is None else EVENING + timedelta(seconds=answered_s)
    endpoint = channel.removeprefix("PJSIP/")
    return Leg("acme", "1", str(number), channel, endpoint, EVENING, answered_at, EVENING + timedelta(seconds=60), 16)


def call(outcome: Outcome, answered_s: int | None) -> CallRecord:
    answered_at = None if answered_s is None else EVENING + timedelta(seconds=answered_s)
    return CallRecord("acme", "1", EVENING, answered_at, EVENING + timedelta(seconds=60), "", "", "300", "201", outcome, ())


def test_who_took_the_call_and_who_made_it_have_talked_and_who_only_rang_has_not() -> None:
    legs = [leg(1, "PJSIP/acme-205-desk", 0), leg(2, "PJSIP/acme-201-desk", 20), leg(3, "PJSIP/acme-202-desk", None),
            leg(4, "Local/5-acme-203-desk@later", 20), leg(5, "PJSIP/acme-trunk-carrier", 20)]
    found = conversations(call(Outcome.ANSWERED, 20), legs, ZoneInfo("Europe/Warsaw"), {})
    talk = EVENING + timedelta(seconds=20), EVENING + timedelta(seconds=60)
    assert found.day == "2026-11-24"
    assert found.had == (Conversation("201", *talk), Conversation("205", *talk))
    assert found.rung == {"201", "202"}


def test_each_user_pays_for_the_own_legs_outside_and_the_tenant_for_those_of_no_user() -> None:
    legs = [leg(1, "PJSIP/acme-trunk-carrier", 0), leg(2, "PJSIP/acme-trunk-carrier", 20), leg(3, "PJSIP/acme-trunk-carrier", 30),
            leg(4, "PJSIP/acme-trunk-carrier", 50), leg(5, "PJSIP/acme-trunk-carrier", None), leg(6, "PJSIP/acme-trunk-carrier", 9)]
    found = conversations(call(Outcome.ANSWERED, 20), legs, UTC, {"2": "201", "3": "202", "4": "", "5": "202"})
    assert found.outside_s == {"201": 40, "202": 30, "": 10}


def test_caller_who_reached_a_mailbox_has_talked_to_nobody() -> None:
    found = conversations(call(Outcome.VOICEMAIL, None), [leg(1, "PJSIP/acme-205-desk", 0)], UTC, {})
    assert (found.had, found.rung, found.day) == ((), frozenset(), "2026-11-23")


def test_call_was_for_who_was_rung_and_for_who_would_have_been_and_not_for_its_caller() -> None:
    path = (PathEntry(EVENING, "204", Why.NOT_TO_BE_DISTURBED("204")), PathEntry(EVENING, "sales", Why.RINGS(Why.WHO("201"))))
    legs = [leg(1, "PJSIP/acme-205-desk", 0), leg(2, "PJSIP/acme-201-desk", None), leg(3, "PJSIP/acme-trunk-carrier", 20),
            leg(4, "PJSIP/acme-205-home", None)]
    found = called(replace(call(Outcome.ANSWERED, 20), caller="205", path=path), legs)
    assert (found.caller, found.extensions) == ("205", {"201", "204"})


def test_call_that_wakes_a_user_up_is_from_nobody() -> None:
    legs = [leg(1, "Local/ring@wake_up", 0), leg(2, "PJSIP/acme-201-desk", 5)]
    assert called(call(Outcome.ANSWERED, 5), legs).extensions == frozenset()
