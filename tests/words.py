"""The path of a call as people read it."""

from collections.abc import Iterable
from typing import overload

from routing.call.english import in_english
from routing.call.state import Visit
from store.records import PathEntry


@overload
def words(path: Visit | PathEntry) -> tuple[str, str]: ...
@overload
def words(path: Iterable[Visit | PathEntry]) -> tuple[tuple[str, str], ...]: ...
def words(path: Visit | PathEntry | Iterable[Visit | PathEntry]) -> tuple[str, str] | tuple[tuple[str, str], ...]:
    """The node and its reasons, of each visit."""
    if isinstance(path, Visit | PathEntry):
        return path.node, in_english(path.why)
    return tuple((visit.node, in_english(visit.why)) for visit in path)
