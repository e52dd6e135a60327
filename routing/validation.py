"""A document as a model, and what does not fit in our words. Pure."""

from collections.abc import Iterable
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from routing.document import Document
from routing.equipment import KINDS_OF_KEYS
from routing.errors import ConfigError, Problem
from routing.names import expected_for

Model = TypeVar("Model", bound=BaseModel)


def validated(document: Document, model: type[Model]) -> Model:
    """The document as this model. Raises ConfigError with what does not fit, in our words."""
    try:
        return model.model_validate(document.values)
    except ValidationError as error:
        raise ConfigError([_told(document, detail) for detail in _first_causes(error.errors())]) from None


def _first_causes(details: list[ErrorDetails]) -> Iterable[ErrorDetails]:
    """Without 'too few items' where the items themselves are what is wrong."""
    paths = [detail["loc"] for detail in details]
    for detail in details:
        where = detail["loc"]
        if detail["type"] != "too_short" or not any(len(path) > len(where) and path[:len(where)] == where for path in paths):
            yield detail


def _told(document: Document, detail: ErrorDetails) -> Problem:
    """pydantic's error in our words: what was found and what was expected."""
    parts = [str(part) for part in detail["loc"] if part != "[key]"]
    if parts[:1] in (["trunks"], ["carriers"]) and parts[2:3] in (["address"], ["registration"], ["carrier"]):
        del parts[2]                  # the kind, which pydantic puts before the field
    path = tuple(
        part for place, part in enumerate(parts)
        if part not in KINDS_OF_KEYS or place < 2 or parts[place - 2] != "keys" or not parts[place - 1].isdigit())
    found = detail["input"]
    context = detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            text = f"unknown key {path[-1]!r}"
        case "missing":
            text = f"{path[-1]!r} is missing"
            path = path[:-1]
        case "union_tag_invalid":
            path = (*path, context["discriminator"].strip("'"))
            text = f"found {context['tag']!r}, expected one of {context['expected_tags'].replace(chr(39), '')}"
        case "union_tag_not_found":
            text = f"{context['discriminator']} is missing"
        case "tuple_type" | "list_type":
            text = f"found {_shown(found)}, expected a list"
        case "dict_type" | "model_type":
            text = f"found {_shown(found)}, expected names with their values"
        case "too_short":
            text = f"found {_shown(found)}, expected at least {context['min_length']}"
        case "string_pattern_mismatch":
            text = f"found {_shown(found)}, expected {expected_for(context['pattern'])}"
        case "value_error":
            text = f"found {_shown(found)}, {context['error']}" if isinstance(found, str) else str(context["error"])
        case _:
            text = f"found {_shown(found)}: {detail['msg'][0].lower()}{detail['msg'][1:]}"
    return document.problem(path, text)


def _shown(value: object) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
