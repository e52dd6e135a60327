"""A phone dials outside: what its number is, which trunks carry it, and what the carrier is shown."""

import re
from datetime import UTC, datetime

import pytest

from routing.call.english import in_english
from routing.call.facts import DeviceState, Facts
from routing.call.state import DialEnded, DialStatus, Origin, Started
from routing.call.step import Dial, Hangup, Play
from routing.check.check import read_tenant
from routing.engine.engine import next_step
from routing.numbering.dialled import CallClass, OutsideNumber, read_dialled
from routing.tenant.tenant import Tenant
from simulator.script import Script, Simulation
from simulator.simulate import simulate
from yaml_models.errors import ConfigError

TENANT = """
tenant: acme
name: Acme
country: PL
area_code: "22"
language: pl
timezone: Europe/Warsaw
users:
  "201": {name: Anna, number: "+48221234568", site: krakow}
  "202": {name: Jan}
  "203": {name: Zofia, number: "+48221234568", shows: main}
  "204": {name: Piotr, number: "+48221234568", shows: nothing}
numbers:
  "+48221234567": {to: "202"}
  "+48221234568": {to: "201"}
  "+48121234569": {to: "201"}
sites:
  krakow: {number: "+48121234569", address: "Kraków, Prosta 1"}
trunks:
  carrier: {kind: address, address: 192.0.2.1}
  backup: {kind: address, address: 192.0.2.2}
routes:
  - {classes: [mobile, emergency], trunks: [backup, carrier]}
failover: {ring: ["201"]}
"""


def tenant(*changes: tuple[str, str]) -> Tenant:
    text = TENANT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return read_tenant(text, "acme.yaml")


def dial(dialled: str, extension: str = "201", *, at: Tenant | None = None, failing: tuple[str, ...] = (),
         states: dict[str, DeviceState] | None = None) -> Simulation:
    return simulate(at or tenant(), Script(
        Origin.PHONE, dialled, datetime(2026, 11, 25, 9, tzinfo=UTC), extension, caller=extension, states=states or {},
        failing_trunks=frozenset(failing)))


def dials(simulation: Simulation) -> list[tuple[str, str]]:
    """The numbers called and the trunks."""
    return [(leg.number, leg.trunk) for step in simulation.steps if isinstance(step, Dial) for leg in step.outside]


def shown(extension: str, dialled: str = "587000001") -> tuple[str, str, bool]:
    (step,) = [step for step in dial(dialled, extension).steps if isinstance(step, Dial)]
    return step.shown, step.vouching, step.hidden


@pytest.mark.parametrize(("dialled", "number", "call_class"), [
    ("+48587000001", "+48587000001", CallClass.NATIONAL),
    ("0048587000001", "+48587000001", CallClass.NATIONAL),
    ("48587000001", "+48587000001", CallClass.NATIONAL),
    ("587000001", "+48587000001", CallClass.NATIONAL),
    ("7000001", "+48227000001", CallClass.NATIONAL),
    ("600100200", "+48600100200", CallClass.MOBILE),
    ("+4930123456", "+4930123456", CallClass.INTERNATIONAL),
    ("004930123456", "+4930123456", CallClass.INTERNATIONAL),
    ("800100200", "+48800100200", CallClass.SPECIAL),
    ("19115", "19115", CallClass.SPECIAL),
    ("118913", "118913", CallClass.PREMIUM),
    ("700100200", "+48700100200", CallClass.PREMIUM),
    ("112", "112", CallClass.EMERGENCY),
    ("+48997", "997", CallClass.EMERGENCY),
    ("0048112", "112", CallClass.EMERGENCY),
])
def test_what_a_user_dials_is_read_as_a_telephone_of_the_country_would(
    dialled: str, number: str, call_class: CallClass,
) -> None:
    assert read_dialled(dialled, "PL", "22") == OutsideNumber(number, call_class)


@pytest.mark.parametrize("dialled", ["", "9", "12345", "+", "*43", "#", "+48", "00", "1" * 40, "+48 600", "600100200#", "0048123", "0012345"])
def test_what_is_no_number_of_any_plan_leads_nowhere(dialled: str) -> None:
    assert read_dialled(dialled, "PL", "22") is None


def test_national_number_leaves_by_the_first_trunk_and_a_mobile_by_its_route() -> None:
    assert dials(dial("587000001")) == [("+48587000001", "acme-trunk-carrier")]
    assert dials(dial("600100200")) == [("+48600100200", "acme-trunk-backup")]


def test_next_trunk_is_tried_when_one_fails_and_each_once() -> None:
    assert [trunk for _, trunk in dials(dial("600100200", failing=("backup",)))] == ["acme-trunk-backup", "acme-trunk-carrier"]
    failed = dial("600100200", failing=("backup", "carrier"))
    assert [trunk for _, trunk in dials(failed)] == ["acme-trunk-backup", "acme-trunk-carrier"]
    assert failed.ends == "refused (no line free)"


@pytest.mark.parametrize("state", [DeviceState.BUSY, DeviceState.UNAVAILABLE])
def test_no_other_trunk_is_tried_where_the_number_itself_does_not_take_the_call(state: DeviceState) -> None:
    assert len(dials(dial("587000001", states={"+48587000001": state}))) == 1


def test_own_number_is_shown_unless_the_user_shows_the_main_one_or_none() -> None:
    assert shown("201") == ("+48221234568", "+48221234568", False)
    assert shown("202") == ("+48221234567", "+48221234567", False)
    assert shown("203") == ("+48221234567", "+48221234567", False)
    assert shown("204") == ("+48221234568", "+48221234568", True)


def test_code_before_a_number_shows_the_main_number_or_none_for_that_call() -> None:
    assert shown("201", "*68587000001") == ("+48221234567", "+48221234567", False)
    assert shown("204", "*68587000001") == ("+48221234567", "+48221234567", False)
    assert shown("201", "*67587000001") == ("+48221234568", "+48221234568", True)
    assert shown("201", "*67112") == ("+48121234569", "+48121234569", False)


def test_code_before_a_number_counts_for_the_next_trunk_too() -> None:
    steps = [step for step in dial("*67600100200", failing=("backup",)).steps if isinstance(step, Dial)]
    assert [(step.outside[0].number, step.hidden) for step in steps] == [("+48600100200", True)] * 2


def test_code_before_a_number_inside_changes_nothing() -> None:
    assert dial("*67202", "201").outcome == "answered by 202"
    assert dial("*68221234567", "201").outcome == "answered by 202"


def test_emergency_call_shows_where_help_is_needed_even_of_who_hides_the_number() -> None:
    assert shown("201", "112") == ("+48121234569", "+48121234569", False)
    assert shown("204", "112") == ("+48221234567", "+48221234567", False)


@pytest.mark.parametrize("dialled", ["112", "*67112", "*68999"])
def test_emergency_number_is_called_before_any_internal_number_of_its_digits(dialled: str) -> None:
    """What `check` refuses may have been published by a version that did not."""
    at = tenant().model_copy(update={"internal_numbers": {"112": "202", "999": "202"}})
    assert dial(dialled, at=at).outcome == f"answered by {dialled[-3:]}"


@pytest.mark.parametrize("ended", [
    DialEnded(DialStatus.BUSY, 17), DialEnded(DialStatus.NOANSWER, 19), DialEnded(DialStatus.CONGESTION, 21),
    DialEnded(DialStatus.CONGESTION, 1), DialEnded(DialStatus.UNAVAILABLE, 28), DialEnded(DialStatus.CONGESTION, 34)])
def test_emergency_call_goes_on_to_the_next_trunk_whatever_the_first_answers(ended: DialEnded) -> None:
    facts = Facts(datetime(2026, 11, 25, 9, tzinfo=UTC), "201", dialled="112")
    first = next_step(tenant(), facts, None, Started(Origin.PHONE, "112", "201"))
    second = next_step(tenant(), facts, first.state, ended)
    assert [leg.trunk for decision in (first, second) if isinstance(decision.step, Dial) for leg in decision.step.outside] == [
        "acme-trunk-backup", "acme-trunk-carrier"]
    assert isinstance(next_step(tenant(), facts, second.state, ended).step, Play | Hangup)


@pytest.mark.parametrize(("ended", "prompt"), [
    (DialEnded(DialStatus.BUSY, 17), "sys_outside_busy"), (DialEnded(DialStatus.NOANSWER, 19), "sys_outside_no_answer"),
    (DialEnded(DialStatus.CONGESTION, 21), "sys_outside_declined"), (DialEnded(DialStatus.CONGESTION, 1), "sys_unknown_number"),
    (DialEnded(DialStatus.UNAVAILABLE, 28), "sys_unreachable")])
def test_caller_hears_why_nobody_outside_takes_the_call(ended: DialEnded, prompt: str) -> None:
    """One who calls from the mobile, or has keyed a PIN, hears no tone of the phone's own."""
    facts = Facts(datetime(2026, 11, 25, 9, tzinfo=UTC), "201", dialled="587000001")
    first = next_step(tenant(), facts, None, Started(Origin.PHONE, "587000001", "201"))
    assert next_step(tenant(), facts, first.state, ended).step == Play((prompt,), early=True)


def test_who_gives_up_an_emergency_call_is_not_called_for_again() -> None:
    facts = Facts(datetime(2026, 11, 25, 9, tzinfo=UTC), "201", dialled="112")
    first = next_step(tenant(), facts, None, Started(Origin.PHONE, "112", "201"))
    assert isinstance(next_step(tenant(), facts, first.state, DialEnded(DialStatus.CANCEL)).step, Hangup)


def test_tenant_without_a_number_shows_none_and_no_extension() -> None:
    numberless = tenant(*((line, "") for line in (
        'numbers:\n  "+48221234567": {to: "202"}\n  "+48221234568": {to: "201"}\n  "+48121234569": {to: "201"}\n',
        'sites:\n  krakow: {number: "+48121234569", address: "Kraków, Prosta 1"}\n', ', number: "+48221234568"', ", site: krakow")))
    (step,) = [step for step in dial("112", at=numberless).steps if isinstance(step, Dial)]
    assert (step.shown, step.hidden) == ("", True)


def test_own_number_dialled_stays_inside() -> None:
    found = dial("221234568", "202")
    assert (found.outcome, dials(found)) == ("answered by 201", [])


def test_forward_to_a_mobile_leaves_by_the_route_for_mobiles() -> None:
    forwarding = tenant(('"202": {name: Jan}', '"202": {name: Jan, forwards: {unconditional: "+48600100200"}}'))
    assert dials(dial("202", at=forwarding)) == [("+48600100200", "acme-trunk-backup")]


@pytest.mark.parametrize(("old", "new", "path", "found"), [
    ("trunks: [backup, carrier]", "trunks: [backup, other]", "routes.#1.trunks.#2", "no trunk named 'other'"),
    ("classes: [mobile, emergency]", "classes: [mobile, internal]", "routes.#1.classes", "found internal, expected classes of calls that leave by a trunk"),
    ("routes:\n", "routes:\n  - {classes: [mobile], trunks: [carrier]}\n", "routes.#2.classes", "mobile calls have a route already"),
    ('name: Anna, number: "+48221234568"', 'name: Anna, number: "+48221234599"', "users.201.number", "is not one of the tenant's"),
    ('krakow: {number: "+48121234569"', 'krakow: {number: "+48121234999"', "sites.krakow.number", "is not one of the tenant's"),
    ("site: krakow", "site: gdansk", "users.201.site", "no site named 'gdansk'"),
])
def test_check_names_the_place_of_a_wrong_route_number_or_site(old: str, new: str, path: str, found: str) -> None:
    with pytest.raises(ConfigError) as error:
        tenant((old, new))
    assert any(problem.path == path and found in problem.text for problem in error.value.problems), error.value


def test_path_says_what_was_called_by_which_trunk_and_what_was_shown() -> None:
    whys = [in_english(visit.why) for visit in dial("600100200", failing=("backup",)).path]
    assert whys[0] == "201 dials 600100200"
    assert whys[1] == "calls +48600100200 (mobile) by backup, shown as +48221234568"
    assert re.match(r"trunk backup fails, calls \+48600100200 \(mobile\) by carrier", whys[2])
