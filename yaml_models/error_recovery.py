"""Error recovery: the readable part of a wrong document, so that all its errors are reported at once. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from pydantic import BaseModel

from yaml_models.document import Document, Path, Value
from yaml_models.validation import Misfit, fitted

Model = TypeVar("Model", bound=BaseModel)
MAX_ROUNDS = 20              # what was left out may leave out more: a field its element, this one its section
MAX_NUMBERS = 1000           # of a range such as 701-720
_RANGE = re.compile(r"([0-9]{1,6})-([0-9]{1,6})")


@dataclass(frozen=True, slots=True)
class Partial(Generic[Model]):
    """`hidden` are all names and numbers in what was left out: others may mean these. `filled` are the fields of the whole that
    a stand-in took the place of."""

    document: Document
    model: Model
    hidden: frozenset[str]
    filled: frozenset[str]


def readable(
    document: Document, model: type[Model], misfits: Iterable[Misfit], stand_ins: Mapping[str, Value],
) -> Partial[Model] | None:
    """The document without what does not fit; None where nothing is left. `stand_ins` are for fields that no whole can lack."""
    hidden: set[str] = set()
    for _ in range(MAX_ROUNDS):
        wrong = {each.wrong for each in misfits}
        hidden.update(word for path in wrong for word in _words(path, document.value_at(path)) if path)
        document = document.without(wrong)
        filled = {name: value for name, value in stand_ins.items() if name not in document.values or (name,) in wrong}
        document = replace(document, values={**document.values, **filled})
        found = fitted(document, model)
        if not isinstance(found, list):
            return Partial(document, found, frozenset(hidden), frozenset(filled))
        if () in {each.wrong for each in found}:
            return None
        misfits = found
    return None


def _words(path: Path, value: Value) -> Iterator[str]:
    yield from path[-1:]
    match value:
        case dict():
            for key, each in value.items():
                yield from _words((key,), each)
        case list():
            for each in value:
                yield from _words((), each)
        case str():
            yield value
            if numbers := _RANGE.fullmatch(value):
                first, last = map(int, numbers.groups())
                yield from (str(number) for number in range(first, min(last + 1, first + MAX_NUMBERS)))
