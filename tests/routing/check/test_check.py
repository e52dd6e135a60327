"""What a person is told about a file that cannot be used."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.check.check import read_tenant, read_tenants
from tests.tenants_for_tests import ACME, ROSSI, changed, problems
from yaml_models.errors import ConfigError


def test_a_good_file_is_read() -> None:
    assert problems(ACME) == []


@pytest.mark.parametrize(("old", "new", "expected"), [
    ('"2": service', '"2": servic', "acme.yaml:15 menus.main.keys.2: no element named 'servic' (did you mean 'service'?)"),
    ('"3": "203"', '"3": "209"', "acme.yaml:15 menus.main.keys.3: no user with extension '209' (did you mean '203'?)"),
    ("prompt: welcome", "prompt: hello", "acme.yaml:14 menus.main.prompt: no prompt named 'hello'"),
    ("ring_s: 10", "ring: 10", "acme.yaml:20 groups.service.ring: unknown key 'ring'"),
    ("ring_s: 10", "ring_s: 1", "acme.yaml:20 groups.service.ring_s: found '1', expected at least 3"),
    ('    no_key: sales\n', "", "acme.yaml:13 menus.main: 'no_key' is missing"),
    ("name: Jan", 'name: "${SHELL(rm)}"',
     "acme.yaml:8 users.202.name: found '${SHELL(rm)}', expected letters, digits, spaces and . ' ( ) & + / -, at most 60"),
    ("name: Jan", r'name: "Jan\nAction: Reboot"',
     r"acme.yaml:8 users.202.name: found 'Jan\nAction: Reboot', expected letters, digits, spaces and . ' ( ) & + / -, at most 60"),
    ("devices: [desk], voicemail", "devices: [../../etc], voicemail",
     "acme.yaml:9 users.203.devices.#1: found '../../etc', expected a name of lower-case letters, digits and '_', "
     "beginning with a letter"),
    ('"202": {', '"201": {', "acme.yaml:8 users.201: '201' stands twice, first on line 7"),
    ('extension: "300"', 'extension: "201"', "acme.yaml:19 groups.sales.extension: extension 201 is already that of users"),
    ("  mail:", "  main:", "acme.yaml:22 voicemails.main: 'main' is also one of menus; every element needs its own name"),
    ('mailbox: "201"', 'mailbox: "203"', "acme.yaml:22 voicemails.mail.mailbox: user 203 has no voicemail"),
    ('members: ["201", "202"]', 'members: ["201", "201"]', "acme.yaml:19 groups.sales.members: found 201 twice, expected each once"),
    ("country: PL", "country: ZZ", "acme.yaml:3 country: found 'ZZ', expected a country's two letters, such as PL"),
    ("menus:", 'trunks:\n  c: {kind: registration, server: x.pl, user: u, number: "+48221234566"}\nmenus:',
     "acme.yaml:13 trunks.c.number: +48221234566 is not one of the tenant's numbers (did you mean '+48221234567'?)"),
    ("Europe/Warsaw", "Europe/Warszawa",
     "acme.yaml:5 timezone: found 'Europe/Warszawa', expected a time zone such as Europe/Warsaw"),
    ('"+48221234567"', '"48221234567"', "acme.yaml:11 numbers.48221234567: found '48221234567', expected a public number"),
    ("{text: Witamy}", "{text: Witamy, file: a.wav}", "acme.yaml:24 prompts.welcome: expected either text or file"),
])
def test_each_mistake_is_told_with_line_path_found_and_expected(old: str, new: str, expected: str) -> None:
    assert any(text.startswith(expected) for text in problems(changed((old, new)))), problems(changed((old, new)))


def test_broken_yaml_is_told_with_its_line() -> None:
    assert problems("tenant: acme\nname: [\n")[0].startswith("acme.yaml:3 not YAML: ")


def test_every_mistake_in_every_file_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        read_tenants({
            "acme.yaml": changed(("prompt: welcome", "prompt: hello")),
            "rossi.yaml": changed(("prompt: welcome", "prompt: ciao"), text=ROSSI)})
    assert [problem.file for problem in caught.value.problems] == ["acme.yaml", "rossi.yaml"]


def test_a_group_of_more_devices_than_asterisk_can_ring_is_refused() -> None:
    users = "".join(f'  "{n}": {{name: X, devices: [one, two, three, four]}}\n' for n in range(5000, 5100))
    members = ", ".join(f'"{n}"' for n in range(5000, 5100))
    text = changed(("users:\n", f"users:\n{users}"), ('members: ["201", "202"]', f"members: [{members}]"))
    assert problems(text) == [
        "acme.yaml:119 groups.sales: too many phones and numbers to ring: their names make 8300 characters, at most 7000"]


def test_a_public_number_belongs_to_one_tenant() -> None:
    with pytest.raises(ConfigError, match=r"rossi\.yaml:11 numbers\.\+48221234567: number \+48221234567 already belongs to"):
        read_tenants({"acme.yaml": ACME, "rossi.yaml": changed(("+390612345678", "+48221234567"), text=ROSSI)})


def test_the_same_extensions_in_two_tenants_are_no_clash() -> None:
    assert [tenant.tenant for tenant in read_tenants({"acme.yaml": ACME, "rossi.yaml": ROSSI})] == ["acme", "rossi"]


def test_a_flow_without_a_way_out_is_refused() -> None:
    circle = ACME.replace("  main:\n", '  round: {prompt: welcome, keys: {"1": round}, no_key: round, wrong_key: round}\n  main:\n')
    assert problems(circle) == ["acme.yaml:13 menus.round: no way out: from here a call only goes round in circles"]


def test_an_extension_keeps_its_leading_zero_and_no_country_becomes_a_truth_value() -> None:
    tenant = read_tenant(changed(('"203": {', "0203: {"), ('"3": "203"', '"3": 0203'), ("country: PL", "country: NO")), "acme.yaml")
    assert "0203" in tenant.users
    assert tenant.country == "NO"


def test_yaml_that_grows_without_end_is_refused() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{new}: &{new} [*{old},*{old},*{old},*{old},*{old},*{old},*{old},*{old}]\n"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True))
    assert "far too large" in problems(bomb)[0]


def test_yaml_that_contains_itself_is_refused() -> None:
    assert "nested too deeply" in problems("a: &a [*a]\n")[0]


@given(st.text(max_size=200))
def test_no_text_at_all_makes_the_check_fail_in_another_way(text: str) -> None:
    problems(text)


@given(st.sampled_from(["name: Jan", "Witamy", '"1": sales', "Europe/Warsaw", "ring_s: 10", "mailbox"]), st.text(max_size=40))
def test_no_value_anywhere_makes_the_check_fail_in_another_way(old: str, new: str) -> None:
    problems(changed((old, new)))
