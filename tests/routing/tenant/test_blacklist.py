"""The blacklist, against callers and against targets, and the numbers that nothing can block."""

import pytest

from routing.call.facts import Facts
from routing.call.state import Origin, Played, Started, State
from routing.call.step import Cause, Hangup, Play, Read
from routing.engine.engine import next_step
from simulator.script import Script
from simulator.simulate import simulate
from tests.routing.test_nodes import NOON
from tests.tenants_for_tests import acme, changed, problems
from tests.words import words

LIST = ("voicemails:", "blacklist:\n  callers: [\"+48600100*\"]\n  targets: [\"+48700*\", \"118913\"]\nvoicemails:")
MAIN = Started(Origin.TRUNK, "+48221234567")


def test_caller_on_the_blacklist_hears_why_not_and_the_call_ends() -> None:
    facts = Facts(NOON, caller="+48600100200")
    first = next_step(acme(LIST), facts, None, MAIN)
    assert first.step == Play(("sys_blocked",), early=True)
    assert words(first.path) == (("start", "+48600100200 is on the blacklist"),)
    assert next_step(acme(LIST), facts, first.state, Played()).step == Hangup(Cause.REFUSED)


def test_caller_on_the_blacklist_hears_what_the_tenant_chose() -> None:
    tenant = acme((LIST[0], LIST[1].replace("blacklist:", "blacklist:\n  prompt: welcome")))
    assert next_step(tenant, Facts(NOON, caller="+48600100200"), None, MAIN).step == Play(("welcome",), early=True)


@pytest.mark.parametrize("caller", ["+48600101200", "", "+48700123456", "600100200"])
def test_caller_who_is_not_on_the_list_gets_in(caller: str) -> None:
    assert isinstance(next_step(acme(LIST), Facts(NOON, caller=caller), None, MAIN).step, Read)


def test_colleague_is_never_on_the_blacklist() -> None:
    facts = Facts(NOON, "201", caller="+48600100200")
    assert isinstance(next_step(acme(LIST), facts, None, Started(Origin.PHONE, "+48221234567", "201")).step, Read)


def test_callers_national_number_is_found_on_the_list() -> None:
    script = Script(Origin.TRUNK, "221234567", NOON, caller="600100200")
    assert simulate(acme(LIST), script).ends == "refused (not allowed)"


def test_call_that_was_refused_by_an_older_list_ends_as_it_began() -> None:
    state = State("start", next_step(acme(LIST), Facts(NOON, caller="+48600100200"), None, MAIN).state.awaits, 0, (21,))
    assert next_step(acme(), Facts(NOON), state, Played()).step == Hangup(Cause.REFUSED)


@pytest.mark.parametrize(("number", "reason"), [
    ("+48700123456", "is on the blacklist"), ("118913", "is on the blacklist"),
    ("+48500990990", "may be neither a user nor a target"), ("+48500990991", ""), ("112", ""), ("+48112", "")])
def test_target_is_refused_by_the_list_and_by_the_rule_in_p34(number: str, reason: str) -> None:
    assert acme(LIST).refusal_of(number) == reason


def test_emergency_number_is_not_barred_by_a_beginning_that_covers_it() -> None:
    assert acme((LIST[0], LIST[1].replace("+48700*", "+48*"))).refusal_of("+48112") == ""


@pytest.mark.parametrize(("entry", "problem"), [
    ('targets: ["112"]', "blacklist.targets.#1: 112 is an emergency number, which nothing can block"),
    ('callers: ["+48600*", "+48*", "999"]', "blacklist.callers.#3: 999 is an emergency number, which nothing can block"),
    ('targets: ["600*"]', "blacklist.targets.#1: found '600*', expected a number as +48600100200 or 118913, a beginning as +48600*, "
                          "or a range as +48221230000-+48221239999"),
    ("prompt: welcom", "blacklist.prompt: no prompt named 'welcom' (did you mean 'welcome'?)"),
    ('prompts: ["welcome"]', "blacklist.prompts: unknown key 'prompts' (did you mean 'prompt'?)"),
])
def test_blacklist_that_cannot_be_used_is_told_where_it_stands(entry: str, problem: str) -> None:
    assert problems(changed(("voicemails:", f"blacklist:\n  {entry}\nvoicemails:"))) == [f"acme.yaml:22 {problem}"]


@pytest.mark.parametrize(("change", "problem"), [
    (('"203": {', '"112": {'), "acme.yaml:9 users.112: 112 is an emergency number, expected another extension"),
    (('extension: "300"', 'extension: "999"'),
     "acme.yaml:19 groups.sales.extension: 999 is an emergency number, expected another extension"),
    (("voicemails:", 'parkings:\n  lot: {slots: 110-119, unanswered: "201"}\nvoicemails:'),
     "acme.yaml:22 parkings.lot.slots: 112 is an emergency number, expected other slots"),
])
def test_internal_number_stands_in_nobodys_way_to_help(change: tuple[str, str], problem: str) -> None:
    assert problem in problems(changed(change))


def test_other_countrys_emergency_number_is_an_extension_like_any_other() -> None:
    assert problems(changed(('"203": {', '"118": {'), ('"3": "203"', '"3": "118"'))) == []
