"""What each kind of node asks for, step by step, and what the engine and the simulator make of it."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from routing.call.effects import Turn
from routing.call.english import in_english
from routing.call.facts import Answers, DeviceState, Facts, Unanswered
from routing.call.state import (
    Awaits,
    Decision,
    DialEnded,
    DialStatus,
    Digits,
    Entered,
    Event,
    Origin,
    Played,
    Started,
    State,
    VoicemailEnded,
)
from routing.call.step import Cause, Dial, Failover, Hangup, Play, Read, Step, Voicemail
from routing.engine.engine import MAX_HOPS, next_step
from routing.nodes.menu import Menu
from routing.tenant.tenant import Tenant
from simulator.script import Script
from simulator.simulate import simulate
from tests.tenants_for_tests import acme, changed, problems
from tests.words import words

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MAIN = Started(Origin.TRUNK, "+48221234567")
NO_ANSWER = DialEnded(DialStatus.NOANSWER)
SALES = Dial(("acme-201-desk", "acme-202-desk"), 20)
TWO_PROMPTS = ("{text: Witamy}", "{text: Witamy}\n  other: {text: Inny}")
THREE_TRIES = ("no_key: sales", "no_key: sales\n    tries: 3")


def colleague(number: str, extension: str = "202") -> Started:
    return Started(Origin.PHONE, number, extension)


def played(
    tenant: Tenant, *events: Event, devices: Mapping[str, DeviceState] | None = None, answers: Answers | None = None,
) -> list[Decision]:
    """The decision after each event of one call."""
    decisions: list[Decision] = []
    extension = events[0].caller_extension if isinstance(events[0], Started) else ""
    facts = Facts(NOON, extension, devices=devices or {}, answers=answers or {})
    state: State | None = None
    for event in events:
        decision = next_step(tenant, facts, state, event)
        decisions.append(decision)
        state = decision.state
    return decisions


def steps(
    tenant: Tenant, *events: Event, devices: Mapping[str, DeviceState] | None = None, answers: Answers | None = None,
) -> list[Step]:
    return [decision.step for decision in played(tenant, *events, devices=devices, answers=answers)]


# Menu


def test_caller_may_press_nothing_as_often_as_the_menu_says_and_no_more() -> None:
    ask = Read(("welcome",), 1, 5)
    assert steps(acme(THREE_TRIES), MAIN, Digits(""), Digits(""), Digits("")) == [ask, ask, ask, SALES]
    assert steps(acme(), MAIN, Digits(""), Digits("")) == [ask, ask, SALES]


def test_caller_may_press_a_wrong_key_as_often_as_the_menu_says_and_no_more() -> None:
    ask, again = Read(("welcome",), 1, 5), Read(("sys_wrong_key", "welcome"), 1, 5)
    anna = Dial(("acme-201-desk",), 20)
    assert steps(acme(THREE_TRIES), MAIN, Digits("9"), Digits("9"), Digits("9")) == [ask, again, again, anna]
    assert steps(acme(), MAIN, Digits("9"), Digits("9")) == [ask, again, anna]


def test_wrong_keys_between_do_not_start_the_count_of_nothing_again() -> None:
    decisions = played(acme(THREE_TRIES), MAIN, *map(Digits, ["", "9", "", "9", ""]))
    assert [decision.state.memory for decision in decisions[:-1]] == [(0, 0), (1, 0), (1, 1), (2, 1), (2, 2)]
    assert decisions[-1].step == SALES
    assert words(decisions[-1].path[0]) == ("main", "no key 3 times, on to sales")


def test_nothing_between_does_not_start_the_count_of_wrong_keys_again() -> None:
    decisions = played(acme(THREE_TRIES), MAIN, *map(Digits, ["9", "", "9", "", "8"]))
    assert [decision.state.memory for decision in decisions[:-1]] == [(0, 0), (0, 1), (1, 1), (1, 2), (2, 2)]
    assert decisions[-1].step == Dial(("acme-201-desk",), 20)
    assert words(decisions[-1].path[0]) == ("main", "wrong key 8, 3 in all, on to 201")


def test_caller_hears_the_menus_own_words_for_a_wrong_key_before_the_question() -> None:
    tenant = acme(TWO_PROMPTS, ("no_key: sales", "no_key: sales\n    wrong_key_prompt: other"))
    assert steps(tenant, MAIN, Digits("9"))[1] == Read(("other", "welcome"), 1, 5)


def test_menu_waits_as_long_as_it_says_in_each_question() -> None:
    tenant = acme(("no_key: sales", "no_key: sales\n    tries: 3\n    wait_s: 9"))
    assert steps(tenant, MAIN, Digits(""), Digits("9")) == [
        Read(("welcome",), 1, 9), Read(("welcome",), 1, 9), Read(("sys_wrong_key", "welcome"), 1, 9)]


# Group


def test_member_who_talks_on_one_of_two_devices_is_passed_over_on_both() -> None:
    tenant = acme(("Anna, devices: [desk]", "Anna, devices: [desk, mobile]"))
    for busy in ("acme-201-desk", "acme-201-mobile"):
        assert steps(tenant, MAIN, Digits("1"), devices={busy: DeviceState.IN_USE})[1] == Dial(("acme-202-desk",), 20)


@pytest.mark.parametrize("state", [
    DeviceState.IDLE, DeviceState.RINGING, DeviceState.UNAVAILABLE, DeviceState.UNKNOWN])
def test_only_a_member_in_a_call_is_passed_over(state: DeviceState) -> None:
    assert steps(acme(), MAIN, Digits("1"), devices={"acme-201-desk": state})[1] == SALES


@pytest.mark.parametrize("state", [DeviceState.IN_USE, DeviceState.BUSY])
def test_member_in_a_call_is_not_rung(state: DeviceState) -> None:
    assert steps(acme(), MAIN, Digits("1"), devices={"acme-201-desk": state})[1] == Dial(("acme-202-desk",), 20)


def test_nobody_is_offered_their_own_call() -> None:
    assert steps(acme(), colleague("300", "201")) == [Dial(("acme-202-desk",), 20)]


def test_group_rings_as_long_as_it_says() -> None:
    tenant = acme(('"202"], unanswered', '"202"], ring_s: 33, unanswered'))
    assert steps(tenant, MAIN, Digits("1"))[1] == Dial(("acme-201-desk", "acme-202-desk"), 33)
    assert steps(acme(), MAIN, Digits("2"))[1] == Dial(("acme-202-desk",), 10, passed_on=True)


def test_members_who_rang_together_are_rung_once() -> None:
    decisions = played(acme(), MAIN, Digits("1"), NO_ANSWER)
    assert decisions[1].state == State("sales", Awaits.DIAL, 1, (0, 0, 0, 0, 3))
    assert decisions[2].step == Play(("sys_leave_message",))
    assert words(decisions[2].path[0]) == ("sales", "noanswer, nobody is left, on to mail")


def test_members_in_order_are_each_rung_once() -> None:
    decisions = played(acme(), MAIN, Digits("2"), NO_ANSWER, DialEnded(DialStatus.BUSY))
    assert [decision.step for decision in decisions[1:]] == [
        Dial(("acme-202-desk",), 10, passed_on=True), Dial(("acme-201-desk",), 10), Play(("sys_leave_message",))]
    assert [decision.state.memory for decision in decisions[1:3]] == [(0, 0, 0, 1, 1), (0, 0, 3, 2, 3)]


def test_member_who_was_passed_over_is_not_rung_later() -> None:
    decisions = played(acme(), MAIN, Digits("2"), NO_ANSWER, devices={"acme-202-desk": DeviceState.IN_USE})
    assert [decision.step for decision in decisions[1:]] == [Dial(("acme-201-desk",), 10), Play(("sys_leave_message",))]
    assert decisions[1].state.memory == (0, 0, 4, 2, 2)


@pytest.mark.parametrize(("turn", "order"), [(0, ["202", "201"]), (1, ["201", "202"]), (2, ["202", "201"])])
def test_each_call_begins_with_the_member_after_the_one_before(turn: int, order: list[str]) -> None:
    tenant = acme(("algorithm: ordered", "algorithm: round_robin"))
    rung = steps(tenant, MAIN, Digits("2"), NO_ANSWER, NO_ANSWER, answers={Turn("service"): turn})[1:]
    assert rung == [
        Dial((f"acme-{order[0]}-desk",), 10, passed_on=True), Dial((f"acme-{order[1]}-desk",), 10), Play(("sys_leave_message",))]


def test_turn_that_nobody_has_taken_is_asked_for() -> None:
    with pytest.raises(Unanswered) as asked:
        steps(acme(("algorithm: ordered", "algorithm: round_robin")), MAIN, Digits("2"))
    assert asked.value.question == Turn("service")


def test_conversation_with_a_member_is_the_end_of_the_call() -> None:
    assert steps(acme(), MAIN, Digits("2"), DialEnded(DialStatus.ANSWER))[2] == Hangup(Cause.NORMAL)


# User


def test_missed_call_goes_where_the_user_says_although_there_is_a_mailbox() -> None:
    tenant = acme(("Anna, devices: [desk]", "Anna, devices: [desk], missed: service"))
    decisions = played(tenant, colleague("201"), NO_ANSWER)
    assert tenant.users["201"].voicemail
    assert words(decisions[1].path[0]) == ("201", "no answer, on to service")


@pytest.mark.parametrize(("status", "reason", "cause"), [
    (DialStatus.BUSY, "busy", Cause.BUSY),
    (DialStatus.NOANSWER, "no answer", Cause.NO_ANSWER),
    (DialStatus.UNAVAILABLE, "not registered", Cause.UNAVAILABLE),
    (DialStatus.CONGESTION, "refused the call", Cause.UNAVAILABLE),
    (DialStatus.CANCEL, "the caller gave up", Cause.NORMAL),
])
def test_caller_of_a_user_without_mailbox_is_told_unanswered_and_gets_the_cause(
    status: DialStatus, reason: str, cause: Cause,
) -> None:
    decisions = played(acme(), colleague("203"), DialEnded(status), Played())
    assert decisions[1].step == Play(("sys_unavailable",), early=True)
    assert words(decisions[1].path) == (("203", f"{reason}, no mailbox"),)
    assert decisions[2].step == Hangup(cause)


def test_user_rings_on_all_devices_as_long_as_the_file_says() -> None:
    tenant = acme(("Anna, devices: [desk]", "Anna, devices: [desk, mobile], ring_s: 45"))
    assert steps(tenant, colleague("201")) == [Dial(("acme-201-desk", "acme-201-mobile"), 45)]


def test_two_devices_of_a_user_with_one_name_are_refused() -> None:
    text = changed(("Anna, devices: [desk]", "Anna, devices: [desk, mobile, desk]"))
    assert problems(text) == ["acme.yaml:7 users.201.devices: found desk twice, expected each once"]


def test_missed_call_of_a_user_with_a_mailbox_is_greeted_recorded_and_ended() -> None:
    assert steps(acme(), colleague("201"), NO_ANSWER, Played(), VoicemailEnded())[1:] == [
        Play(("sys_leave_message",)), Voicemail("201"), Hangup(Cause.NORMAL)]


def test_conversation_with_a_user_is_the_end_of_the_call() -> None:
    assert steps(acme(), colleague("201"), DialEnded(DialStatus.ANSWER))[1] == Hangup(Cause.NORMAL)


# Voicemail, hangup, announcement


def test_mailbox_greets_with_its_own_words() -> None:
    tenant = acme(TWO_PROMPTS, ('mailbox: "201"', 'mailbox: "201", greeting: other'), ("{to: main}", "{to: mail}"))
    assert steps(tenant, MAIN, Played(), VoicemailEnded()) == [
        Play(("other",)), Voicemail("201"), Hangup(Cause.NORMAL)]


def test_caller_is_told_when_the_mailbox_takes_no_message() -> None:
    tenant = acme(("{to: main}", "{to: mail}"))
    assert steps(tenant, MAIN, Played(), VoicemailEnded(failed=True), Played())[2:] == [
        Play(("sys_unavailable",)), Hangup(Cause.NORMAL)]


@pytest.mark.parametrize(("settings", "prompt"), [("{prompt: other}", "other"), ("{}", "sys_unavailable")])
def test_caller_is_told_why_before_the_call_ends(settings: str, prompt: str) -> None:
    tenant = acme(TWO_PROMPTS, ("voicemails:", f"hangups:\n  bye: {settings}\nvoicemails:"), ("{to: main}", "{to: bye}"))
    assert steps(tenant, MAIN, Played()) == [Play((prompt,)), Hangup(Cause.NORMAL)]


def test_caller_hears_all_of_an_announcement_in_its_order() -> None:
    tenant = acme(
        TWO_PROMPTS, ("voicemails:", "announcements:\n  news: {prompts: [other, welcome, other], next: sales}\nvoicemails:"),
        ("{to: main}", "{to: news}"))
    assert steps(tenant, MAIN, Played()) == [Play(("other", "welcome", "other")), SALES]


# The engine


@pytest.mark.parametrize(("state", "event"), [
    (State("sales", Awaits.DIAL, 1), NO_ANSWER),                           # the group's place is lost
    (State("main", Awaits.DIGITS, 0, (1, 2, 3)), Digits("9")),             # more counters than a menu has
    (State("203", Awaits.PLAYED, 0, (99,)), Played()),                     # no such cause
    (State("main", Awaits.DIAL, 0, (0, 0)), NO_ANSWER),                    # a menu never dials
    (State("mail", Awaits.DIGITS, 0), Digits("1")),                        # a mailbox asks for no key
    (State("start", Awaits.PLAYED, 0), Played()),
    (State("start", Awaits.PLAYED, 0, (99,)), Played()),
])
def test_call_whose_state_makes_no_sense_reaches_a_human(state: State, event: Event) -> None:
    decision = next_step(acme(), Facts(NOON), state, event)
    assert decision.step == Failover()
    assert decision.state == State(state.node, Awaits.NOTHING, state.hops)
    assert len(decision.path) == 1


def test_fault_of_ours_is_no_callers_choice_and_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Menu, "decide", lambda self, here, memory, event: ("",)[len(memory) + 1])
    with pytest.raises(IndexError):
        next_step(acme(), Facts(NOON), None, Started(Origin.TRUNK, "+48221234567"))
    with pytest.raises(IndexError):
        simulate(acme(), Script(Origin.TRUNK, "+48221234567", NOON))


@pytest.mark.parametrize("event", [Digits("1"), Played(), NO_ANSWER, VoicemailEnded(), Entered()])
def test_event_without_a_call_reaches_a_human(event: Event) -> None:
    decision = next_step(acme(), Facts(NOON), None, event)
    assert decision.step == Failover()
    assert words(decision.path) == (("start", "an event without a call"),)


def chain(length: int) -> Tenant:
    """A public number that passes `length` closed schedules before the group."""
    rows = [
        f"  s{i}: {{windows: [{{days: sun, opens: '01:00', closes: '01:01'}}], open: sales, closed: "
        f"{'sales' if i == length - 1 else f's{i + 1}'}}}"
        for i in range(length)]
    return acme(("menus:", "schedules:\n" + "\n".join(rows) + "\nmenus:"), ("{to: main}", "{to: s0}"))


def test_call_may_visit_exactly_as_many_elements_as_the_limit() -> None:
    last = played(chain(MAX_HOPS - 1), MAIN)[0]
    assert last.step == SALES
    assert last.state == State("sales", Awaits.DIAL, MAX_HOPS - 1, (0, 0, 0, 0, 3))
    too_many = played(chain(MAX_HOPS), MAIN)[0]
    assert too_many.step == Failover()
    assert words(too_many.path[-1]) == ("sales", f"stopped after {MAX_HOPS} elements")
    assert len(too_many.path) == MAX_HOPS + 2


@pytest.mark.parametrize(("hops", "step"), [(MAX_HOPS - 2, SALES), (MAX_HOPS - 1, Failover())])
def test_elements_visited_before_a_question_count_after_it(hops: int, step: Step) -> None:
    decision = next_step(acme(), Facts(NOON), State("main", Awaits.DIGITS, hops, (0, 0)), Digits("1"))
    assert decision.step == step
    assert decision.state.hops == hops + 1


def test_unknown_number_is_told_without_an_answer_and_refused() -> None:
    assert steps(acme(), Started(Origin.TRUNK, "+48229999999"), Played()) == [
        Play(("sys_unknown_number",), early=True), Hangup(Cause.UNKNOWN_NUMBER)]


def test_owner_without_a_mailbox_is_told_and_the_call_ends_normally() -> None:
    assert steps(acme(), colleague("*97", "203"), Played()) == [Play(("sys_no_mailbox",)), Hangup(Cause.NORMAL)]


# The simulator


def simulated(tenant: Tenant, *keys: str, **states: DeviceState) -> list[str]:
    script = Script(Origin.TRUNK, "+48221234567", NOON, keys=keys, states={key[1:]: state for key, state in states.items()},
                    silent=frozenset({"201", "202", "203"}))
    return [in_english(visit.why) for visit in simulate(tenant, script).path]


def test_one_phone_that_is_away_does_not_make_the_others_away() -> None:
    assert "noanswer, nobody is left, on to mail" in simulated(acme(), "1", x201=DeviceState.UNAVAILABLE)
    assert "noanswer, nobody is left, on to mail" in simulated(acme(), "1", x202=DeviceState.UNAVAILABLE)
    both = simulated(acme(), "1", x201=DeviceState.UNAVAILABLE, x202=DeviceState.UNKNOWN)
    assert "chanunavail, nobody is available, on to mail" in both


def test_one_phone_that_is_away_and_one_that_refuses_are_busy() -> None:
    tenant = acme(('"202"], unanswered', '"202"], skip_busy: false, unanswered'))
    assert "busy, everybody is busy, on to mail" in simulated(tenant, "1", x201=DeviceState.UNAVAILABLE, x202=DeviceState.BUSY)


def test_only_as_many_keys_count_as_a_question_takes() -> None:
    assert simulated(acme(), "12")[1:3] == ["asks for a key", "key 1, on to sales"]


def test_pin_of_a_room_is_asked_for_as_keys_that_leave_no_trace() -> None:
    tenant = acme(("{to: main}", '{to: room}\nconferences: {room: {pin: "1234", wrong_pin: mail, closed: mail}}'))
    (decision,) = played(tenant, MAIN)
    assert decision.state.awaits is Awaits.PIN
