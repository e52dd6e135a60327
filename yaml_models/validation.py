"""Validation of a document against a model, with errors in our words. Pure."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from yaml_models.document import Document, Path, Value
from yaml_models.errors import ConfigError, Problem
from yaml_models.fields import KIND, fields_at, kinds_at
from yaml_models.patterns import expected_for
from yaml_models.suggestion import closest, did_you_mean

Model = TypeVar("Model", bound=BaseModel)
MAX_SHOWN, MAX_FIELDS = 70, 12
SINGLE, LIST, NAMES, NUMBER = "a single value", "a list", "names with their values", "a whole number"
EXPECTED = {
    "string_type": SINGLE, "enum": SINGLE, "literal_error": SINGLE,
    "tuple_type": LIST, "list_type": LIST, "frozen_set_type": LIST, "set_type": LIST,
    "dict_type": NAMES, "dataclass_type": NAMES,
    "int_type": NUMBER, "int_parsing": NUMBER, "int_parsing_size": NUMBER, "int_from_float": NUMBER,
    "float_type": "a number", "float_parsing": "a number", "finite_number": "a number",
    "bool_type": "yes or no", "bool_parsing": "yes or no",
    "time_type": "a time of the day such as 08:30", "time_parsing": "a time of the day such as 08:30",
}
"""By pydantic's types of errors. Source: docs.pydantic.dev/latest/errors/validation_errors."""
_FIELD = re.compile(r"(?P<field>[a-z_]+(?:\.[a-z_]+)*): (?P<text>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Misfit:
    """An error at a path, and the part to leave out so that the rest is readable. `expected` is what may stand there instead
    of what `text` says was found, '' where `text` says everything."""

    path: Path
    text: str
    wrong: Path
    expected: str = ""


def validated(document: Document, model: type[Model]) -> Model:
    """The document as this model. Raises ConfigError with what does not fit, in our words."""
    found = fitted(document, model)
    if isinstance(found, list):
        raise ConfigError(problems_of(document, found))
    return found


def fitted(document: Document, model: type[Model]) -> Model | list[Misfit]:
    """The document as this model, or all that does not fit."""
    try:
        return model.model_validate(document.values)
    except ValidationError as error:
        return list(_first_causes(list(_misfits(document, model, error.errors()))))


def problems_of(document: Document, misfits: Iterable[Misfit]) -> list[Problem]:
    """One problem per place, which lists all that may stand there."""
    together: dict[tuple[Path, str], list[str]] = {}
    for each in misfits:
        together.setdefault((each.path, each.text), []).append(each.expected)
    return [
        document.problem(path, f"{text}, expected {' or '.join(dict.fromkeys(expected))}" if any(expected) else text)
        for (path, text), expected in together.items()]


def shown(value: Value) -> str:
    match value:
        case None:
            return "nothing"
        case list():
            return "a list"
        case dict():
            return "names with their values"
        case text:
            return repr(text) if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]!r}..."


def _first_causes(misfits: list[Misfit]) -> Iterable[Misfit]:
    """Without those that expect another kind of part where something in the part does not fit."""
    around = {each.path[:length] for each in misfits for length in range(len(each.path))}
    return (each for each in misfits if not (each.expected and each.path in around))


def _misfits(document: Document, model: type[BaseModel], details: list[ErrorDetails]) -> Iterator[Misfit]:
    meant: set[Path] = set()         # fields that are missing only because they are misspelt
    for detail in details:
        if detail["type"] == "extra_forbidden":
            *place, key = detail["loc"]
            path = _path_of(document, place, is_whole=False)
            known = fields_at(model, place)
            meant.add((*path, closest(str(key), known)))
            text = _unknown(str(key), known, document.keys_at(path), is_section=not path)
            yield Misfit((*path, str(key)), text, (*path, str(key)))
    for detail in details:
        match detail["type"]:
            case "extra_forbidden":
                continue
            case "missing":
                *place, key = detail["loc"]
                path = _path_of(document, place, is_whole=False)
                if (*path, str(key)) not in meant:
                    yield Misfit(path, f"{key!r} is missing", path)
            case _:
                yield _misfit(document, model, detail)


def _path_of(document: Document, place: Sequence[int | str], *, is_whole: bool = True) -> Path:
    """Where one of pydantic's errors is. Its places name, too, which of several models was tried: the part's own `kind`, or
    what the document does not have. Where it is not the whole of the place, something follows in it."""
    path: Path = ()
    for i, part in enumerate(place):
        value = document.value_at(path)
        is_there = part in value if isinstance(value, dict) else isinstance(value, list) and isinstance(part, int)
        is_kind = isinstance(value, dict) and value.get(KIND) == part and (i + 1 < len(place) or not is_whole)
        if is_there and not is_kind:
            path = (*path, str(part))
    return path


def _unknown(key: str, known: Collection[str], there: Collection[str], *, is_section: bool) -> str:
    close = closest(key, known)
    if close:
        kind, again = "section" if is_section else "key", ", which is there too" if close in there else ""
        return f"unknown {kind} {key!r} (did you mean {close!r}{again}?)"
    if is_section:
        return f"unknown section {key!r}"
    left = [name for name in known if name not in there]
    return f"unknown key {key!r}, expected {'some of ' if len(left) > 1 else ''}{', '.join(left) or 'no more'}"


def _misfit(document: Document, model: type[BaseModel], detail: ErrorDetails) -> Misfit:
    """pydantic's error in our words: what was found and what was expected."""
    path = _path_of(document, detail["loc"])
    value = path[-1] if "[key]" in detail["loc"] else document.value_at(path)
    found, limits = f"found {shown(value)}", detail.get("ctx", {})
    match detail["type"]:
        case "union_tag_invalid":
            tag = document.value_at((*path, KIND))
            return Misfit((*path, KIND), f"found {shown(tag)}", path, _one_of(tag, limits["expected_tags"]))
        case "union_tag_not_found":
            return Misfit(path, f"{KIND!r} is missing, expected one of {', '.join(kinds_at(model, detail['loc']))}", path)
        case "too_short" | "too_long" as kind:
            bound = f"at least {limits['min_length']}" if kind == "too_short" else f"at most {limits['max_length']}"
            many = limits["actual_length"]
            return Misfit(path, f"found {many or 'no'} {'entry' if many == 1 else 'entries'}", path, bound)
        case "string_too_long":
            return Misfit(path, f"found {len(str(value))} characters", path, f"at most {limits['max_length']}")
        case "string_too_short":
            return Misfit(path, f"found {len(str(value))} characters", path, f"at least {limits['min_length']}")
        case "greater_than_equal":
            return Misfit(path, found, path, f"at least {limits['ge']:g}")
        case "greater_than":
            return Misfit(path, found, path, f"more than {limits['gt']:g}")
        case "less_than_equal":
            return Misfit(path, found, path, f"at most {limits['le']:g}")
        case "less_than":
            return Misfit(path, found, path, f"less than {limits['lt']:g}")
        case "enum" | "literal_error" if isinstance(value, str):
            return Misfit(path, found, path, _one_of(value, limits["expected"]))
        case "string_pattern_mismatch":
            return Misfit(path, found, path, expected_for(limits["pattern"]))
        case "value_error":
            return _refused(path, value, str(limits["error"]))
        case "model_type" | "model_attributes_type":
            fields = fields_at(model, detail["loc"])
            return Misfit(path, found, path, f"{NAMES} ({', '.join(fields)})" if len(fields) <= MAX_FIELDS else NAMES)
        case kind:
            expected = EXPECTED.get(kind, "another value")
            return Misfit(path, found, path, "a value" if expected is SINGLE and value is None else expected)


def _refused(path: Path, value: Value, text: str) -> Misfit:
    """By a validator of ours, which may say first which of its fields is wrong: 'delays_s: found 209, ...'."""
    if field := _FIELD.fullmatch(text):
        return Misfit((*path, *field["field"].split(".")), field["text"], path)
    is_whole = not isinstance(value, str) or text.startswith("found")
    return Misfit(path, text if is_whole else f"found {shown(value)}, {text}", path)


def _one_of(found: Value, choices: str) -> str:
    """`choices` as pydantic lists them: "'a', 'b' or 'c'"."""
    names = re.findall("'([^']*)'", choices)
    hint = did_you_mean(found, names) if isinstance(found, str) else ""
    return f"{'one of ' if len(names) > 1 else ''}{', '.join(names)}{hint}"
