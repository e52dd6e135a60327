"""Every scenario in the simulator; and every exit of every kind of element is reached by one of them."""

import re
import typing
from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from routing.nodes import Elements
from routing.nodes.user import User
from routing.numbering.value_types import Target
from routing.tenant.tenant import Tenant
from simulator.scenario_run import Scene
from tests.scenario_player.scenes import SCENES, TITLES

ENDS = "(ends)"                # the exit of an element that can end a call by itself
USERS = "users"


@pytest.mark.parametrize("scene", SCENES, ids=TITLES)
def test_scenario_goes_in_the_simulator_as_it_is_told(scene: Scene) -> None:
    assert not [str(problem) for problem in scene.problems(scene.simulated())]


def test_every_exit_of_every_kind_is_reached_by_a_scenario() -> None:
    reached = {exit_ for scene in SCENES for exit_ in exits_taken(scene)}
    tenants = {scene.tenant.tenant: scene.tenant for scene in SCENES}
    offered = {exit_ for tenant in tenants.values() for exit_ in exits_of(tenant)} | declared_exits()
    assert not sorted(offered - reached), "no scenario reaches these"


def exits_of(tenant: Tenant) -> Iterator[tuple[str, str]]:
    """The exits of a tenant's elements: kind and field, without the numbers and keys of lists and tables."""
    for name, node in tenant.nodes.items():
        uses = node.uses()
        yield from ((kind_of(tenant, name), field_of(path)) for path, _ in uses.targets)
        if uses.ends:
            yield kind_of(tenant, name), ENDS


def declared_exits() -> set[tuple[str, str]]:
    """Each field of each kind that holds a target, whether or not a tenant here uses it."""
    kinds = {section: typing.get_args(field.annotation)[1] for section, field in Elements.model_fields.items()} | {USERS: User}
    return {(kind, field) for kind, model in kinds.items() for field in fields_with_targets(model)}


def fields_with_targets(model: type[BaseModel]) -> Iterator[str]:
    for name, annotation in typing.get_type_hints(model, include_extras=True).items():
        if name in model.model_fields:
            yield from (name + inner for inner in holds_target(annotation))


def holds_target(annotation: object) -> Iterator[str]:
    """'' where the annotation is or holds a target, '.to' where a model inside it has one."""
    if annotation == Target:
        yield ""
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from (f".{field}" for field in fields_with_targets(annotation))
    else:
        for argument in typing.get_args(annotation):
            yield from holds_target(argument)


def field_of(path: str) -> str:
    """'rules.to' of 'rules.2.to'."""
    return ".".join(part for part in path.split(".") if not re.fullmatch(r"[0-9*#]+", part))


def kind_of(tenant: Tenant, name: str) -> str:
    """A section of the tenant's file. The numbers of a lot's slots are the lot's."""
    others = USERS if name in tenant.users else "parkings"
    return next((section for section, element, _ in tenant.elements() if element == name), others)


def exits_taken(scene: Scene) -> Iterator[tuple[str, str]]:
    """An exit counts where no other of the same element leads to the same place."""
    found, tenant = scene.simulated(), scene.tenant
    for here, there in zip(found.nodes, found.nodes[1:], strict=False):
        fields = [field_of(path) for path, target in tenant.nodes[here].uses().targets if target == there]
        if len(fields) == 1:
            yield kind_of(tenant, here), fields[0]
    if found.nodes and found.ends not in ("caller hangs up", "failover"):
        yield kind_of(tenant, found.nodes[-1]), ENDS
