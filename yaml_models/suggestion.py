"""Suggestions for misspelt names. Pure."""

import difflib
from collections.abc import Iterable


def closest(name: str, names: Iterable[str]) -> str:
    """The most similar name; '' if none is similar."""
    return next(iter(difflib.get_close_matches(name, names, n=1)), "")


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """' (did you mean 'sales'?)', or '' where no name is like it."""
    close = closest(name, names)
    return f" (did you mean {close!r}?)" if close else ""


def expected_one_of(names: Iterable[str], without: str) -> str:
    """'expected one of a, b'; `without` where there is nothing to choose from."""
    listed = ", ".join(names)
    return f"expected one of {listed}" if listed else without
