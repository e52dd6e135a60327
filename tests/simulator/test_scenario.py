"""Scenario files: what is wrong in them is told with its line."""

import pytest

from routing.check.check import read_tenant
from simulator.scenario_reading import read_scenarios
from tests.tenants_for_tests import ACME
from yaml_models.errors import ConfigError

SCENARIO = """at: 2026-11-25 10:00
scenarios:
  - title: A call
    call: {from: anonymous, to: "+48221234567"}
    given:
      GIVEN
    expect: {ends: refused}
"""


@pytest.mark.parametrize(("given", "path", "text"), [
    ('settings: {"209": [dnd]}', "settings.209", "no user with extension '209'"),
    ('settings: {"201": [dnd, asleep]}', "settings.201.#2", "found 'asleep', expected dnd, pause, logout"),
    ('settings: {"201": [logout=nobody]}', "settings.201.#1", "201 is in no group or queue 'nobody', expected one of"),
    ('settings: {"201": [pause=all]}', "settings.201.#1", "201 is in no group or queue 'all'"),
    ('settings: {"201": [busy=209]}', "settings.201.#1", "found the target '209'"),
    ("switches: {dusk: night}", "switches.dusk", "found the switch 'dusk', expected one of night"),
    ("switches: {night: dawn}", "switches.night", "found the position 'dawn', expected one of auto, day, night"),
])
def test_what_nobody_can_set_is_refused_with_its_line_and_what_there_is(given: str, path: str, text: str) -> None:
    tenant = read_tenant(ACME.replace("numbers:", "switches:\n  night: {}\nnumbers:", 1), "acme.yaml")
    with pytest.raises(ConfigError) as refused:
        read_scenarios(SCENARIO.replace("GIVEN", given), "acme.scenarios.yaml", tenant)
    (problem,) = refused.value.problems
    assert str(problem).startswith(f"acme.scenarios.yaml:6 scenarios.#1.given.{path}: ")
    assert text in problem.text


@pytest.mark.parametrize(("phones", "text"), [
    ("{201-dect: rings}", "no device '201-dect'"), ('{"201": rings, 201-desk: answers}', "201 stands there too")])
def test_device_that_nobody_has_or_that_is_told_twice_is_refused(phones: str, text: str) -> None:
    scenario = SCENARIO.replace("    given:\n      GIVEN\n", f"    phones: {phones}\n")
    with pytest.raises(ConfigError, match=text):
        read_scenarios(scenario, "acme.scenarios.yaml", read_tenant(ACME, "acme.yaml"))
