"""Mobile access: a caller's number alone opens nothing, and a PIN leaves no trace."""

import pytest

from routing.call.effects import CheckPin, PinIs
from routing.call.english import in_english
from routing.call.facts import Answers, Facts
from routing.call.state import Awaits, Digits, Event, Origin, Started
from routing.call.step import CallAs, Dial, Read
from routing.engine.engine import next_step
from routing.tenant.tenant import Tenant
from simulator.script import Script
from simulator.simulate import simulate
from tests.routing.test_nodes import NOON
from tests.tenants_for_tests import acme, changed, problems

TRUNK = ("menus:", "trunks:\n  carrier: {kind: address, address: 192.0.2.7}\nmenus:")
MOBILE = ("Anna, devices: [desk]", 'Anna, devices: [desk], mobile: "+48600100201"')
ACCESS = ("{to: main}", "{to: access}\nmobile_accesses:\n  access: {users: [USERS], otherwise: main}")
ANNA, PIN = "+48600100201", "471147"


def firm(users: str = '"201"', *changes: tuple[str, str]) -> Tenant:
    return acme(TRUNK, MOBILE, (ACCESS[0], ACCESS[1].replace("USERS", users)), *changes)


def played(caller: str, *events: Event, is_: PinIs = PinIs.RIGHT) -> list[object]:
    """The step after each event, and the last state."""
    tenant, state, steps = firm(), None, list[object]()
    answers: Answers = {CheckPin("201", PIN): is_}
    for event in (Started(Origin.TRUNK, "+48221234567"), *events):
        decision = next_step(tenant, Facts(NOON, caller=caller, answers=answers), state, event)
        state = decision.state
        assert PIN not in f"{state} {decision.path} {decision.step}"
        steps.append(decision.step)
    return [*steps, state]


def test_number_that_is_keyed_after_the_right_pin_is_called_as_by_the_user() -> None:
    ask, number, calls, state = played(ANNA, Digits(f"{PIN}#"), Digits("202#"))
    assert ask == Read(("sys_mobile_pin",), 10, 5, secret=True)
    assert number == Read(("sys_mobile_number",), 24, 5)
    assert calls == CallAs("201", "202")
    assert state.awaits is Awaits.NOTHING      # type: ignore[attr-defined]


@pytest.mark.parametrize("caller", ["", "+48600100202", "600100201x", "201"])
def test_any_other_caller_is_asked_for_no_pin(caller: str) -> None:
    assert played(caller)[0] == Read(("welcome",), 1, 5)


@pytest.mark.parametrize("is_", [PinIs.WRONG, PinIs.LOCKED])
def test_wrong_and_locked_pins_call_as_nobody(is_: PinIs) -> None:
    steps = played(ANNA, *[Digits(PIN)] * (3 if is_ is PinIs.WRONG else 1), is_=is_)
    assert not any(isinstance(step, CallAs) for step in steps)
    assert steps[-2] == Read(("welcome",), 1, 5)


def test_state_of_another_caller_is_no_proof() -> None:
    """The flow was changed under the call: its user has lost the right."""
    *_, state = played(ANNA, Digits(PIN))
    decision = next_step(firm('"202"', ("Jan, devices: [desk]", 'Jan, devices: [desk], mobile: "+48600100202"')),
                         Facts(NOON, caller=ANNA), state, Digits("202"))      # type: ignore[arg-type]
    assert not isinstance(decision.step, CallAs)


@pytest.mark.parametrize("number", ["", "12A4", "A", "#"])
def test_keys_that_no_phone_dials_are_asked_for_again_and_then_the_call_ends(number: str) -> None:
    *_, again, last, state = played(ANNA, Digits(PIN), Digits(number), Digits(number))
    assert again == Read(("sys_mobile_number",), 24, 5)
    assert state.awaits is Awaits.NOTHING      # type: ignore[attr-defined]
    assert not isinstance(last, CallAs)


def test_colleague_sees_a_colleague_and_the_firm_rings_the_mobile_of_nobody_else() -> None:
    found = simulate(firm(), Script(Origin.TRUNK, "+48221234567", NOON, caller=ANNA, keys=(PIN, "202")))
    assert found.outcome == "answered by 202"
    assert isinstance(found.steps[-2], Dial)
    assert [in_english(visit.why) for visit in found.path if visit.node == "access"][-1] == "201 dials 202"


@pytest.mark.parametrize(("users", "changes", "text"), [
    ('"201", "202"', (), "mobile_accesses.access.users.#2: user 202 has no mobile"),
    ('"201", "202"', (("Jan, devices: [desk]", 'Jan, devices: [desk], mobile: "+48600100201"'),),
     "users.#2: the mobile of 202 is that of 201 too, expected one for each"),
    ('"209"', (), "no user with extension '209'"),
])
def test_users_who_cannot_be_told_by_their_mobile_are_refused(users: str, changes: tuple[tuple[str, str], ...], text: str) -> None:
    found = problems(changed(TRUNK, MOBILE, (ACCESS[0], ACCESS[1].replace("USERS", users)), *changes))
    assert any(text in problem for problem in found), found
