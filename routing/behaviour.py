"""Which numbers' calls would go another way between two configurations. Pure."""

from collections.abc import Mapping

from pydantic import BaseModel

from routing.phrases import PHRASES
from routing.tenant import Prompt, Tenant


def changed_numbers(before: Mapping[str, Tenant], after: Mapping[str, Tenant]) -> dict[str, tuple[str, ...]]:
    """By tenant: the public and internal numbers that are new, gone, or reach an element that is not the same any more,
    at whatever depth."""
    changed: dict[str, tuple[str, ...]] = {}
    for slug in sorted(before.keys() | after.keys()):
        old = _behaviours(before[slug]) if slug in before else {}
        new = _behaviours(after[slug]) if slug in after else {}
        numbers = tuple(sorted(number for number in old.keys() | new.keys() if old.get(number) != new.get(number)))
        if numbers:
            changed[slug] = numbers
    return changed


def _behaviours(tenant: Tenant) -> dict[str, object]:
    """For each number, everything its calls can come to: the elements' own settings, by name."""
    entries = {did: number.to for did, number in tenant.numbers.items()} | tenant.internal_numbers
    prompts = tenant.all_prompts()
    spoken = {name: prompt.model_dump() for name, prompt in prompts.items() if name in PHRASES}
    place = (tenant.timezone, tenant.language, tenant.country, tenant.area_code)
    whole = (place, tenant.failover.model_dump(), tenant.codes.model_dump(), tenant.blacklist, spoken)
    return {number: (entry, whole, _reachable(tenant, prompts, entry)) for number, entry in entries.items()}


def _reachable(tenant: Tenant, prompts: Mapping[str, Prompt], entry: str) -> dict[str, object]:
    seen: dict[str, object] = {}
    waiting = [entry]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        node = tenant.nodes[name]
        uses = node.uses()
        spoken = {prompt: prompts[prompt].model_dump() for _, prompt in uses.prompts}
        users = {extension: tenant.users[extension].model_dump() for _, extension in uses.users}
        heard = {music: _music(tenant, prompts, music) for _, music in uses.musics}
        asked = {use: _setting(tenant, *use[1:]) for use in uses.settings}
        seen[name] = (node.model_dump(), spoken, users, heard, asked)
        waiting += [*tenant.targets_of(node), *(group for _, group in uses.groups)]
    return seen


def _music(tenant: Tenant, prompts: Mapping[str, Prompt], name: str) -> list[object]:
    return [prompts[prompt].model_dump() for prompt in tenant.musics[name].prompts]


def _setting(tenant: Tenant, section: str, key: str) -> object:
    found = getattr(tenant, section)[key]
    return found.model_dump() if isinstance(found, BaseModel) else found
