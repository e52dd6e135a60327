"""A name that is said to a directory: the caller always chooses, and keys it where it was not understood."""

from datetime import UTC, datetime

import pytest

from routing.call.english import in_english
from routing.call.facts import Facts
from routing.call.questions import Understand
from routing.call.state import Awaits, Digits, Entered, Listened, Origin, State
from routing.call.step import Listen, Read
from routing.engine.engine import next_step
from routing.speech.phrases import Language
from routing.speech.pronunciation import pronunciations, sayable
from routing.tenant.tenant import Tenant
from simulator.scenario_grammar import Says
from simulator.script import Script, Simulation
from simulator.simulate import simulate
from tests.tenants_for_tests import acme

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def with_speech(settings: str = "speech: true, failed: sales", *more: tuple[str, str]) -> Tenant:
    users = '  "0210": {name: Anna Kowalska, devices: [desk]}\n  "211": {name: Ewa Kowalska, devices: [desk]}\n'
    return acme(
        ('  "201": {name: Anna, devices: [desk]}\n', '  "201": {name: Zenon Anna, devices: [desk]}\n' + users),
        ("menus:", f"directories:\n  people: {{{settings}}}\nmenus:"), ("{to: main}", "{to: people}"), *more)


def calls(tenant: Tenant, *actions: str | Says) -> Simulation:
    return simulate(tenant, Script(Origin.TRUNK, "+48221234567", NOON, keys=actions))


def reasons(call: Simulation) -> list[str]:
    return [in_english(visit.why) for visit in call.path if visit.node == "people"]


def test_whoever_says_a_name_chooses_it_by_a_key() -> None:
    call = calls(with_speech(), Says("anna kowalska"), "1")
    assert call.steps[:2] == (Listen(("sys_directory_speech",), 8, 5), Read(("sys_name_0210", "sys_press_1"), 1, 5))
    assert reasons(call)[-1] == "key 1 is Anna Kowalska, on to 0210"


def test_all_of_one_surname_are_offered() -> None:
    call = calls(with_speech(), Says("Kowalska"), "2")
    assert call.steps[1] == Read(("sys_name_0210", "sys_press_1", "sys_name_211", "sys_press_2"), 1, 5)
    assert reasons(call)[-1] == "key 2 is Ewa Kowalska, on to 211"


@pytest.mark.parametrize("keyed", ["26", "26#"])
def test_letters_that_are_keyed_while_it_listens_count(keyed: str) -> None:
    assert reasons(calls(with_speech("speech: true, by: first, failed: sales"), keyed))[-1] == "26 is Anna Kowalska, on to 0210"


def test_who_was_not_understood_keys_the_name_and_is_not_listened_to_again() -> None:
    call = calls(with_speech(), Says("Brzęczyszczykiewicz"), "39")
    assert call.steps[1] == Read(("sys_not_understood", "sys_directory"), 8, 5)
    assert reasons(call)[-1] == "39 is Ewa Kowalska, on to 211"


@pytest.mark.parametrize("key", ["", "3", "9", "*"])
def test_who_chooses_none_of_the_names_keys_one(key: str) -> None:
    call = calls(with_speech(), Says("Kowalska"), key, "39")
    assert call.steps[2] == Read(("sys_directory",), 8, 5)
    assert reasons(call)[-1] == "39 is Ewa Kowalska, on to 211"


def test_caller_who_is_never_understood_reaches_a_human_in_the_end() -> None:
    assert reasons(calls(with_speech("speech: true, tries: 2, failed: sales")))[-1] == "no letters, 2 in all, on to sales"


def test_who_is_left_out_is_not_listened_for() -> None:
    assert reasons(calls(with_speech('speech: true, excluded: ["0210"], failed: sales'), Says("Anna Kowalska")))[1] == "understands no name, asks again"


def test_directory_listens_only_where_the_tenant_says_so() -> None:
    assert calls(with_speech("failed: sales")).steps[0] == Read(("sys_directory",), 8, 5)


def test_user_who_has_gone_meanwhile_is_not_called() -> None:
    decision = next_step(with_speech(), Facts(NOON), State("people", Awaits.DIGITS, 0, (2, 0, 1999)), Digits("1"))
    assert decision.step == Read(("sys_directory",), 8, 5)


def test_names_are_listened_for_in_the_language_of_the_call_with_every_way_to_say_them() -> None:
    question = Understand((("0210", ("Anna Kowalska", "Kowalska")), ("211", ("Ewa Kowalska", "Kowalska"))), "pl")
    tenant = with_speech('speech: true, by: last, excluded: ["201", "202", "203"], failed: sales')
    step = next_step(tenant, Facts(NOON, answers={question: ()}), _listened(tenant), Listened("")).step
    assert step == Read(("sys_not_understood", "sys_directory"), 8, 5)


def _listened(tenant: Tenant) -> State:
    return next_step(tenant, Facts(NOON), State("people", Awaits.DIGITS, 0), Entered()).state


@pytest.mark.parametrize(("phonemes", "language", "ways"), [
    ("k_ɔ_v_ˈa_l_s_k_a_", "pl", ("K AO V AA L S K AA",)),
    ("ɡ_ʒ_ˈɛ_ɡ_ɔ_ʂ", "pl", ("G ZH EH G AO",)),
    ("dʒ_ʊ_z_ˈɛ_pː_e", "it", ("JH UH Z EH P EH", "JH UH Z EH P EY")),
    ("m_ˈa_r_j_o", "it", ("M AA R Y AO", "M AA R Y OW", "M AA D Y OW")),
    ("ɹ_ˈaɪ_t", "en", ("R AY T",)),
    ("", "en", ()),
])
def test_name_sounds_as_its_phonemes_do_once_for_each_kind_of_speaker(phonemes: str, language: Language, ways: tuple[str, ...]) -> None:
    assert pronunciations(phonemes, language) == ways


@pytest.mark.parametrize(("name", "said"), [
    ("Anna Kowalska-Nowak", "Anna Kowalska Nowak"), ("O'Neil (2. piętro)", "O Neil piętro"), ("[[_^_EN]] $(id)", "EN id"), ("12", "")])
def test_nothing_of_a_name_but_its_letters_reaches_the_speech_synthesis(name: str, said: str) -> None:
    assert sayable(name) == said
