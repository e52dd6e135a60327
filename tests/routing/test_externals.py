"""External numbers: which number is called, what it is shown, and where an unanswered call goes."""

import pytest

from routing.call.facts import DeviceState, Facts
from routing.call.state import DialEnded, DialStatus, Origin, Started
from routing.call.step import Cause, Dial, ExternalNumber, Hangup, Play, Step
from routing.engine.engine import next_step
from routing.tenant.tenant import Tenant
from simulator.script import Script
from simulator.simulate import simulate
from tests.routing.test_nodes import NOON
from tests.tenants_for_tests import ACME, ROSSI, acme, changed, problems

ELEMENT = 'partner: {extension: "400", number: "+48587000002", unanswered: mail}'
OUTSIDE = (
    ("menus:", "trunks:\n  carrier: {kind: address, address: 192.0.2.7}\n  spare: {kind: address, address: 192.0.2.8}\nmenus:"),
    ("voicemails:", f"externals:\n  {ELEMENT}\nvoicemails:"),
    ("{to: main}", "{to: partner}"),
)
PARTNER = ExternalNumber("+48587000002", "acme-trunk-carrier")


def with_partner(*changes: tuple[str, str]) -> Tenant:
    return acme(*OUTSIDE, *changes)


def first(tenant: Tenant, *, caller: str = "", extension: str = "") -> Step:
    started = Started(Origin.PHONE, "400", extension) if extension else Started(Origin.TRUNK, "+48221234567")
    return next_step(tenant, Facts(NOON, extension, caller), None, started).step


def test_call_to_an_outside_number_leaves_by_the_tenants_first_trunk() -> None:
    assert first(with_partner(), caller="+48600100200") == Dial((), 30, outside=(PARTNER,), shown="", vouching="+48221234567")


def test_call_to_an_outside_number_leaves_by_the_trunk_that_the_element_names() -> None:
    step = first(with_partner(("unanswered: mail}\nvoice", "trunk: spare, ring_s: 9, unanswered: mail}\nvoice")))
    assert step == Dial((), 9, outside=(ExternalNumber("+48587000002", "acme-trunk-spare"),), shown="", vouching="+48221234567")


def test_outside_a_caller_is_shown_as_the_number_that_the_element_names() -> None:
    tenant = with_partner(
        ('"+48221234567": {to: partner}', '"+48221234567": {to: partner}\n  "+48221234568": {to: "201"}'),
        ("unanswered: mail}\nvoice", 'presentation: "+48221234568", unanswered: mail}\nvoice'))
    assert first(tenant, caller="+48600100200") == Dial((), 30, outside=(PARTNER,), shown="+48221234568", vouching="+48221234568")


def test_colleague_is_shown_outside_as_the_firm_and_never_as_an_extension() -> None:
    assert first(with_partner(), extension="201") == Dial((), 30, outside=(PARTNER,), shown="+48221234567", vouching="+48221234567")


def test_caller_is_not_called_back_by_their_own_call() -> None:
    assert first(with_partner(), caller="+48587000002") == Play(("sys_leave_message",))


@pytest.mark.parametrize(("status", "step"), [
    (DialStatus.ANSWER, Hangup(Cause.NORMAL)), (DialStatus.BUSY, Dial(("acme-203-desk",), 20)),
    (DialStatus.NOANSWER, Play(("sys_leave_message",))), (DialStatus.UNAVAILABLE, Play(("sys_leave_message",))),
    (DialStatus.CONGESTION, Play(("sys_leave_message",)))])
def test_call_that_nobody_outside_takes_goes_where_the_element_says(status: DialStatus, step: Step) -> None:
    tenant = with_partner(("unanswered: mail}\nvoice", 'busy: "203", unanswered: mail}\nvoice'))
    begun = next_step(tenant, Facts(NOON), None, Started(Origin.TRUNK, "+48221234567"))
    assert next_step(tenant, Facts(NOON), begun.state, DialEnded(status)).step == step


def test_busy_number_outside_counts_as_unanswered_where_nothing_else_is_said() -> None:
    begun = next_step(with_partner(), Facts(NOON), None, Started(Origin.TRUNK, "+48221234567"))
    assert next_step(with_partner(), Facts(NOON), begun.state, DialEnded(DialStatus.BUSY)).step == Play(("sys_leave_message",))


@pytest.mark.parametrize(("state", "silent", "outcome"), [
    (DeviceState.IDLE, False, "answered by +48587000002"), (DeviceState.BUSY, False, "message for 201"),
    (DeviceState.IDLE, True, "message for 201")])
def test_simulated_number_outside_answers_as_the_script_says(state: DeviceState, silent: bool, outcome: str) -> None:
    number = "+48587000002"
    script = Script(Origin.TRUNK, "+48221234567", NOON, states={number: state}, silent=frozenset({number} if silent else ()))
    assert simulate(with_partner(), script).outcome == outcome


LIST = ("voicemails:", 'blacklist: {targets: ["+48587*"]}\nvoicemails:')


@pytest.mark.parametrize(("changes", "problem"), [
    ([LIST], "number: +48587000002 is on the blacklist"),
    ([("+48587000002", "+48500990990")], "number: +48500990990 may be neither a user nor a target"),
    ([("+48587000002", "+48221234567")],
     "number: +48221234567 is one of the tenant's own numbers, expected 'partner', where its calls go"),
    ([("unanswered: mail}\nvoice", "trunk: spair, unanswered: mail}\nvoice")],
     "trunk: no trunk named 'spair' (did you mean 'spare'?)"),
    ([("unanswered: mail}\nvoice", 'presentation: "+48221234569", unanswered: mail}\nvoice')],
     "presentation: +48221234569 is not one of the tenant's numbers, and it can show no other (did you mean '+48221234567'?)"),
    ([("unanswered: mail}\nvoice", "unanswered: mial}\nvoice")], "unanswered: no element named 'mial' (did you mean 'mail'?)"),
])
def test_external_number_that_cannot_be_called_is_told_where_it_stands(changes: list[tuple[str, str]], problem: str) -> None:
    assert problems(changed(*OUTSIDE, *changes)) == [f"acme.yaml:25 externals.partner.{problem}"]


def test_external_number_without_a_trunk_is_refused() -> None:
    found = problems(changed(OUTSIDE[1], OUTSIDE[2]))
    assert found == ["acme.yaml:22 externals.partner.number: no trunk leads to +48587000002, expected one in trunks"]


def test_tenant_never_shows_another_tenants_number() -> None:
    foreign = ("unanswered: mail}\nvoice", 'presentation: "+390612345678", unanswered: mail}\nvoice')
    assert len(problems(changed(*OUTSIDE, foreign, text=ACME))) == 1
    assert problems(changed(*OUTSIDE, foreign, text=ROSSI)) == []
