"""What the flow makes of a call server's answer: nobody leaves the tenant, and every failure reaches `failed`."""

from datetime import UTC, datetime

import pytest

from routing.call import Awaits, Digits, Entered, Origin, Read, Say, Started
from routing.call_server import Failed, Failure, Reply
from routing.engine import next_step
from routing.facts import Facts
from routing.questions import AskServer, Speak, Unanswered
from routing.simulate import Script, Simulation, simulate
from routing.tenant import Tenant
from tests.tenants_for_tests import acme, problems
from tests.tenants_for_tests import changed as file

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SERVER = "call_servers:\n  crm: {url: 'https://crm.example.com/calls', next: sales, failed: mail}\nvoicemails:"
ASKING = SERVER.replace("next:", "ask: {prompt: welcome, max_digits: 4}, next:")


def with_server(text: str = SERVER, *, enters: str = "crm") -> Tenant:
    return acme(("voicemails:", text), ("{to: main}", f"{{to: {enters}}}"))


def simulated(tenant: Tenant, answer: Reply | Failed | None = None, *keys: str) -> Simulation:
    answers = {"crm": answer} if answer is not None else {}
    return simulate(tenant, Script(Origin.TRUNK, "+48221234567", NOON, keys=keys, call_servers=answers))


def why(simulation: Simulation, i: int = 1) -> str:
    return simulation.path[i].why


@pytest.mark.parametrize(("go_to", "node"), [
    ("service", "service"), ("201", "201"), ("300", "sales"), ("+48221234567", "crm")])
def test_call_goes_where_the_service_says(go_to: str, node: str) -> None:
    assert why(simulated(with_server(), Reply(go_to=go_to))) == f"on to {node}"


@pytest.mark.parametrize(("go_to", "found"), [
    ("nobody", "no element or extension 'nobody'"), ("299", "no element or extension '299'"), ("start", "no element or extension 'start'"),
    ("+390612345678", "no number of ours '+390612345678'"), ("+48600100200", "no number of ours '+48600100200'")])
def test_place_that_is_not_the_tenants_own_is_a_failure(go_to: str, found: str) -> None:
    """+390612345678 is another tenant's."""
    said = simulated(with_server(), Reply(go_to=go_to))
    assert why(said) == f"its answer cannot be used: go_to: {found}, on to mail"
    assert said.outcome == "voicemail 201"


def test_answer_without_a_place_goes_on_to_next() -> None:
    said = simulated(with_server(), Reply())
    assert why(said) == "on to sales"
    assert said.outcome == "answered 201"


def test_text_is_read_before_the_call_goes_on() -> None:
    said = simulated(with_server(), Reply(text="Dzień\n dobry"))
    assert why(said) == "reads 'Dzień dobry', on to sales"
    assert said.outcome == "answered 201"
    said = simulated(with_server(), Reply(text="a" * 61, go_to="203"))
    assert why(said) == f"reads '{'a' * 60}...', on to 203"
    assert said.outcome == "answered 203"


def test_what_the_service_shows_stands_in_the_calls_path() -> None:
    assert why(simulated(with_server(), Reply(show={"customer": "Łódź 1", "level": "gold"}))) == "customer=Łódź 1, level=gold, on to sales"


@pytest.mark.parametrize("failure", list(Failure))
def test_every_failure_has_words_and_goes_on_to_failed(failure: Failure) -> None:
    said = simulated(with_server(), Failed(failure, "status 500"))
    assert why(said).endswith(": status 500, on to mail")
    assert said.outcome == "voicemail 201"
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
    assert first.path[-1].why == "asks for digits"
    with pytest.raises(Unanswered) as asked:
        next_step(tenant, facts(), first.state, Digits("1234"))
    assert asked.value.question == AskServer("crm", "1234")
    assert [visit.node for visit in simulated(tenant, Reply(), "1234").path][:3] == ["start", "crm", "crm"]


def test_service_is_told_what_the_caller_typed_before() -> None:
    with pytest.raises(Unanswered) as asked:
        next_step(with_server(), facts(), None, START)
    assert asked.value.question == AskServer("crm", "77")


def test_text_is_spoken_in_its_own_language_or_the_tenants_and_the_call_then_enters_the_next_element() -> None:
    tenant = with_server()
    for reply, question in ((Reply(text="Hej"), Speak("Hej", "pl")), (Reply(text="Hej", language="en"), Speak("Hej", "en"))):
        said = {AskServer("crm", "77"): reply}
        with pytest.raises(Unanswered) as asked:
            next_step(tenant, facts(answers=said), None, START)
        assert asked.value.question == question
        decision = next_step(tenant, facts(answers={**said, question: "abc"}), None, START)
        assert decision.step == Say("abc")
        assert (decision.state.node, decision.state.awaits, decision.state.hops) == ("sales", Awaits.ENTERED, 1)
        assert next_step(tenant, facts(), decision.state, Entered()).path[0].node == "sales"


def test_text_that_cannot_be_spoken_is_a_failure() -> None:
    known = {AskServer("crm", "77"): Reply(text="Hej", go_to="203"), Speak("Hej", "pl"): ""}
    assert next_step(with_server(), facts(answers=known), None, START).path[1].why == "could not read 'Hej', on to mail"


def test_service_that_sends_the_call_round_in_circles_reaches_the_failover() -> None:
    assert simulated(with_server(), Reply(go_to="crm")).outcome == "failover"
    assert simulated(with_server(), Reply(go_to="crm", text="a")).outcome == "failover"



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
    ("connect_s: 3", "connect_s: found '3': input should be less than or equal to 2"),
    ("answer_s: 6", "answer_s: found '6': input should be less than or equal to 5"),
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
