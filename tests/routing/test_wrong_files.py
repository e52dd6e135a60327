"""Whatever a person writes into a file, what is wrong is told in our words, all at once, and nothing that only follows from it."""

import re
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from routing.check.check import read_tenants
from routing.platform.platform import Platform
from routing.tenant.tenant import Tenant
from simulator.scenario import Scenarios
from simulator.scenario_reading import read_scenarios
from tests.examples import examples
from tests.tenants_for_tests import ROSSI, acme, changed, problems
from yaml_models.document import Document, Value
from yaml_models.errors import ConfigError
from yaml_models.validation import fitted, problems_of

# Of all that pydantic says: docs.pydantic.dev/latest/errors/validation_errors.
PYDANTICS = re.compile(
    r"[Ii]nput|valid\b|permitted|[Ff]ield required|[Ee]xtra|[Uu]nable|should|[Ii]nstance|dictionary|tuple|pars(e|ing)|"
    r"matches|[Ll]iteral|constrained|type=|characters? after|another value|\[|function|[Uu]nion|None|discriminator|[Ee]rror")
QUOTED = re.compile(r"'(\\.|[^'\\])*'|\"(\\.|[^\"\\])*\"")
NAMES = st.sampled_from(["201", "main", "+48221234567", "x y", "", "1", "kind", "caller", "all", "en", "internal", "201-desk"])
TEXTS = st.sampled_from([
    "x", "-1", "3", "300", "9" * 30, "1.5", "nan", "inf", "yes", "desk", "a" * 3000, "PL", "201", "main", "08:00", "2026-02-30",
    "mon-fri", "701-720", "rings", "presses 1", "80:5e:c0:11:22:33", "a@b.c", "https://example.com", "żółw", "'", '"', "a\nb"]) | st.text(max_size=8)
ANYTHING: st.SearchStrategy[Any] = st.one_of(
    st.none(), TEXTS, st.lists(TEXTS, max_size=2), st.dictionaries(NAMES, TEXTS, max_size=2), st.just([None]), st.just([[]]),
    st.just([str(n) for n in range(600)]), st.just({str(n): {} for n in range(600)}))


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """What a file may have where this is expected: something of that kind, more or less, or anything."""
    return st.one_of(_alike(kind), _alike(kind), _alike(kind), ANYTHING)


def _alike(kind: Any) -> st.SearchStrategy[Any]:
    arguments = get_args(kind)
    if get_origin(kind) is Annotated:
        return _alike(arguments[0])
    if get_origin(kind) in (Union, UnionType):
        return st.one_of(*(_alike(each) for each in arguments))
    if get_origin(kind) is Literal:
        return st.sampled_from(arguments)
    if get_origin(kind) is dict:
        return st.dictionaries(NAMES, st.deferred(lambda: values_of(arguments[1])), max_size=2)
    if get_origin(kind) in (tuple, frozenset):
        return st.lists(st.deferred(lambda: values_of(arguments[0])), max_size=2)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _fields_of(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from([each.value for each in kind])
    return TEXTS


@st.composite
def _fields_of(draw: st.DrawFn, model: type[BaseModel]) -> dict[str, Value]:
    """A few of the model's fields, `kind` if it has one, and perhaps one that nobody knows."""
    fields = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
    chosen = draw(st.sets(st.sampled_from(sorted(fields)), max_size=4)) | ({"kind"} & fields.keys())
    values = {name: draw(values_of(fields[name])) for name in sorted(chosen)}
    for name in draw(st.sets(st.sampled_from([*(f"{name}s" for name in fields), "more"]), max_size=1)):
        values[name] = draw(ANYTHING)
    return values


@pytest.mark.parametrize("model", [Tenant, Scenarios, Platform])
@settings(max_examples=examples(200), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(data=st.data())
def test_whatever_does_not_fit_is_told_in_our_words(model: type[BaseModel], data: st.DataObject) -> None:
    document = Document("x.yaml", data.draw(_fields_of(model)), {})
    found = fitted(document, model)
    for problem in problems_of(document, found) if isinstance(found, list) else ():
        own_words = QUOTED.sub("", problem.text)          # what the person wrote is shown as it is
        assert not PYDANTICS.search(own_words), problem.text
        assert "found" in problem.text or "unknown" in problem.text or "missing" in problem.text or "expected" in problem.text, problem
        assert len(problem.text) < 1000


@pytest.mark.parametrize(("old", "new", "expected"), [
    ("menus:", "menu:", ["acme.yaml:12 menu: unknown section 'menu' (did you mean 'menus'?)"]),
    ("no_key: sales", "no_kye: sales", ["acme.yaml:16 menus.main.no_kye: unknown key 'no_kye' (did you mean 'no_key'?)"]),
    ("ring_s: 10", "rings_s: 10", ["acme.yaml:20 groups.service.rings_s: unknown key 'rings_s' (did you mean 'ring_s'?)"]),
    ("failover:", "sites: {hq: {number: '+48221234567', street: x}}\nfailover:", [
        "acme.yaml:25 sites.hq: 'address' is missing", "acme.yaml:25 sites.hq.street: unknown key 'street', expected address"]),
    ("failover:", "users1: {}\nfailover:", ["acme.yaml:25 users1: unknown section 'users1' (did you mean 'users', which is there too?)"]),
])
def test_misspelt_section_or_field_is_told_once_with_what_is_alike(old: str, new: str, expected: list[str]) -> None:
    assert problems(changed((old, new))) == expected


def test_mistakes_of_every_stage_are_told_together() -> None:
    wrong = changed(
        ("country: PL", "country: pl"), ("ring_s: 10", "ring_s: ten"), ('"1": sales', '"1": sails'), ("mailbox: \"201\"", "mailbox: \"203\""),
        ("members: [\"201\", \"202\"]", "members: [\"201\", \"x y\", \"209\"]"), ("voicemails:", "voicemails:\n  main: {mailbox: \"201\"}"))
    assert problems(wrong) == [
        "acme.yaml:3 country: found 'pl', expected a country's two letters, such as PL",
        "acme.yaml:15 menus.main.keys.1: no element named 'sails' (did you mean 'sales'?)",
        "acme.yaml:19 groups.sales.members.#2: found 'x y', expected the name of an element, an extension, or a number outside as +48600100200",
        "acme.yaml:19 groups.sales.members.#3: no user with extension '209' (did you mean '203'?)",
        "acme.yaml:20 groups.service.ring_s: found 'ten', expected a whole number",
        "acme.yaml:22 voicemails.main: 'main' is also one of menus; every element needs its own name",
        "acme.yaml:23 voicemails.mail.mailbox: user 203 has no voicemail"]


@pytest.mark.parametrize(("old", "new"), [
    ('  mail: {mailbox: "201"}', '  mail: {mailbox: {x: "201"}}'), ('"202": {name: Jan, devices: [desk]}', '"202": {name: Jan, devices: desk}'),
    ("{text: Witamy}", "{txt: Witamy}"), ("users:", "usres:"), ('extension: "300", members', 'extension: "300", membrs'),
    ("groups:", "grups:"), ("unanswered: mail}\n  service", "unanswered: [mail]}\n  service"), ("failover:", "fialover:"),
    ("trunks:", "parkings:\n  lot: {slots: 701-720, extension: '777', unanswered: [nobody]}\nphones:\n  a: {model: yealink_t46u, "
     "mac: 80:5e:c0:11:22:33, lines: [201-desk], keys: [{kind: park, slot: '705'}]}\ntrunks:")])
def test_what_only_follows_from_a_mistake_is_not_told(old: str, new: str) -> None:
    text = changed(("menus:", "trunks:\n  c: {kind: address, address: 192.0.2.1}\nmenus:"))
    assert len(problems(changed((old, new), text=text))) == 1


def test_line_of_a_user_who_cannot_be_read_is_not_told_and_that_of_nobody_is() -> None:
    phone = "phones:\n  hall: {model: yealink_t46u, mac: 80:5e:c0:11:22:33, lines: [202-desk, 209-desk], keys: [{kind: park, slot: '705'}]}\n"
    wrong = changed(('"202": {name: Jan, devices: [desk]}', '"202": {name: Jan, devices: desk}'), ("menus:", f"{phone}menus:"))
    assert problems(wrong) == [
        "acme.yaml:8 users.202.devices: found 'desk', expected a list",
        "acme.yaml:13 phones.hall.keys.#1.slot: no parking slot '705', there are no parkings",
        "acme.yaml:13 phones.hall.lines.#2: no user with extension '209' (did you mean '203'?)"]


def test_files_are_compared_although_something_in_them_does_not_fit() -> None:
    with pytest.raises(ConfigError) as caught:
        read_tenants({"acme.yaml": changed(("ring_s: 10", "ring_s: x")), "rossi.yaml": changed(("+390612345678", "+48221234567"), text=ROSSI)})
    assert [str(problem) for problem in caught.value.problems] == [
        "acme.yaml:20 groups.service.ring_s: found 'x', expected a whole number",
        "rossi.yaml:11 numbers.+48221234567: number +48221234567 already belongs to acme.yaml:11 numbers.+48221234567"]


def test_mac_address_that_stands_twice_is_told_with_both_places() -> None:
    phones = "".join(f"  {name}: {{model: yealink_t46u, mac: {mac}, lines: [{line}]}}\n" for name, mac, line in (
        ("a", "80:5e:c0:11:22:33", "201-desk"), ("b", "80-5E-C0-11-22-33", "202-desk")))
    assert problems(changed(("menus:", f"phones:\n{phones}menus:"))) == [
        "acme.yaml:14 phones.b.mac: MAC 80:5e:c0:11:22:33 already belongs to acme.yaml:13 phones.a.mac"]


@pytest.mark.parametrize(("given", "expected"), [
    ("outside: {pins: {boss: '1234'}}", "outside.pins.boss: found 'boss', expected an extension of 2 to 6 digits or all"),
    ("outside: {pins: {all: '1'}}", "outside.pins.all: found '1', expected a PIN of 4 to 10 digits"),
    ("call_servers: {crm: clsoed}", "call_servers.crm: found 'clsoed', expected names with their values (text, language, go_to, show) or "
     "one of refused_address, unknown_host, no_connection, tls, no_answer, closed, status, too_large, wrong_answer, suspended "
     "(did you mean 'closed'?)"),
    ("call_servers: {crm: {goto: sales}}", "call_servers.crm.goto: unknown key 'goto' (did you mean 'go_to'?)")])
def test_where_several_things_may_stand_all_are_reported_at_once(given: str, expected: str) -> None:
    text = (f'at: 2026-11-25 10:00\nscenarios:\n  - title: A\n    call: {{from: "+48600100200", to: "+48221234567"}}\n'
            f"    given: {{{given}}}\n    expect: {{ends: refused}}\n")
    with pytest.raises(ConfigError) as caught:
        read_scenarios(text, "x.yaml", acme())
    assert [str(problem) for problem in caught.value.problems] == [f"x.yaml:5 scenarios.#1.given.{expected}"]


def test_scenarios_with_mistakes_of_every_stage_tell_them_together() -> None:
    text = (
        'at: soon\nscenarios:\n  - title: A\n    call: {from: "+48600100200", to: "+48221234567"}\n    expect: {ends: well}\n'
        '  - title: B\n    call: {from: "209", to: "201"}\n    caler: [presses 1]\n    expect: {ends: refused, path: [sails]}\n')
    with pytest.raises(ConfigError) as caught:
        read_scenarios(text, "x.yaml", acme())
    assert [(problem.line, problem.path) for problem in caught.value.problems] == [
        (1, "at"), (5, "scenarios.#1.expect.ends"), (7, "scenarios.#2.call.from"), (8, "scenarios.#2.caler"),
        (9, "scenarios.#2.expect.path.#1")]


@pytest.mark.parametrize(("text", "expected"), [
    ("a: x\n\tb: 1\n", "x.yaml:2 not YAML: found a tab, expected spaces"),
    ("menus\n  main: 1\n", "x.yaml:2 not YAML: found a ':' too many, expected quotes around text with ': ' in it; or the line before lacks its ':'"),
    ("a: 1\nmenus\nb: 2\n", "x.yaml:2 not YAML: found a name without ':' after it"),
    ("a: 'x\nb: c\n", "x.yaml:1 not YAML: found a quote that is never closed"),
    ("a: [1\nb: 2\n", "x.yaml:2 not YAML: found no ',' or ']' before this, expected one: the '[' of line 1 is still open"),
    ("a: 1\n- x\n", "x.yaml:2 not YAML: found what belongs to nothing, expected the indentation of line 1, or quotes around a text"),
    ("a: @x\n", "x.yaml:1 not YAML: found '@', expected quotes around text that begins so"),
    ("a: *x\n", "x.yaml:1 not YAML: found '*x', expected quotes around text that begins with '*'"),
    ('a: "\\q"\n', "x.yaml:1 not YAML: found '\\q' in double quotes, expected single quotes around text with '\\'"),
    ("a: -\n", "x.yaml:1 not YAML: found a '-' that begins no line, expected it on a line of its own"),
    ("a: 1\n---\nb: 2\n", "x.yaml:2 not YAML: found '---' and another document, expected one"),
    ("", "x.yaml:1 found no sections, expected 'tenant: ...' and the others"),
])
def test_text_that_is_no_yaml_is_explained(text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_tenants({"x.yaml": text})
    assert [str(problem) for problem in caught.value.problems] == [expected]
