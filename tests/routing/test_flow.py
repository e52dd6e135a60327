"""What callers experience, played by the simulator."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.call.english import in_english
from routing.call.facts import DeviceState, Facts
from routing.call.state import Awaits, DialEnded, DialStatus, Digits, Event, Origin, Played, Started, State, VoicemailEnded
from routing.call.step import CheckVoicemail, Dial, Failover, Hangup
from routing.engine.engine import MAX_HOPS, awaits, next_step
from routing.tenant.tenant import Tenant
from simulator.script import Script, Simulation
from simulator.simulate import simulate
from tests.tenants_for_tests import acme

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MAIN = "+48221234567"


def from_outside(
    tenant: Tenant, *keys: str, states: dict[str, DeviceState] | None = None, silent: tuple[str, ...] = (), number: str = MAIN,
    moment: datetime = NOON,
) -> Simulation:
    return simulate(tenant, Script(
        Origin.TRUNK, number, moment, keys=keys, states=states or {}, silent=frozenset(silent)))


def from_phone(tenant: Tenant, number: str, extension: str = "202", **states: DeviceState) -> Simulation:
    return simulate(tenant, Script(
        Origin.PHONE, number, NOON, caller_extension=extension, states={key[1:]: state for key, state in states.items()}))


def test_key_leads_to_the_group_and_the_first_phone_answers() -> None:
    assert from_outside(acme(), "1").outcome == "answered by 201"


@pytest.mark.parametrize("number", ["+48221234567", "48221234567", "0048221234567", "221234567"])
def test_public_number_is_known_however_the_carrier_writes_it(number: str) -> None:
    assert from_outside(acme(), "1", number=number).outcome == "answered by 201"


def test_caller_who_presses_nothing_twice_reaches_a_human() -> None:
    assert from_outside(acme(), "", "").outcome == "answered by 201"


def test_caller_who_presses_a_wrong_key_twice_reaches_a_human() -> None:
    result = from_outside(acme(), "8", "9")
    assert result.outcome == "answered by 201"
    assert "wrong key 9, 2 in all" in in_english(result.path[-3].why)


def test_nothing_once_and_a_wrong_key_once_are_counted_apart() -> None:
    assert from_outside(acme(), "", "9", "2").outcome == "answered by 202"


def test_ordered_group_rings_its_members_in_their_order() -> None:
    assert from_outside(acme(), "2", silent=("202",)).outcome == "answered by 201"


def test_member_in_a_call_is_passed_over() -> None:
    result = from_outside(acme(), "2", states={"202": DeviceState.IN_USE})
    assert result.outcome == "answered by 201"
    assert in_english(result.path[-2].why) == "rings 201"


def test_member_in_a_call_rings_where_the_group_says_so() -> None:
    tenant = acme(("ring_s: 10", "ring_s: 10, skip_busy: false"))
    assert from_outside(tenant, "2", states={"202": DeviceState.IN_USE}).outcome == "answered by 202"


def test_everybody_in_a_call_leads_on_at_once() -> None:
    busy = {"201": DeviceState.BUSY, "202": DeviceState.IN_USE}
    assert from_outside(acme(), "1", states=busy).outcome == "message for 201"


def test_nobody_answers_and_the_mailbox_takes_the_call() -> None:
    assert from_outside(acme(), "1", silent=("201", "202")).outcome == "message for 201"


def test_user_without_mailbox_is_not_left_in_silence() -> None:
    result = from_outside(acme(), "3", silent=("203",))
    assert [in_english(visit.why) for visit in result.path[-2:]] == ["no answer, no mailbox", "announcement played, hangs up"]


def test_missed_call_of_a_user_goes_where_the_user_says() -> None:
    tenant = acme(("devices: [desk], voicemail: false", "devices: [desk], voicemail: false, missed: sales"))
    assert from_outside(tenant, "3", silent=("203",)).outcome == "answered by 201"


@pytest.mark.parametrize(("state", "cause"), [
    (DeviceState.BUSY, "busy"), (DeviceState.UNAVAILABLE, "not reachable")])
def test_caller_of_a_colleague_gets_the_cause(state: DeviceState, cause: str) -> None:
    assert from_phone(acme(), "203", _203=state).ends == f"refused ({cause})"


def test_extension_reaches_a_user_and_an_element() -> None:
    assert from_phone(acme(), "201").outcome == "answered by 201"
    assert from_phone(acme(), "300").outcome == "answered by 201"


def test_own_public_number_can_be_dialled_from_a_phone() -> None:
    assert from_phone(acme(), "221234567").path[1].node == "main"


@pytest.mark.parametrize("number", ["98", "*1", "#", "+", "00000000000000000000", "2011"])
def test_number_that_is_nothing_is_told_so(number: str) -> None:
    assert from_phone(acme(), number).ends == "refused (no such number)"


def test_number_of_another_tenant_is_nothing_here() -> None:
    assert from_outside(acme(), number="+390612345678").ends == "refused (no such number)"


def test_extension_is_not_reachable_from_a_trunk() -> None:
    assert from_outside(acme(), number="201").ends == "refused (no such number)"


def test_code_opens_the_mailbox_of_the_phone_that_calls() -> None:
    decision = next_step(acme(), Facts(NOON), None, Started(Origin.PHONE, "*97", "202"))
    assert decision.step == CheckVoicemail("202")
    assert in_english(from_phone(acme(), "*97", "203").path[0].why) == "203 has no mailbox"


def test_code_does_nothing_from_outside() -> None:
    assert from_outside(acme(), number="*97").ends == "refused (no such number)"


SHOP = ("numbers:", """schedules:
  hours:
    windows:
      - {days: mon-fri, opens: "08:00", closes: "16:00"}
      - {days: fri-sat, opens: "22:00", closes: "02:00"}
    open: sales
    closed: night
announcements:
  night: {prompts: [welcome], next: mail}
numbers:""")


@pytest.mark.parametrize(("local", "is_open"), [
    ("2026-11-23 07:59", False), ("2026-11-23 08:00", True), ("2026-11-23 15:59", True), ("2026-11-23 16:00", False),
    ("2026-11-27 22:00", True), ("2026-11-28 01:59", True), ("2026-11-28 02:00", False), ("2026-11-29 01:59", True),
    ("2026-11-30 01:00", False),                 # Monday night: Sunday has no window
    ("2026-03-29 01:30", True),                  # the night when 02:00 becomes 03:00
    ("2026-03-29 03:00", False),
    ("2026-10-25 01:59", True),                  # the night when 03:00 becomes 02:00
    ("2026-10-25 02:30", False),
])
def test_firm_is_open_by_its_own_clock(local: str, is_open: bool) -> None:
    tenant = acme(SHOP, ("{to: main}", "{to: hours}"))
    moment = datetime.fromisoformat(local + ":00+00:00")
    from zoneinfo import ZoneInfo
    moment = moment.replace(tzinfo=ZoneInfo("Europe/Warsaw"))
    assert from_outside(tenant, moment=moment).outcome == ("answered by 201" if is_open else "message for 201")


def test_element_that_was_removed_under_a_call_hands_it_to_the_failover() -> None:
    decision = next_step(acme(), Facts(NOON), State("gone", Awaits.DIGITS, 3), Digits("1"))
    assert decision.step == Failover()


def test_loop_that_only_runs_at_night_is_stopped() -> None:
    tenant = acme(
        ("numbers:", """schedules:
  one: {windows: [{days: mon-sun, opens: "10:00", closes: "11:00"}], open: sales, closed: two}
  two: {windows: [{days: mon-sun, opens: "10:00", closes: "11:00"}], open: sales, closed: one}
numbers:"""), ("{to: main}", "{to: one}"))
    result = from_outside(tenant)
    assert result.outcome == "failover"
    assert in_english(result.path[-1].why) == f"stopped after {MAX_HOPS} elements"


EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(Digits, st.text("0123456789*#ABCD", max_size=2)), st.just(Played()), st.just(VoicemailEnded()),
    st.builds(DialEnded, st.sampled_from(DialStatus)))


@given(st.lists(EVENTS, min_size=1, max_size=80), st.dictionaries(st.just("acme-201-desk"), st.sampled_from(DeviceState)))
def test_any_events_in_any_order_end_in_a_step_and_never_leave_the_tenant(
    events: list[Event], devices: dict[str, DeviceState],
) -> None:
    tenant = acme()
    own = {endpoint for extension in tenant.users for endpoint in tenant.endpoints_of(extension)}
    state: State | None = None
    for event in [Started(Origin.TRUNK, MAIN), *events]:
        decision = next_step(tenant, Facts(NOON, devices=devices), state, event)
        assert decision.path
        assert decision.state.awaits == awaits(decision.step)
        if isinstance(decision.step, Dial):
            assert set(decision.step.endpoints) <= own
        if isinstance(decision.step, Hangup | Failover):
            break
        state = decision.state


@given(st.text("0123456789*#+", min_size=1, max_size=20), st.sampled_from(Origin), st.lists(st.text("0123456789*#", max_size=1)))
def test_simulating_any_number_and_keys_ends(number: str, origin: Origin, keys: list[str]) -> None:
    result = simulate(acme(), Script(origin, number, NOON, caller_extension="202", keys=tuple(keys)))
    assert result.outcome
