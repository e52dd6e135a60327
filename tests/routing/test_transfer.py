"""Where a user may transfer a call, and what becomes of one that may not go there."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from routing.call.english import in_english
from routing.call.facts import Facts
from routing.call.state import Origin, Started
from routing.call.step import Dial
from routing.engine.engine import next_step, transfer_refusal
from tests.tenants_for_tests import acme

BLACKLIST = 'blacklist: {targets: ["+48799*"]}\nfailover:'
TENANT = acme(("failover:", BLACKLIST))
WITH_TRUNK = acme(("failover:", f"trunks: {{carrier: {{kind: address, address: 192.0.2.7}}}}\n{BLACKLIST}"))
FACTS = Facts(datetime(2026, 11, 24, 12, tzinfo=UTC), caller="+48600100200", transferrer="201")


@pytest.mark.parametrize(("dialled", "prompts"), [
    ("203", ()), ("300", ()), ("48221234567", ()), ("299", ("sys_unknown_number",)), ("*97", ("sys_transfer_refused",)),
    ("799123456", ("sys_transfer_refused",)), ("0048799123456", ("sys_transfer_refused",)),
    ("500990990", ("sys_transfer_refused",)), ("", ("sys_transfer_refused",)),
])
def test_user_hears_why_a_call_cannot_go_there(dialled: str, prompts: tuple[str, ...]) -> None:
    assert transfer_refusal(TENANT, replace(FACTS, dialled=dialled), dialled) == prompts


@pytest.mark.parametrize(("dialled", "own"), [("799123456", True), ("500990990", True), ("600100200", False), ("112", False)])
def test_call_to_where_no_transfer_may_go_is_its_callers_own(dialled: str, own: bool) -> None:
    facts = Facts(datetime(2026, 11, 24, 12, tzinfo=UTC), "201", "201", dialled)
    step = next_step(WITH_TRUNK, facts, None, Started(Origin.PHONE, dialled, "201")).step
    assert isinstance(step, Dial)
    assert step.own is own


def test_transferred_call_enters_what_was_dialled_for_it() -> None:
    decision = next_step(TENANT, FACTS, None, Started(Origin.TRANSFER, "203"))
    assert [(visit.node, in_english(visit.why)) for visit in decision.path] == [("start", "201 transfers to 203"), ("203", "rings desk")]


def test_call_that_may_not_go_there_rings_the_user_who_sent_it_and_tells_why() -> None:
    decision = next_step(TENANT, FACTS, None, Started(Origin.TRANSFER, "799123456"))
    assert isinstance(decision.step, Dial)
    assert (decision.step.endpoints, decision.step.first_prompts) == (("acme-201-desk",), ("sys_transfer_refused",))
    assert decision.state.node == "201"


def test_call_that_nobody_of_the_tenant_sent_is_refused() -> None:
    decision = next_step(TENANT, Facts(FACTS.moment), None, Started(Origin.TRANSFER, "799123456"))
    assert decision.state.node == "start"
