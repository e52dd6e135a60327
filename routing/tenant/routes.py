"""Outbound routes (the trunks for each class of calls) and sites. Pure."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, Field

from routing.numbering.dialled import CallClass
from routing.numbering.value_types import Did, Name, all_differ
from yaml_models.patterns import LINE, matching
from yaml_models.strict_model import Part


def outside_only(classes: tuple[CallClass, ...]) -> tuple[CallClass, ...]:
    """The same classes. Raises ValueError for a class that no trunk carries."""
    if CallClass.INTERNAL in classes:
        raise ValueError("found internal, expected classes of calls that leave by a trunk")
    return classes


class Route(Part):
    """Calls of these classes leave by the first of the trunks; by the next one if that fails."""

    classes: Annotated[tuple[CallClass, ...], AfterValidator(outside_only)] = Field(min_length=1)
    trunks: Annotated[tuple[Name, ...], AfterValidator(all_differ)] = Field(min_length=1, max_length=20)


class Site(Part):
    """A site of the tenant: emergency calls of its users show this number, from which rescuers know the address."""

    number: Did
    address: Annotated[str, matching(r"^[^\x00-\x1f\x7f]{1,120}$", LINE)]


def trunks_for(call_class: CallClass | None, routes: Iterable[Route], trunks: Iterable[Name]) -> tuple[Name, ...]:
    """The trunks of the first route for the class; all trunks of the tenant, in their order, if there is no such route."""
    for route in routes:
        if call_class in route.classes:
            return route.trunks
    return tuple(trunks)


def twice(routes: Iterable[Route]) -> Iterable[tuple[int, CallClass]]:
    """Classes that an earlier route already has, each with the index of the later one."""
    seen: set[CallClass] = set()
    for place, route in enumerate(routes):
        yield from ((place, each) for each in route.classes if each in seen)
        seen |= set(route.classes)
