"""Forwarding loops, found before the forwards are saved. Pure."""

from collections.abc import Iterator, Mapping

from routing.numbering.value_types import Extension
from routing.tenant.tenant import Tenant


def forward_loops(tenant: Tenant) -> Iterator[tuple[str, ...]]:
    """Each loop once, as the nodes from one of its users back to that user. Paths that depend on a key pressed by the caller
    do not count."""
    onward = {name: _onward(tenant, name) for name in tenant.nodes}
    reported: set[str] = set()
    for extension in tenant.users:
        if extension not in reported and (loop := _way_back(onward, extension)):
            reported.update(loop)
            yield loop


def _onward(tenant: Tenant, name: str) -> tuple[str, ...]:
    """The nodes to which a node sends calls by itself."""
    targets = tenant.nodes[name].uses().targets
    asks_the_caller = any(field.startswith("keys.") for field, _ in targets)
    return () if asks_the_caller else tuple(tenant.internal_numbers.get(target, target) for _, target in targets)


def _way_back(onward: Mapping[str, tuple[str, ...]], extension: Extension) -> tuple[str, ...]:
    """The shortest path from the user back to the same user, () if there is none."""
    ways: dict[str, tuple[str, ...]] = {extension: (extension,)}
    waiting = [extension]
    while waiting:
        name = waiting.pop(0)
        for target in onward.get(name, ()):
            if target == extension:
                return ways[name]
            if target not in ways:
                ways[target] = (*ways[name], target)
                waiting.append(target)
    return ()
