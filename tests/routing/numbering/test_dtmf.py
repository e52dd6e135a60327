"""What a caller keys: numbers end as soon as nothing longer can be meant, names are found by their letters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.call.english import in_english
from routing.call.state import Digits
from routing.call.step import Read
from routing.numbering.dtmf import MAX_BEGINNINGS, beginnings, entered, keys_of
from routing.tenant.tenant import Tenant
from tests.routing.test_nodes import MAIN, played, steps
from tests.tenants_for_tests import acme, changed, problems

extensions = st.sets(st.from_regex(r"\A[0-9]{2,6}\Z"), min_size=1, max_size=40)


@given(extensions, st.from_regex(r"\A[0-9]{1,6}\Z"))
def test_more_is_waited_for_exactly_while_a_longer_number_can_match(numbers: set[str], keyed: str) -> None:
    assert (keyed in beginnings(numbers)) is any(number.startswith(keyed) and number != keyed for number in numbers)


def test_of_too_many_beginnings_the_short_ones_are_kept() -> None:
    found = beginnings(f"{number:06}" for number in range(0, 1_000_000, 997))
    assert len(found) == MAX_BEGINNINGS
    assert {"0", "9", "00", "99"} <= set(found)


@pytest.mark.parametrize(("name", "keys"), [
    ("Łukasz", "585279"), ("Żółć", "9652"), ("D'Amico", "326426"), ("Nowak-Lis", "66925547"), ("Größe", "476773"), ("R2D2", "7232")])
def test_name_is_spelt_by_the_letters_on_the_keys(name: str, keys: str) -> None:
    assert keys_of(name) == keys


# The menu that lets callers dial


def with_direct_dial(*more: tuple[str, str]) -> Tenant:
    return acme(("    wrong_key: \"201\"\n", "    wrong_key: \"201\"\n    direct_dial: true\n    direct_dial_except: [\"203\"]\n"), *more)


def test_menu_lets_an_internal_number_be_dialled_and_others_not() -> None:
    tenant = with_direct_dial()
    assert steps(tenant, MAIN)[0] == Read(("welcome",), 6, 5, ("2", "3", "20", "30"))
    assert in_english(played(tenant, MAIN, Digits("202"))[1].path[0].why) == "dials 202, on to 202"
    assert in_english(played(tenant, MAIN, Digits("300"))[1].path[0].why) == "dials 300, on to sales"
    assert in_english(played(tenant, MAIN, Digits("203"))[1].path[0].why) == "wrong key 203, asks again"
    assert in_english(played(tenant, MAIN, Digits("1"))[1].path[0].why) == "key 1, on to sales"
    assert in_english(played(acme(), MAIN, Digits("202"))[1].path[0].why) == "wrong key 202, asks again"


def test_caller_who_says_nothing_is_told_so_where_the_menu_has_words_for_it() -> None:
    tenant = acme(("    prompt: welcome\n", "    prompt: welcome\n    no_key_prompt: welcome\n"))
    assert steps(tenant, MAIN, Digits(""))[1] == Read(("welcome", "welcome"), 1, 5)


# Dial an internal number


DIALLING = (
    ("menus:", "dial_internal:\n  ask: {prompt: welcome, tries: 2, excluded: [\"203\"], failed: sales}\nmenus:"), ("{to: main}", "{to: ask}"))


def test_caller_reaches_whom_they_dial() -> None:
    assert steps(acme(*DIALLING), MAIN)[0] == Read(("welcome",), 6, 5, ("2", "3", "20", "30"))
    assert in_english(played(acme(*DIALLING), MAIN, Digits("202"))[1].path[0].why) == "dials 202, on to 202"


@pytest.mark.parametrize("keyed", ["999", "203", "2", "#"])
def test_caller_who_dials_nothing_that_is_there_is_told_and_asked_again_and_reaches_somebody(keyed: str) -> None:
    decisions = played(acme(*DIALLING), MAIN, Digits(keyed), Digits(""))
    assert decisions[1].step == Read(("welcome",), 6, 5, ("2", "3", "20", "30"), ("sys_unknown_number",))
    assert in_english(decisions[2].path[0].why) == "no number, 2 in all, on to sales"


def test_number_that_is_nobodys_cannot_be_excluded() -> None:
    text = changed(("menus:", "dial_internal:\n  ask: {prompt: welcome, excluded: [\"999\"], failed: sales}\nmenus:"))
    assert problems(text) == ["acme.yaml:13 dial_internal.ask.excluded.#1: no internal number '999'"]


# The directory


def with_directory(people: dict[str, str], settings: str = "failed: sales") -> Tenant:
    users = "".join(f'  "{extension}": {{name: {name}, devices: [desk]}}\n' for extension, name in people.items())
    return acme(
        ('  "201": {name: Anna, devices: [desk]}\n', '  "201": {name: Xx Anna, devices: [desk]}\n' + users),
        ("menus:", f"directories:\n  people: {{{settings}}}\nmenus:"), ("{to: main}", "{to: people}"))


PEOPLE = {"210": "Anna Kowalska", "211": "Jan Kowal", "212": "Ewa Nowak"}


def test_only_name_with_these_letters_is_connected_at_once() -> None:
    decisions = played(with_directory(PEOPLE), MAIN, Digits("66"))
    assert decisions[0].step == Read(("sys_directory",), 8, 5)
    assert in_english(decisions[1].path[0].why) == "66 is Ewa Nowak, on to 212"


def test_caller_chooses_among_those_whose_names_begin_so() -> None:
    decisions = played(with_directory(PEOPLE), MAIN, Digits("569#"), Digits("2"))
    assert decisions[1].step == Read(("sys_name_210", "sys_press_1", "sys_name_211", "sys_press_2"), 1, 5)
    assert in_english(decisions[2].path[0].why) == "key 2 is Jan Kowal, on to 211"


def test_more_than_eight_names_are_told_by_the_page() -> None:
    tenant = with_directory({str(220 + i): f"Kow {'abcdefghij'[i]}" for i in range(10)}, "by: first, failed: sales")
    decisions = played(tenant, MAIN, Digits("56"), Digits("9"), Digits("2"))
    assert decisions[1].step.prompts[-2:] == ("sys_more", "sys_press_9")            # type: ignore[union-attr]
    assert decisions[2].step == Read(("sys_name_228", "sys_press_1", "sys_name_229", "sys_press_2"), 1, 5)
    assert in_english(decisions[3].path[0].why) == "key 2 is Kow j, on to 229"


@pytest.mark.parametrize(("by", "keyed", "found"), [("last", "36", False), ("first", "36", True), ("any", "36", True), ("first", "569", False)])
def test_letters_begin_the_part_of_the_name_that_the_directory_says(by: str, keyed: str, found: bool) -> None:
    why = in_english(played(with_directory({"210": "Do Kowalska"}, f"by: {by}, failed: sales"), MAIN, Digits(keyed))[1].path[0].why)
    assert why.endswith("on to 210" if found else "asks again")


@pytest.mark.parametrize("keyed", ["", "999", "#", "1"])
def test_caller_who_finds_nobody_reaches_a_human_in_the_end(keyed: str) -> None:
    decisions = played(with_directory(PEOPLE), MAIN, *[Digits(keyed)] * 3)
    assert decisions[2].step.prompts[-1] == "sys_directory"                         # type: ignore[union-attr]
    assert in_english(decisions[3].path[0].why).endswith("3 in all, on to sales")


def test_wrong_choice_and_silence_begin_anew_and_end() -> None:
    decisions = played(with_directory(PEOPLE), MAIN, Digits("569"), Digits("7"), Digits("569"), Digits(""), Digits(""))
    assert [in_english(decision.path[0].why) for decision in decisions[2:]] == [
        "wrong key 7, asks again", "2 names begin with 569", "no key, asks again", "no letters, 3 in all, on to sales"]


def test_names_that_begin_with_a_zero_are_told_apart_by_the_key() -> None:
    decisions = played(with_directory({"210": "007 Anna", "211": "007 Jan"}), MAIN, Digits("007"), Digits("2"))
    assert in_english(decisions[2].path[0].why) == "key 2 is 007 Jan, on to 211"


def test_user_who_is_excluded_is_not_told_of() -> None:
    tenant = with_directory(PEOPLE, 'excluded: ["211"], failed: sales')
    assert in_english(played(tenant, MAIN, Digits("569"))[1].path[0].why) == "569 is Anna Kowalska, on to 210"


@pytest.mark.parametrize(("keys", "taken"), [
    ("202", "202"), ("2021", "202"), ("999", "9"), ("2", "2"), ("20#", "20"), ("#", "#"), ("*", "*"), ("*2", "*"), ("", "")])
def test_number_ends_with_the_key_after_which_nothing_longer_can_be_meant(keys: str, taken: str) -> None:
    assert entered(keys, beginnings(["201", "202", "300"])) == taken
