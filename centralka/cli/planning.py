"""Plan: the changes that an apply would make."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from centralka.cli.configuration import Rendered, tenants_of
from centralka.settings import Settings
from confgen.publish.asterisk_reload import changed_paths
from confgen.publish.publishing import rendered_part
from confgen.publish.revision import current
from simulator.behaviour import changed_numbers
from simulator.comparison import MAX_CALLS, Comparison, compare


@dataclass(frozen=True, slots=True)
class PlannedChanges:
    """Files that change; by tenant, the numbers whose calls would be routed differently, and which of their callers would end
    elsewhere; tenants that are added and removed."""

    changed: tuple[str, ...]
    numbers: dict[str, tuple[str, ...]]
    ends: dict[str, Comparison]
    added: list[str]
    removed: list[str]


def plan_of(rendered: Rendered, settings: Settings, week: date) -> PlannedChanges:
    """`week` is the Monday of the week whose calls are compared."""
    published = rendered_part(current(settings.home), rendered.kept)
    before, after = tenants_of(published), tenants_of(rendered.files)
    numbers = changed_numbers(before, after)
    both = [slug for slug in numbers if slug in before and slug in after]
    ends = {slug: compare(before[slug], after[slug], week, max_calls=MAX_CALLS // len(both)) for slug in both}
    changed = _read_by_people(changed_paths(published, rendered.files))
    return PlannedChanges(changed, numbers, ends, sorted(after.keys() - before), sorted(before.keys() - after))


def _read_by_people(paths: Sequence[str]) -> tuple[str, ...]:
    """The paths without the rows of texts that are among them (confgen/render/tenant_files.py)."""
    return tuple(path for path in paths if f"{path.removesuffix('.json')}.conf" not in paths or not path.endswith(".json"))
