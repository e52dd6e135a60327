"""A switch is moved by a call from an own phone, and tells where it stands now."""

from datetime import UTC, datetime

import pytest

from routing.call.effects import NOT_CHANGED, Flip
from routing.call.english import in_english
from routing.call.facts import Facts
from routing.call.state import Origin, Started
from routing.call.step import Play
from routing.engine.engine import next_step
from simulator.script import Script
from simulator.simulate import simulate
from tests.tenants_for_tests import acme, changed, problems

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TENANT = acme(("numbers:", """switches:
  night: {extension: "555", positions: ['off', 'on', away], prompts: {away: welcome}}
  mode: {extension: "556", initial: day}
numbers:"""), ('"3": "203"', '"3": night'))


@pytest.mark.parametrize(("extension", "stands", "moves"), [
    ("555", {}, "on"), ("555", {"night": "on"}, "away"), ("555", {"night": "away"}, "off"), ("555", {"night": "gone"}, "on"),
    ("556", {}, "night"), ("556", {"mode": "night"}, "auto")])
def test_call_moves_a_switch_to_its_next_position(extension: str, stands: dict[str, str], moves: str) -> None:
    result = simulate(TENANT, Script(Origin.PHONE, extension, NOON, "201", switches=stands))
    assert [in_english(visit.why) for visit in result.path[1:]] == [f"201 moves it to {moves}", "hangs up"]
    assert result.ends == "refused"


@pytest.mark.parametrize(("place", "prompt"), [(0, "sys_switch_off"), (1, "sys_switch_on"), (2, "welcome"), (NOT_CHANGED, "sys_switch_stuck")])
def test_caller_hears_the_position_or_that_it_could_not_be_changed(place: int, prompt: str) -> None:
    facts = Facts(NOON, "201", answers={Flip("night", ("off", "on", "away"), "off"): place})
    assert next_step(TENANT, facts, None, Started(Origin.PHONE, "555", "201")).step == Play((prompt,))


def test_caller_from_outside_moves_nothing_and_hears_why_not() -> None:
    result = simulate(TENANT, Script(Origin.TRUNK, "+48221234567", NOON, keys=("3",)))
    assert in_english(result.path[-2].why) == "can be moved from the tenant's own phones only"
    assert result.ends == "refused"


@pytest.mark.parametrize(("switch", "problem"), [
    ("{initial: on}", "found the position 'on', expected one of auto, day, night"),
    ("{prompts: {on: welcome}}", "found the position 'on', expected one of auto, day, night"),
    ("{positions: [a, a]}", "found a twice, expected each once"),
    ("{prompts: {day: hello}}", "no prompt named 'hello'"),
])
def test_mistake_in_a_switch_is_told(switch: str, problem: str) -> None:
    (found,) = problems(changed(("numbers:", f"switches:\n  night: {switch}\nnumbers:")))
    assert found.endswith(problem)
