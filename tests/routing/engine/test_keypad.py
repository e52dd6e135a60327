"""What a code changes, and that its caller is told when nothing was changed."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from routing.call.changes import DoNotDisturb, Forward, LoggedOut, Paused, Setting, WakeUp
from routing.call.effects import CHANGED, NOT_CHANGED, ChangeSetting, Flip, FlipPause, PutSwitch
from routing.call.english import in_english
from routing.call.facts import Facts, Forwarding, Personal
from routing.call.questions import NOT_KNOWN, LastCaller, Question
from routing.call.state import Origin, Played, Started
from routing.call.step import Hangup, Play
from routing.engine.engine import next_step
from routing.engine.keypad import next_moment
from routing.tenant.settings import after
from simulator.script import Script
from simulator.simulate import simulate
from tests.tenants_for_tests import acme

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TENANT = acme(
    ("failover:", 'switches:\n  night: {positions: [auto, day]}\ncodes: {switches: {night: "*30"}}\nfailover:'),
    ("voicemails:", 'queues:\n  line: {extension: "400", members: ["201"], max_wait_s: 9, unanswered: mail}\nvoicemails:'),
    ("numbers:", 'trunks:\n  carrier: {kind: address, address: 192.0.2.1}\nnumbers:'))
OTHERS = ("service", "line")


@pytest.mark.parametrize(("before", "setting", "expected"), [
    (Personal(), Paused(True), Personal(paused=True)),
    (Personal(paused_in=frozenset({"a"})), Paused(True), Personal(paused=True)),
    (Personal(paused=True), Paused(False), Personal()),
    (Personal(), Paused(True, "a", ("b",)), Personal(paused_in=frozenset({"a"}))),
    (Personal(paused=True), Paused(False, "a", ("b", "c")), Personal(paused_in=frozenset({"b", "c"}))),
    (Personal(paused_in=frozenset({"a", "b"})), Paused(False, "a", ("b", "c")), Personal(paused_in=frozenset({"b"}))),
    (Personal(logged_out_of=frozenset({"a"})), LoggedOut(True), Personal(logged_out=True)),
    (Personal(), LoggedOut(True, "a", ("b",)), Personal(logged_out_of=frozenset({"a"}))),
    (Personal(logged_out=True), LoggedOut(False, "a", ("b",)), Personal(logged_out_of=frozenset({"b"}))),
    (Personal(logged_out_of=frozenset({"a", "b"})), LoggedOut(False), Personal()),
    (Personal(paused=True), DoNotDisturb(True), Personal(do_not_disturb=True, paused=True)),
    (Personal(forwards={Forwarding.BUSY: "202"}), Forward("busy", "203"), Personal(forwards={Forwarding.BUSY: "203"})),
    (Personal(forwards={Forwarding.BUSY: "202"}), Forward("busy", ""), Personal()),
    (Personal(), Forward("busy", "", fixed=True), Personal(forwards={Forwarding.BUSY: ""})),
    (Personal(), WakeUp(NOON), Personal(wake_up=NOON)),
    (Personal(wake_up=NOON), WakeUp(None), Personal()),
])
def test_what_is_set_after_a_change_is_the_same_after_it_is_made_twice(
    before: Personal, setting: Setting, expected: Personal,
) -> None:
    assert after(before, setting) == expected
    assert after(after(before, setting), setting) == expected


@pytest.mark.parametrize(("code", "question"), [
    ("*50", ChangeSetting("201", LoggedOut(False, "", ("sales", "service", "line")))),
    ("*51400", ChangeSetting("201", LoggedOut(True, "line", ("sales", "service")))),
    ("*52300", ChangeSetting("201", Paused(True, "sales", OTHERS))), ("*53300", ChangeSetting("201", Paused(False, "sales", OTHERS))),
    ("*78", ChangeSetting("201", DoNotDisturb(True))), ("*79", ChangeSetting("201", DoNotDisturb(False))),
    ("*72202", ChangeSetting("201", Forward(Forwarding.UNCONDITIONAL, "202"))),
    ("*90+48600100200", ChangeSetting("201", Forward(Forwarding.BUSY, "+48600100200"))),
    ("*92202", ChangeSetting("201", Forward(Forwarding.NO_ANSWER, "202"))),
    ("*94202", ChangeSetting("201", Forward(Forwarding.UNAVAILABLE, "202"))),
    ("*73", ChangeSetting("201", Forward(Forwarding.UNCONDITIONAL, ""))), ("*91", ChangeSetting("201", Forward(Forwarding.BUSY, ""))),
    ("*93", ChangeSetting("201", Forward(Forwarding.NO_ANSWER, ""))), ("*95", ChangeSetting("201", Forward(Forwarding.UNAVAILABLE, ""))),
    ("*550630", ChangeSetting("201", WakeUp(datetime(2026, 11, 24, 5, 30, tzinfo=UTC)))), ("*56", ChangeSetting("201", WakeUp(None))),
    ("*302", PutSwitch("night", "day")), ("*30", Flip("night", ("auto", "day"), "auto")), ("*69", LastCaller("201")),
    ("*52201", FlipPause("201")),
])
def test_change_that_cannot_be_made_is_told_and_the_call_ends(code: str, question: Question) -> None:
    failed = NOT_KNOWN if isinstance(question, LastCaller) else NOT_CHANGED
    decision = next_step(TENANT, Facts(NOON, "201", answers={question: failed}), None, Started(Origin.PHONE, code, "201"))
    assert decision.step == Play(("sys_switch_stuck" if "*30" in code else "sys_code_failed",))
    assert isinstance(next_step(TENANT, Facts(NOON, "201"), decision.state, Played()).step, Hangup)


def test_phone_without_a_user_changes_nothing_and_hears_that_there_is_no_such_number() -> None:
    decision = next_step(TENANT, Facts(NOON), None, Started(Origin.PHONE, "*78", ""))
    assert decision.step == Play(("sys_unknown_number",), early=True)


def test_simulator_tells_what_would_be_set_afterwards() -> None:
    paused = simulate(TENANT, Script(Origin.PHONE, "*52300", NOON, "201", personal={"201": Personal(do_not_disturb=True)}))
    assert paused.changed == {"201": Personal(do_not_disturb=True, paused_in=frozenset({"sales"}))}
    assert [in_english(visit.why) for visit in paused.path] == ["201 pauses in sales", "hangs up"]
    assert simulate(TENANT, Script(Origin.PHONE, "*30", NOON, "201")).moved == {"night": "day"}


def test_user_who_has_answered_is_told_the_time_and_woken_up_no_more() -> None:
    awake = {ChangeSetting("201", WakeUp(None)): CHANGED}
    decision = next_step(TENANT, Facts(NOON, "201", answers=awake), None, Started(Origin.WAKE_UP, "201", "201"))
    assert decision.step == Play(("sys_time_is", "sys_digit_1", "sys_digit_3", "sys_digit_0", "sys_digit_0"))
    assert [in_english(visit.why) for visit in decision.path] == ["201 is awake"]


@pytest.mark.parametrize(("now", "clock", "expected"), [
    ("2026-11-23 12:00", time(6, 30), "2026-11-24 05:30"), ("2026-11-23 12:00", time(13, 0), "2026-11-24 12:00"),
    ("2026-11-23 12:00", time(13, 1), "2026-11-23 12:01"), ("2026-11-23 22:59", time(0, 0), "2026-11-23 23:00"),
    ("2026-03-28 12:00", time(2, 30), "2026-03-29 01:30"), ("2026-03-28 12:00", time(7, 0), "2026-03-29 05:00"),
    ("2026-10-24 12:00", time(2, 30), "2026-10-25 00:30"), ("2026-10-25 00:30", time(2, 30), "2026-10-26 01:30"),
])
def test_next_moment_of_a_time_is_that_of_the_tenants_clock_also_when_it_is_put_forward_or_back(
    now: str, clock: time, expected: str,
) -> None:
    found = next_moment(datetime.fromisoformat(now).replace(tzinfo=UTC), clock, ZoneInfo("Europe/Warsaw"))
    assert f"{found:%Y-%m-%d %H:%M}" == expected
