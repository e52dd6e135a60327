"""Which fields a model has at a place in it. Pure."""

from collections.abc import Iterable, Iterator
from types import UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

from pydantic import BaseModel

KIND = "kind"      # the field that says which of several models is meant


def fields_at(model: type[BaseModel], place: Iterable[int | str]) -> tuple[str, ...]:
    """The names that a file may use there, () where it chooses names itself. `place` is that of one of pydantic's errors."""
    return tuple(dict.fromkeys(name for each in _models_at(model, place) for name in _fields(each)))


def kinds_at(model: type[BaseModel], place: Iterable[int | str]) -> tuple[str, ...]:
    """Values of `kind` at a path."""
    return tuple(str(kind) for each in _models_at(model, place) for kind in get_args(_fields(each).get(KIND)))


def _models_at(model: type[BaseModel], place: Iterable[int | str]) -> list[type[BaseModel]]:
    kinds: list[object] = [model]
    for part in place:
        kinds = [inner for kind in kinds for inner in _inside(kind, part)]
    return [kind for kind in _alternatives(kinds) if isinstance(kind, type) and issubclass(kind, BaseModel)]


def _inside(kind: object, part: int | str) -> Iterator[object]:
    for each in _alternatives([kind]):
        arguments = get_args(each)
        if isinstance(each, type) and issubclass(each, BaseModel):
            if part in _fields(each):
                yield _fields(each)[str(part)]
            elif part == each.__name__ or part in get_args(_fields(each).get(KIND)):      # which member of a union it is
                yield each
        elif get_origin(each) is dict and isinstance(part, str):
            yield arguments[1]
        elif arguments and isinstance(part, int):
            yield arguments[0]


def _alternatives(kinds: Iterable[object]) -> Iterator[object]:
    for kind in kinds:
        if get_origin(kind) is Annotated:
            yield from _alternatives(get_args(kind)[:1])
        elif get_origin(kind) in (Union, UnionType):
            yield from _alternatives(get_args(kind))
        elif get_origin(kind) is not Literal:
            yield kind


def _fields(model: type[BaseModel]) -> dict[str, object]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}
