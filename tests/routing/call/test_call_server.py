"""What the flow makes of a call server's answer: nobody leaves the tenant, and every failure reaches `failed`."""

from datetime import UTC, datetime

import pytest

from agi.channel_text import read_state, state_text
from routing.call.call_server import CallServerReply, Failed, Failure
from routing.call.english import in_english
from routing.call.facts import Facts, Unanswered
from routing.call.questions import AskServer, Speak
from routing.call.state import Awaits, Digits, Entered, Origin, Started, State
from routing.call.step import Dial, ExternalNumber, Read, Say
from routing.engine.engine import next_step
from routing.nodes.call_server import memory_of, number_of
from routing.tenant.tenant import Tenant
from simulator.script import Script, Simulation
from simulator.simulate import simulate
from tests.tenants_for_tests import acme, problems
from tests.tenants_for_tests import changed as file

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SERVER = "call_servers:\n  crm: {url: 'https://crm.example.com/calls', next: sales, failed: mail}\nvoicemails:"
CARRIER = "trunks:\n  carrier: {kind: address, address: 192.0.2.1}\n"
BARRED = f"blacklist: {{targets: ['+48799*']}}\n{SERVER}"
ASKING = SERVER.replace("next:", "ask: {prompt: welcome, max_digits: 4}, next:")


def with_server(text: str = SERVER, *, enters: str = "crm") -> Tenant:
    return acme(("voicemails:", CARRIER + text), ("{to: main}", f"{{to: {enters}}}"))


def simulated(tenant: Tenant, answer: CallServerReply | Failed | None = None, *keys: str) -> Simulation:
    answers = {"crm": answer} if answer is not None else {}
    return simulate(tenant, Script(Origin.TRUNK, "+48221234567", NOON, keys=keys, call_servers=answers))


def why(simulation: Simulation, i: int = 1) -> str:
    return in_english(simulation.path[i].why)


@pytest.mark.parametrize(("go_to", "node"), [
    ("service", "service"), ("201", "201"), ("300", "sales"), ("+48221234567", "crm")])
def test_call_goes_where_the_service_says(go_to: str, node: str) -> None:
    assert why(simulated(with_server(), CallServerReply(go_to=go_to))) == f"on to {node}"


@pytest.mark.parametrize(("go_to", "found"), [
    ("nobody", "no element or extension 'nobody'"), ("299", "no element or extension '299'"), ("start", "no element or extension 'start'"),
    ("+48500990990", "+48500990990 may be neither a user nor a target"), ("+48799100200", "+48799100200 is on the blacklist")])
def test_place_that_does_not_exist_or_may_not_be_called_is_a_failure(go_to: str, found: str) -> None:
    said = simulated(with_server(BARRED), CallServerReply(go_to=go_to))
    assert why(said) == f"its answer cannot be used: go_to: {found}, on to mail"
    assert said.outcome == "message for 201"


def test_answer_without_a_place_goes_on_to_next() -> None:
    said = simulated(with_server(), CallServerReply())
    assert why(said) == "on to sales"
    assert said.outcome == "answered by 201"


def test_text_is_read_before_the_call_goes_on() -> None:
    said = simulated(with_server(), CallServerReply(text="Dzień\n dobry"))
    assert why(said) == "reads 'Dzień dobry', on to sales"
    assert said.outcome == "answered by 201"
    said = simulated(with_server(), CallServerReply(text="a" * 61, go_to="203"))
    assert why(said) == f"reads '{'a' * 60}...', on to 203"
    assert said.outcome == "answered by 203"


def test_what_the_service_shows_stands_in_the_calls_path() -> None:
    assert why(simulated(with_server(), CallServerReply(show={"customer": "Łódź 1", "level": "gold"}))) == "customer=Łódź 1, level=gold, on to sales"


FAR = "+48600100208"


def dialled(tenant: Tenant, caller: str = "+48600100200", extension: str = "") -> Dial:
    return next(step for step in calling(tenant, caller, extension).steps if isinstance(step, Dial))


def calling(tenant: Tenant, caller: str = "+48600100200", extension: str = "") -> Simulation:
    script = Script(
        Origin.PHONE if extension else Origin.TRUNK, "+48221234567", NOON, extension, caller=caller,
        call_servers={"crm": CallServerReply(go_to=FAR)})
    return simulate(tenant, script)


def test_number_outside_is_rung_through_the_trunk_and_sees_the_caller_or_what_the_element_says() -> None:
    leg = ExternalNumber(FAR, "acme-trunk-carrier")
    assert dialled(with_server()) == Dial((), 30, outside=(leg,), shown="", vouching="+48221234567")
    assert dialled(with_server(), "201", "201") == Dial((), 30, outside=(leg,), shown="+48221234567", vouching="+48221234567")
    chosen = SERVER.replace("next:", "ring_s: 9, presentation: '+48221234567', trunk: carrier, next:")
    assert dialled(with_server(chosen)) == Dial((), 9, outside=(leg,), shown="+48221234567", vouching="+48221234567")


def test_number_outside_is_rung_after_the_text_and_an_answer_ends_the_flow() -> None:
    said = simulated(with_server(), CallServerReply(text="Hej", go_to=FAR, show={"who": "Ewa"}))
    assert [why(said, i) for i in (1, 2, 3)] == [f"who=Ewa, reads 'Hej', on to {FAR}", f"calls {FAR}", "the conversation is over"]
    assert said.outcome == f"answered by {FAR}"


@pytest.mark.parametrize("number", ["+48600100200", "+390698", "+4860010", "+48600100000", "+480000000000000", "+123456789012345"])
def test_number_is_remembered_digit_by_digit_while_the_text_is_read(number: str) -> None:
    assert number_of(memory_of(number)) == number
    state = State("crm", Awaits.PLAYED, 1, memory_of(number))
    assert read_state(state_text(state)) == state


def test_number_outside_that_nobody_answers_goes_on_to_unanswered_or_to_failed() -> None:
    script = Script(Origin.TRUNK, "+48221234567", NOON, silent=frozenset({FAR}), call_servers={"crm": CallServerReply(go_to=FAR)})
    assert [in_english(visit.why) for visit in simulate(with_server(), script).path][2] == "noanswer, on to mail"
    other = with_server(SERVER.replace("next:", "unanswered: '203', next:"))
    assert [in_english(visit.why) for visit in simulate(other, script).path][2] == "noanswer, on to 203"


def test_callers_own_number_is_a_failure() -> None:
    assert why(calling(with_server(), FAR)) == f"its answer cannot be used: go_to: {FAR} is the caller's own, on to mail"


def test_number_outside_without_a_trunk_or_a_number_to_show_is_a_failure() -> None:
    tenant = with_server()
    for without, found in (({"trunks": {}}, "no trunk leads outside"), ({"numbers": {}}, f"no number can be shown to {FAR}")):
        known = facts(answers={AskServer("crm", "77"): CallServerReply(go_to=FAR)})
        state = State("crm", Awaits.ENTERED, 0)
        decision = next_step(tenant.model_copy(update=without), known, state, Entered())
        assert in_english(decision.path[0].why) == f"its answer cannot be used: go_to: {found}, on to mail"


@pytest.mark.parametrize("failure", list(Failure))
def test_every_failure_has_words_and_goes_on_to_failed(failure: Failure) -> None:
    said = simulated(with_server(), Failed(failure, "status 500"))
    assert why(said).endswith(": status 500, on to mail")
    assert said.outcome == "message for 201"
    assert len(why(simulated(with_server(), Failed(failure)))) > len(", on to mail")


def test_simulated_service_that_says_nothing_is_away() -> None:
    assert why(simulated(with_server())) == "no connection, on to mail"


def facts(**answers: object) -> Facts:
    return Facts(NOON, keys="77", **answers)  # type: ignore[arg-type]


START = Started(Origin.TRUNK, "+48221234567")


def test_caller_types_digits_first_where_the_element_asks() -> None:
    tenant = with_server(ASKING)
    first = next_step(tenant, facts(), None, START)
    assert first.step == Read(("welcome",), 4, 5)
    assert in_english(first.path[-1].why) == "asks for digits"
    with pytest.raises(Unanswered) as asked:
        next_step(tenant, facts(), first.state, Digits("1234"))
    assert asked.value.question == AskServer("crm", "1234")
    assert [visit.node for visit in simulated(tenant, CallServerReply(), "1234").path][:3] == ["start", "crm", "crm"]


def test_service_is_told_what_the_caller_typed_before() -> None:
    with pytest.raises(Unanswered) as asked:
        next_step(with_server(), facts(), None, START)
    assert asked.value.question == AskServer("crm", "77")


def test_text_is_spoken_in_its_own_language_or_the_tenants_and_the_call_then_enters_the_next_element() -> None:
    tenant = with_server()
    for reply, question in ((CallServerReply(text="Hej"), Speak("Hej", "pl")), (CallServerReply(text="Hej", language="en"), Speak("Hej", "en"))):
        said = {AskServer("crm", "77"): reply}
        with pytest.raises(Unanswered) as asked:
            next_step(tenant, facts(answers=said), None, START)
        assert asked.value.question == question
        decision = next_step(tenant, facts(answers={**said, question: "abc"}), None, START)
        assert decision.step == Say("abc")
        assert (decision.state.node, decision.state.awaits, decision.state.hops) == ("sales", Awaits.ENTERED, 1)
        assert next_step(tenant, facts(), decision.state, Entered()).path[0].node == "sales"


def test_text_that_cannot_be_spoken_is_a_failure() -> None:
    known = {AskServer("crm", "77"): CallServerReply(text="Hej", go_to="203"), Speak("Hej", "pl"): ""}
    assert in_english(next_step(with_server(), facts(answers=known), None, START).path[1].why) == "could not read 'Hej', on to mail"


def test_service_that_sends_the_call_round_in_circles_reaches_the_failover() -> None:
    assert simulated(with_server(), CallServerReply(go_to="crm")).outcome == "failover"
    assert simulated(with_server(), CallServerReply(go_to="crm", text="a")).outcome == "failover"


@pytest.mark.parametrize("url", [
    "https://crm.example.com", "https://crm.example.com:8443/a/b?c=d&e=%20", "https://192.0.2.1/", "https://[2001:db8::1]:1/",
    "http://127.0.0.1:8080/calls", "http://localhost/", "http://[::1]:65535/"])
def test_url_is_https_or_this_machine(url: str) -> None:
    assert problems(file(("voicemails:", SERVER.replace("https://crm.example.com/calls", url)))) == []


@pytest.mark.parametrize("url", [
    "http://crm.example.com/", "http://127.0.0.1.example.com/", "http://127.0.0.1@example.com/", "https://user:pw@example.com/", "ftp://example.com/",
    "file:///etc/passwd", "https:///x", "https://", "https://a b/", "https://example.com/#x", "https://example.com:65536/",
    "https://exämple.com/", "https://example.com\\@x/", "https://example.com/\"", "gopher://127.0.0.1/", "https://ex_ample.com/", "//example.com"])
def test_url_of_any_other_form_is_told(url: str) -> None:
    [told] = problems(file(("voicemails:", SERVER.replace("'https://crm.example.com/calls'", f"'{url}'"))))
    assert "call_servers.crm.url: found" in told
    assert "expected an address such as https://example.com/calls" in told


@pytest.mark.parametrize(("given", "told"), [
    ("connect_s: 3", "connect_s: found '3', expected at most 2"),
    ("answer_s: 6", "answer_s: found '6', expected at most 5"),
    ("presentation: '+48600100200'", "presentation: +48600100200 is not one of the tenant's numbers, and it can show no other"),
    ("trunk: other", "trunk: no trunk named 'other'"),
    ("connect_s: nan", "connect_s: found 'nan'"), ("connect_s: 0", "connect_s: found '0'"),
    ("ask: {prompt: nothing}", "ask.prompt: no prompt named 'nothing'"),
    ("ask: {prompt: welcome, max_digits: 21}", "ask.max_digits: found '21'"),
])
def test_limits_and_names_are_checked(given: str, told: str) -> None:
    [problem] = problems(file(("voicemails:", SERVER.replace("next: sales", f"next: sales, {given}"))))
    assert f"call_servers.crm.{told}" in problem


def test_both_ways_out_must_exist() -> None:
    told = problems(file(("voicemails:", SERVER.replace("next: sales, failed: mail", "next: sale, failed: male"))))
    assert {problem.split(" ", 1)[1] for problem in told} == {
        "call_servers.crm.next: no element named 'sale' (did you mean 'sales'?)",
        "call_servers.crm.failed: no element named 'male' (did you mean 'mail'?)"}
