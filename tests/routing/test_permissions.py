"""Who may call whom outside, when, and how one steps over it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from routing.call.admission import Usage
from routing.call.english import in_english
from routing.call.facts import Facts, Forwarding, Personal
from routing.call.state import Decision, Origin, Started
from routing.call.step import Dial, Play, Read
from routing.check.check import read_platform, read_tenant
from routing.engine.engine import next_step
from routing.platform.platform import Platform
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
  "201": {name: Anna}
  "202": {name: Jan, type: premium}
  "203": {name: Zofia, type: operator}
  "204": {name: Piotr, permissions: []}
  "205": {name: Ewa, closed_outside: {hours: [{days: sat-sun, opens: "00:00", closes: "00:00"}]}}
numbers:
  "+48221234567": {to: "201"}
  "+48221234568": {to: menu}
trunks:
  carrier: {kind: address, address: 192.0.2.1}
menus:
  menu: {prompt: hello, keys: {"1": "201"}, no_key: "201", wrong_key: "201"}
prompts:
  hello: {text: Tak}
failover: {ring: ["201"]}
"""
WORKDAY = datetime(2026, 11, 25, 9, tzinfo=UTC)
NATIONAL, MOBILE, FREE, ABROAD, PREMIUM = "587000001", "600100200", "800100200", "+4930123456", "700100200"


def tenant(*changes: tuple[str, str], platform: Platform | None = None) -> Tenant:
    text = TENANT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return read_tenant(text, "acme.yaml", platform or Platform(brake=None))


def dial(number: str, extension: str, at: Tenant | None = None, **world: object) -> Simulation:
    script = Script(Origin.PHONE, number, WORKDAY, extension, caller=extension)
    return simulate(at or tenant(), replace(script, **world))      # type: ignore[arg-type]


@pytest.mark.parametrize(("extension", "reached"), [
    ("201", {NATIONAL, MOBILE, FREE}), ("202", {NATIONAL, MOBILE, FREE, ABROAD}),
    ("203", {NATIONAL, MOBILE, FREE, ABROAD, PREMIUM}), ("204", set())])
def test_user_reaches_whom_the_extension_type_or_the_own_permissions_name(extension: str, reached: set[str]) -> None:
    numbers = (NATIONAL, MOBILE, FREE, ABROAD, PREMIUM)
    assert {number for number in numbers if dial(number, extension).outcome.startswith("answered")} == reached


def test_platform_changes_what_a_type_may_and_adds_types_of_its_own() -> None:
    platform = read_platform(
        "extension_types:\n  standard: {permissions: [internal]}\n  lobby: {permissions: [national]}\nbrake:\n", "platform.yaml")
    changed = tenant(("Jan, type: premium", "Jan, type: lobby"), platform=platform)
    assert dial(MOBILE, "201", changed).ends == "refused (not allowed)"
    assert dial(NATIONAL, "202", changed).outcome.startswith("answered")
    assert dial(ABROAD, "203", changed).outcome.startswith("answered")


def test_refused_caller_hears_why_and_the_path_says_it() -> None:
    found = dial(ABROAD, "201")
    assert Play(("sys_not_permitted",), early=True) in found.steps
    assert in_english(found.path[1].why) == "international is not among 201's permissions"


def test_user_without_the_permission_calls_no_colleague_either() -> None:
    assert in_english(dial("201", "204").path[0].why) == "internal is not among 204's permissions"
    assert dial("221234567", "204").ends == "refused (not allowed)"


@pytest.mark.parametrize("number", ["112", "999", "+48998"])
def test_nothing_stands_between_a_phone_and_an_emergency_number(number: str) -> None:
    taken = Usage(lines=8, stopped=frozenset({"", "204"}), minutes={"204": 9999})
    office = tenant(("failover:", "plan: {name: office_one}\nclosed_outside: {caller: {kinds: [internal]}}\nfailover:"),
                    ("\n  \"202\": {name: Jan, type: premium}", ""), platform=Platform())
    assert dial(number, "204", office, usage=taken).outcome.startswith("answered")


def test_weekend_closes_calls_outside_for_who_wants_it_so() -> None:
    saturday = datetime(2026, 11, 28, 9, tzinfo=UTC)
    assert dial(NATIONAL, "205").outcome.startswith("answered")
    closed = dial(NATIONAL, "205", moment=saturday)
    assert (closed.ends, "sys_outside_closed") == ("refused (not allowed)", closed.steps[0].prompts[0])      # type: ignore[union-attr]
    assert in_english(closed.path[1].why).startswith("calls outside are closed: Sat 10:00 is in")
    assert dial(NATIONAL, "201", moment=saturday).outcome.startswith("answered")


def test_right_pin_steps_over_what_is_not_permitted() -> None:
    found = dial(ABROAD, "201", permission_pins={"": "4821"}, keys=("4821#",))
    assert (found.outcome, found.asked) == ("answered by +4930123456", ("outgoing",))
    assert found.steps[0] == Read(("sys_not_permitted", "sys_outside_pin"), 11, 5, secret=True)


def test_users_own_pin_is_the_only_one_that_counts() -> None:
    assert dial(ABROAD, "201", permission_pins={"": "4821", "201": "7777"}, keys=("4821#",)).ends == "refused (not allowed)"
    assert dial(ABROAD, "201", permission_pins={"": "4821", "201": "7777"}, keys=("7777#",)).outcome.startswith("answered")


def test_third_wrong_pin_ends_the_call() -> None:
    found = dial(ABROAD, "201", permission_pins={"": "4821"}, keys=("1#", "22#", "333#", "4821#"))
    assert (found.ends, len(found.asked)) == ("refused (not allowed)", 3)


def test_no_pin_is_asked_for_where_there_is_none_and_none_is_no_answer() -> None:
    assert not dial(ABROAD, "201").asked
    assert dial(ABROAD, "201", permission_pins={"": "4821"}, keys=("",)).ends == "refused (not allowed)"


def test_path_never_tells_the_keys_of_a_pin() -> None:
    for keys in (("4821#",), ("9753#", "9753#", "9753#")):
        found = dial(ABROAD, "201", permission_pins={"": "4821"}, keys=keys)
        told = " ".join(in_english(visit.why) for visit in found.path)
        assert "4821" not in told
        assert "9753" not in told


def test_forward_of_a_user_goes_only_where_the_user_may_call() -> None:
    script = Script(Origin.TRUNK, "+48221234567", WORKDAY, caller="+48600100999")
    for to, outcome in ((MOBILE, "answered by +48600100200"), (ABROAD, "message for 201"), ("700100200", "message for 201")):
        forwards = Personal(forwards={Forwarding.UNCONDITIONAL: to if to.startswith("+") else f"+48{to}"})
        assert simulate(tenant(), replace(script, personal={"201": forwards})).outcome == outcome


GROUP = (("+48221234568\": {to: menu}", "+48221234568\": {to: sales}"), ("failover:", """groups:
  sales: {members: ["204", "202"], forwards: follow, unanswered: nobody, none_available: closed}
hangups: {nobody: {}, closed: {}}
failover:"""))


@pytest.mark.parametrize(("member", "to", "rings"), [
    ("202", "+4930123456", True), ("202", "+48703123456", False), ("204", "+48600100200", False), ("204", "+48703123456", False)])
def test_forward_that_a_group_follows_goes_only_where_its_user_may_call(member: str, to: str, rings: bool) -> None:
    other = {"202": "204", "204": "202"}[member]
    script = Script(Origin.TRUNK, "+48221234568", WORKDAY, caller="+48600100999", personal={
        member: Personal(forwards={Forwarding.UNCONDITIONAL: to}), other: Personal(paused=True)})
    assert (simulate(tenant(*GROUP), script).outcome == f"answered by {to}") is rings


def test_forward_that_a_group_follows_counts_as_a_call_of_its_user() -> None:
    """The numbers of the group itself are nobody's."""
    script = Script(Origin.TRUNK, "+48221234568", WORKDAY, caller="+48600100999", countries=frozenset({"DE"}), personal={
        "202": Personal(forwards={Forwarding.UNCONDITIONAL: "+4930123456"}), "204": Personal(paused=True)})
    firm = tenant(*GROUP, platform=Platform())
    assert simulate(firm, script).outcome == "answered by +4930123456"
    for usage in (Usage(stopped=frozenset({"202"})), Usage(calls={"202": 4}), Usage(minutes={"202": 600})):
        assert simulate(firm, replace(script, usage=usage)).ends == "refused"
    assert simulate(firm, replace(script, usage=Usage(calls={"": 4, "204": 4}))).outcome == "answered by +4930123456"


def test_group_that_may_ring_none_of_its_numbers_is_left_as_one_where_nobody_is() -> None:
    group = ("failover:", """groups:
  sales: {members: ["+48600100201", "+48600100202"], rounds: 2, unanswered: "203", none_available: "202", all_busy: "204"}
failover:""")
    firm = tenant(("{to: menu}", "{to: sales}"), group, platform=Platform())
    script = Script(Origin.TRUNK, "+48221234568", WORKDAY, caller="+48600100999", usage=Usage(stopped=frozenset({""})))
    found = simulate(firm, script)
    assert found.outcome == "answered by 202"
    assert not [in_english(visit.why) for visit in found.path if in_english(visit.why).startswith("rings +")]


@pytest.mark.parametrize(("lines", "outcome"), [(0, "answered by +48600100200"), (1, "message for 201"), (2, "refused (busy)")])
def test_call_from_outside_that_is_forwarded_outside_takes_two_lines(lines: int, outcome: str) -> None:
    forwarded = (("201\": {name: Anna}", "201\": {name: Anna, forwards: {unconditional: \"+48600100200\"}}"),
                 ("failover:", "plan: {name: two}\nfailover:"))
    two = read_platform("plans: {two: {lines: 2}}\nbrake:\n", "platform.yaml")
    script = Script(Origin.TRUNK, "+48221234567", WORKDAY, caller="+48600100999", usage=Usage(lines=lines))
    assert simulate(tenant(*forwarded, platform=two), script).ends == outcome


def test_number_that_only_rang_holds_no_line_while_the_next_one_rings() -> None:
    """And numbers that ring together hold one each: one of three finds none."""
    platform = read_platform("plans: {two: {lines: 3}}\nbrake:\n", "platform.yaml")
    group = ("failover:", """plan: {name: two}
groups:
  sales: {algorithm: ALGORITHM, members: ["+48600100201", "+48600100202", "+48600100203"], ring_s: 5, unanswered: bye}
hangups: {bye: {}}
failover:""")
    script = Script(Origin.TRUNK, "+48221234568", WORKDAY, caller="+48600100999", silent=frozenset(
        {"+48600100201", "+48600100202", "+48600100203"}))
    for algorithm, rung in (("ring_all", [2]), ("ordered", [1, 1, 1])):
        changed = (group[0], group[1].replace("ALGORITHM", algorithm))
        found = simulate(tenant(("{to: menu}", "{to: sales}"), changed, platform=platform), script)
        assert [len(step.outside) for step in found.steps if isinstance(step, Dial)] == rung


@pytest.mark.parametrize("number", ["+2482900000", "+48001234567", "+390000000"])
def test_number_of_no_dialling_plan_is_no_target_of_a_forward(number: str) -> None:
    """Ranges that nobody has are where fraud calls to."""
    script = Script(Origin.TRUNK, "+48221234567", WORKDAY, caller="+48600100999", personal={
        "201": Personal(forwards={Forwarding.UNCONDITIONAL: number})})
    assert simulate(tenant(), script).outcome == "answered by 201"
    assert in_english(dial(f"*72{number.replace('+', '00')}", "203").path[0].why).startswith("203 cannot forward to")


def test_number_of_no_dialling_plan_is_called_by_no_element() -> None:
    external = tenant(("+48221234568\": {to: menu}", "+48221234568\": {to: far}"), ("failover:", """externals:
  far: {number: "+2482900000", unanswered: "201"}
failover:"""))
    found = simulate(external, Script(Origin.TRUNK, "+48221234568", WORKDAY, caller="+48600100999"))
    assert found.outcome == "answered by 201"
    assert "+2482900000 is not called: it is no number of any dialling plan" in [in_english(visit.why) for visit in found.path]


@pytest.mark.parametrize(("to", "more"), [
    ('"202"', ("type: premium", 'type: premium, forwards: {unconditional: "+4930123456"}')),
    ('"202"', ("type: premium", 'mobile: "+4930123456", rings: {direct: {mobile: 0}}')),
    ("far", ("failover:", 'externals:\n  far: {number: "+4930123456", unanswered: "203"}\nfailover:')),
])
def test_new_foreign_country_is_called_by_no_flow_until_somebody_has_confirmed_it(to: str, more: tuple[str, str]) -> None:
    firm = tenant(("{to: menu}", f"{{to: {to}}}"), more, platform=Platform())
    script = Script(Origin.TRUNK, "+48221234568", WORKDAY, caller="+48600100999")
    assert "answered by +49" not in simulate(firm, script).outcome
    assert any("nobody has called DE before" in in_english(visit.why) for visit in simulate(firm, script).path)
    assert simulate(firm, replace(script, countries=frozenset({"DE"}))).outcome == "answered by +4930123456"


@pytest.mark.parametrize(("text", "path", "found"), [
    ("plans:\n  big: {users: many}", "plans.big.users", "found 'many'"),
    ("extension_types:\n  lobby: {permissions: [local]}", "extension_types.lobby.permissions.#1", "found 'local'"),
    ("brakes: {}", "brakes", "unknown section 'brakes' (did you mean 'brake'?)"),
])
def test_platform_file_with_an_error_is_refused_with_its_place(text: str, path: str, found: str) -> None:
    with pytest.raises(ConfigError) as error:
        read_platform(text, "platform.yaml")
    assert [(problem.path, found in problem.text) for problem in error.value.problems] == [(path, True)], error.value


@pytest.mark.parametrize(("old", "new", "path", "found"), [
    ("type: premium", "type: premum", "users.202.type", "no extension type named 'premum' (did you mean 'premium'?)"),
    ("failover:", "plan: {name: wco_3}\nfailover:", "users", "found 5 users, plan wco_3 has 3"),
    ("failover:", "plan: {name: wco_9}\nfailover:", "plan.name", "no plan named 'wco_9'"),
    ("failover:", "plan: {name: wco_ngd}\nfailover:", "plan.name", "wco_ngd is only an addition"),
    ("failover:", "plan: {name: office_maxi, lines: 2}\nfailover:", "plan.lines", "found 2 lines, plan office_maxi has 3 to 8"),
    ("failover:", "plan: {name: wco_5, additions: {wco_3: 1}}\nfailover:", "plan.additions.wco_3", "no addition"),
    ('numbers:\n', 'numbers:\n  "+48221234569": {to: menu}\n', "numbers", "found 2 main numbers, plan wco_5 has 1"),
    ("failover:", "platform: {brake: null}\nfailover:", "platform", "unknown section 'platform'"),
    ("closed_outside: {hours:", "closed_outside: {switches: {night: on}, hours:", "users.205.closed_outside.switches.night", "no 'night'"),
])
def test_check_names_the_place_where_a_tenant_has_more_than_its_plan(old: str, new: str, path: str, found: str) -> None:
    more = (("failover:", "plan: {name: wco_5}\nfailover:"),) if path == "numbers" else ()
    with pytest.raises(ConfigError) as error:
        tenant((old, new), *more)
    assert any(problem.path == path and found in problem.text for problem in error.value.problems), error.value


def test_additions_to_a_plan_are_counted() -> None:
    bought = "plan: {name: wco_3, additional_users: 2, additions: {wco_ngd: 1}}\nfailover:"
    assert tenant(("failover:", bought), ('numbers:\n', 'numbers:\n  "+48221234569": {to: menu}\n')).terms.users == 5


def test_call_that_a_user_transfers_outside_goes_where_that_user_may_call_and_asks_nobody_for_a_pin() -> None:
    def transfer(number: str, by: str) -> Decision:
        facts = Facts(WORKDAY, transferrer=by, caller="+48600100999", dialled=number)
        return next_step(tenant(), facts, None, Started(Origin.TRANSFER, number))

    assert isinstance(transfer(ABROAD, "202").step, Dial)
    refused = transfer(ABROAD, "201")
    assert isinstance(refused.step, Dial)
    assert (refused.step.outside, refused.step.first_prompts) == ((), ("sys_not_permitted",)), "it comes back to 201"
