"""What the documents say is so: each example in YAML is good, and docs/elements.md knows every element, field, default and word."""

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from routing.check.check import read_platform, read_tenant
from routing.hunt.hunting import Algorithm
from routing.nodes import Elements
from routing.nodes.user import User
from routing.nodes.when import When
from routing.platform.platform import Platform
from routing.tenant.tenant import Tenant
from simulator.scenario import Scenarios
from simulator.scenario_reading import read_scenarios
from simulator.scenario_run import failures
from yaml_models.document import read_document
from yaml_models.errors import ConfigError

DOCUMENTS = Path(__file__).parent.parent.parent / "docs"
PROMPTS = ("closed", "road_works", "see_our_website", "please_wait", "strike_is_on", "we_have_moved", "which_number", "your_number", "welcome")
AROUND: dict[str, Any] = {
    "tenant": "acme", "name": "Acme", "country": "PL", "language": "pl", "timezone": "Europe/Warsaw",
    "users": {
        **{str(extension): {"name": f"User {extension}", "devices": ["desk"]} for extension in range(201, 206)},
        "206": {"name": "User 206", "devices": ["dect"]}, "207": {"name": "User 207", "devices": ["fax"], "voicemail": False},
        "208": {"name": "User 208", "devices": ["terminal"], "voicemail": False}},
    "numbers": {"+48221234567": {"to": "main"}, "+48221234568": {"to": "201"}},
    "trunks": {
        "carrier": {"kind": "address", "address": "192.0.2.10"}, "mobile": {"kind": "address", "address": "192.0.2.11"}},
    "sites": {"warsaw": {"number": "+48221234567", "address": "Prosta 1, Warszawa"}},
    "groups": {name: {"members": ["201", "202"], "unanswered": "mail"} for name in ("sales", "reception")},
    "menus": {"main": {"prompt": "welcome", "keys": {"1": "201"}, "no_key": "sales", "wrong_key": "sales"}},
    "voicemails": {"mail": {"mailbox": "201"}},
    "switches": {"night": {}}, "codes": {"switches": {"night": "*61"}},
    "parkings": {"lot": {"slots": "701-720", "unanswered": "sales"}},
    "prompts": {name: {"text": name} for name in PROMPTS},
    "failover": {"ring": ["201"]},
}
"""The tenant that the examples stand in."""
ON = read_platform("brake: null\ncarriers: {telco: {kind: address, address: 192.0.2.7}}\n", "platform.yaml")

BLOCK = re.compile(r"^```yaml\n(.*?)^```$|(^ {4}[^\n]*\n(?:^ {4}[^\n]*\n|^\n)*)", re.MULTILINE | re.DOTALL)      # fenced, indented
EXAMPLES = [
    pytest.param(document, text, id=f"{document.name}-{place}")
    for document in sorted(DOCUMENTS.glob("*.md")) if document.name != "tutorial.md"       # test_tutorial.py plays that one whole
    for place, text in enumerate(BLOCK.findall(document.read_text()))
]


def example_of(found: tuple[str, str]) -> dict[str, Any] | None:
    """A block's content, None of an indented one that is no YAML."""
    fenced, indented = found
    try:
        return read_document(fenced or indented, "example.yaml").values
    except ConfigError:
        if fenced:
            raise
        return None


def check(content: dict[str, Any], document: Path) -> None:
    if content.keys() <= Scenarios.model_fields.keys():
        assert not failures(read_scenarios(yaml.safe_dump(content), document.name, tenant_with(AROUND, {})))
    elif content.keys() <= Platform.model_fields.keys():
        read_platform(yaml.safe_dump(content), document.name)
    elif content.keys() <= User.model_fields.keys():
        user = {"name": "Anna", "devices": ["desk", "dect", "browser"], "mobile": "+48600100201"}
        tenant_with(AROUND, {"users": {"201": {**user, **content}}})
    else:
        tenant_with(AROUND, content)


def tenant_with(around: dict[str, Any], example: dict[str, Any]) -> Tenant:
    """The tenant with what the example says instead of its own. Raises ConfigError."""
    whole = dict(around)
    for section, content in example.items():
        is_section = isinstance(content, dict) and section != "failover"
        whole[section] = {**whole.get(section, {}), **content} if is_section else content
    return read_tenant(yaml.safe_dump(whole, allow_unicode=True), "example.yaml", ON)


@pytest.mark.parametrize(("document", "found"), EXAMPLES)
def test_every_example_in_a_document_is_good(document: Path, found: tuple[str, str]) -> None:
    content = example_of(found)
    if content:
        check(content, document)


def test_examples_are_found_in_the_documents() -> None:
    found = {param.values[0].name for param in EXAMPLES if example_of(param.values[1])}  # type: ignore[union-attr,arg-type]
    assert {"elements.md", "phones.md", "call-server.md", "outgoing.md", "codes.md", "scenarios.md", "forwarding.md"} <= found


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation) if get_origin(annotation) in (Union, UnionType, tuple, dict, Annotated) else ():
        yield from models_in(part)


def default_of(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    match field.get_default(call_default_factory=True):  # type: ignore[call-arg]
        case bool(value):
            return "yes" if value else "no"
        case int(value) | float(value):
            return str(value)
        case tuple(values) if values:
            return ", ".join(values)
        case value:
            return str(value) if value else "none"


def fields_of(model: type[BaseModel], path: str = "") -> dict[str, str]:
    """Every field below, with its default. What a `when` may say has a table of its own."""
    found: dict[str, str] = {}
    for name, field in model.model_fields.items():
        if name == "extension" and not path:
            continue
        found[path + name] = default_of(field)
        for below in models_in(field.annotation):
            if below.__name__ not in ("When", "PersonalRule", "Window") or (below.__name__ == "Window" and model is not When):
                found |= fields_of(below, f"{path}{name}.")
    return found


def chapter(title: str) -> str:
    """The text under a heading of docs/elements.md."""
    text = (DOCUMENTS / "elements.md").read_text()
    found = re.search(rf"^(#+) {title}\n(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"docs/elements.md has no heading {title!r}"
    return found[2]


ELEMENTS = {section: next(models_in(field.annotation)) for section, field in Elements.model_fields.items()}


@pytest.mark.parametrize(("title", "model"), [*ELEMENTS.items(), ("users", User), ("when", When)])
def test_every_field_of_every_element_is_told_with_its_default(title: str, model: type[BaseModel]) -> None:
    table = chapter(title).partition("| field | default |")[2]
    rows = re.findall(r"^\| `([\w.]+)` \| `?([^|`]+?)`? \|", table, re.MULTILINE)
    assert dict(rows) == fields_of(model)
    assert len(rows) == len(dict(rows))


@pytest.mark.parametrize("section", [*ELEMENTS, "users"])
def test_every_element_has_an_example_of_its_own(section: str) -> None:
    (text,) = re.findall(r"^```yaml\n(.*?)^```$", chapter(section), re.MULTILINE | re.DOTALL)
    assert yaml.safe_load(text)[section]


def words_of(annotation: Any) -> Iterator[str]:
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    elif isinstance(annotation, type) and issubclass(annotation, StrEnum):
        yield from annotation
    for part in get_args(annotation) if get_origin(annotation) is not Literal else ():
        yield from words_of(part)


@pytest.mark.parametrize(("title", "model"), [*ELEMENTS.items(), ("when", When)])
def test_every_word_that_a_field_may_have_is_told(title: str, model: type[BaseModel]) -> None:
    told = chapter(title)
    words = {word for field in model.model_fields.values() for word in words_of(field.annotation)}
    words |= {word for field in model.model_fields.values() for below in models_in(field.annotation) if below.__name__ != "When"
              for inner in below.model_fields.values() for word in words_of(inner.annotation)}
    if title == "queues":
        words -= set(Algorithm)         # told with the groups
    assert not [word for word in words if f"`{word}`" not in told]


def test_conditions_show_every_word_of_when() -> None:
    (text,) = re.findall(r"^```yaml\n(.*?)^```$", chapter("conditions"), re.MULTILINE | re.DOTALL)
    shown = [rule["when"] for rule in yaml.safe_load(text)["conditions"]["door"]["rules"]]
    assert {word for when in shown for word in when} == set(When.model_fields)


def test_groups_show_every_algorithm() -> None:
    (text,) = re.findall(r"^```yaml\n(.*?)^```$", chapter("groups"), re.MULTILINE | re.DOTALL)
    assert {group.get("algorithm", "ring_all") for group in yaml.safe_load(text)["groups"].values()} == set(Algorithm)
