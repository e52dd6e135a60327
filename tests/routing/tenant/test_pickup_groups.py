"""Who picks up whose calls, and who takes a second one."""

from datetime import UTC, datetime

import pytest

from routing.call.facts import DeviceState, Facts
from routing.call.reasons import Why
from routing.call.state import DialStatus, Origin, Started
from routing.call.step import PickUp, Play
from routing.engine.engine import next_step
from routing.hunt.forwarding import Nobody, Reachable, who_rings
from tests.tenants_for_tests import acme, changed, problems

TENANT = acme(
    ("failover:", 'pickup_groups: {office: ["201", "202"]}\nfailover:'),
    ("Jan, devices: [desk]", "Jan, devices: [desk], call_waiting: false"))
FACTS = Facts(datetime(2026, 11, 24, 12, tzinfo=UTC))


@pytest.mark.parametrize(("who", "code", "step"), [
    ("201", "*8", PickUp((), "sys_nothing_to_pick_up")),
    ("201", "**202", PickUp(("acme-202-desk",), "sys_nothing_to_pick_up")),
    ("203", "*8", Play(("sys_nothing_to_pick_up",), early=True)),
    ("203", "**201", Play(("sys_nothing_to_pick_up",), early=True)),
    ("201", "**203", Play(("sys_nothing_to_pick_up",), early=True)),
    ("201", "**299", Play(("sys_nothing_to_pick_up",), early=True)),
])
def test_calls_are_picked_up_within_the_own_groups(who: str, code: str, step: object) -> None:
    assert next_step(TENANT, FACTS, None, Started(Origin.PHONE, code, who)).step == step


def test_user_without_call_waiting_is_busy_while_in_a_call() -> None:
    facts = Facts(FACTS.moment, devices={"acme-202-desk": DeviceState.IN_USE, "acme-201-desk": DeviceState.IN_USE})
    assert who_rings(TENANT, facts, "202") == Nobody(DialStatus.BUSY, Why.NO_SECOND_CALL("202"))
    assert isinstance(who_rings(TENANT, facts, "201"), Reachable)
    assert isinstance(who_rings(TENANT, FACTS, "202"), Reachable)


def test_unknown_music_and_users_are_named() -> None:
    text = changed(("failover:", 'hold_music: waltz\npickup_groups: {office: ["201", "299"]}\nfailover:'))
    assert problems(text) == [
        "acme.yaml:25 hold_music: no music named 'waltz'",
        "acme.yaml:26 pickup_groups.office.#2: no user with extension '299'"]
