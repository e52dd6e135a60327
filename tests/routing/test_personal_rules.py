"""Where calls straight to a user go by the user's own rules."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from routing.call.english import in_english
from routing.call.facts import DeviceState, Forwarding, Personal
from routing.call.state import Origin
from routing.check.check import read_tenant
from routing.tenant.tenant import Tenant
from simulator.script import Script, Simulation
from simulator.simulate import simulate
from yaml_models.errors import ConfigError

TENANT = """
tenant: acme
name: Acme
country: PL
language: pl
timezone: Europe/Warsaw
users:
  "201":
    name: Anna
    rules:
      - {title: the boss, when: {caller: {numbers: ["+48600100200"]}}, to: "202"}
      - {when: {hours: [{days: mon-sun, opens: "20:00", closes: "07:00"}]}, to: "+48600100201"}
      - {title: my number, when: {dialled: ["+48221234568"], switches: {away: night}}, to: box}
  "202": {name: Jan, forwards: {busy: "203"}}
  "203": {name: Zofia}
numbers:
  "+48221234567": {to: team}
  "+48221234568": {to: "201"}
trunks:
  carrier: {kind: address, address: 192.0.2.1}
switches:
  away: {extension: "300"}
groups:
  team: {members: ["201"], unanswered: box}
voicemails:
  box: {mailbox: "201", greeting: hello}
prompts:
  hello: {text: Tak}
failover: {ring: ["201"]}
"""
DAY, NIGHT = datetime(2026, 11, 25, 9, tzinfo=UTC), datetime(2026, 11, 25, 21, tzinfo=UTC)
BOSS, OTHER = "+48600100200", "+48587000009"


def tenant(text: str = TENANT) -> Tenant:
    return read_tenant(text, "acme.yaml")


def call(caller: str, to: str = "+48221234568", **world: object) -> Simulation:
    return simulate(tenant(), replace(Script(Origin.TRUNK, to, DAY, caller=caller), **world))      # type: ignore[arg-type]


def test_first_rule_that_holds_decides_and_the_path_says_which() -> None:
    assert call(BOSS).outcome == "answered by 202"
    assert in_english(call(BOSS).path[1].why) == "forwards this call (the boss: caller +48600100200 is one of the rule's numbers) to 202"
    assert call(OTHER, moment=NIGHT).outcome == "answered by +48600100201"
    assert call(OTHER, switches={"away": "night"}).outcome == "message for 201"


def test_where_no_rule_holds_the_phone_rings() -> None:
    assert call(OTHER).outcome == "answered by 201"


def test_rule_goes_before_what_the_user_has_set() -> None:
    busy = Personal(do_not_disturb=True, forwards={Forwarding.UNCONDITIONAL: "203"})
    assert call(BOSS, personal={"201": busy}).outcome == "answered by 202"
    assert call(OTHER, personal={"201": busy}).outcome == "answered by 203"


def test_forward_of_the_colleague_goes_on_from_there() -> None:
    assert call(BOSS, states={"202": DeviceState.BUSY}).outcome == "answered by 203"


def test_rules_are_for_calls_straight_to_the_user_and_for_no_group() -> None:
    assert call(BOSS, "+48221234567").outcome == "answered by 201"


def test_rule_that_leads_back_to_the_caller_is_passed_over() -> None:
    script = Script(Origin.PHONE, "201", NIGHT, "202", caller="202")
    assert simulate(tenant(), script).outcome == "answered by +48600100201"
    assert call("+48600100201", moment=NIGHT).outcome == "answered by 201"


@pytest.mark.parametrize(("old", "new", "path", "found"), [
    ('to: "202"}', 'to: "209"}', "users.201.rules.#1.to", "no user with extension '209'"),
    ("+48600100201", "+48500990990", "users.201.rules.#2.to", "may be neither"),
    ("switches: {away: night}", "switches: {awway: night}", "users.201.rules.#3.when.switches.awway", "no 'awway' in switches"),
])
def test_check_names_the_place_of_a_rule_that_leads_nowhere(old: str, new: str, path: str, found: str) -> None:
    assert old in TENANT
    with pytest.raises(ConfigError) as error:
        tenant(TENANT.replace(old, new))
    assert any(problem.path == path and found in problem.text for problem in error.value.problems), error.value
