"""Changed numbers: those whose calls are handled differently by two configurations. Pure."""

from collections.abc import Mapping

from pydantic import BaseModel

from routing.nodes import Elements
from routing.speech.phrases import PHRASES
from routing.speech.prompts import Prompt
from routing.tenant.tenant import Tenant

TO_OWN_PHONES = "sys_outside_"     # phrases that usually only the tenant's own users hear, when they make external calls


def changed_numbers(before: Mapping[str, Tenant], after: Mapping[str, Tenant]) -> dict[str, tuple[str, ...]]:
    """By tenant: the public and internal numbers that are new, removed, or reach an element that has changed,
    at any depth."""
    changed: dict[str, tuple[str, ...]] = {}
    for slug in sorted(before.keys() | after.keys()):
        old = _behaviours(before[slug]) if slug in before else {}
        new = _behaviours(after[slug]) if slug in after else {}
        numbers = tuple(sorted(number for number in old.keys() | new.keys() if old.get(number) != new.get(number)))
        if numbers:
            changed[slug] = numbers
    return changed


def _behaviours(tenant: Tenant) -> dict[str, object]:
    """For each number, everything its calls can reach: the elements' own settings, by name."""
    spoken = {
        name: prompt.model_dump() for name, prompt in tenant.all_prompts().items()
        if name in PHRASES and not name.startswith(TO_OWN_PHONES)}
    whole = (shared_by_all(tenant), spoken)
    return {number: (entry, whole, reachable(tenant, entry)) for number, entry in entries_of(tenant).items()}


def entries_of(tenant: Tenant) -> dict[str, str]:
    """The node that each public and internal number reaches."""
    return {did: number.to for did, number in tenant.numbers.items()} | tenant.internal_numbers


def shared_by_all(tenant: Tenant) -> dict[str, object]:
    """Every section of the file that affects all calls: those of single elements, users and prompts are compared where a call
    reaches them, and the tenant's name and trunks do not change a call's path."""
    single = {"users", "numbers", "prompts", "musics", "lists", "calendars", *Elements.model_fields}
    without: dict[str, bool | set[str]] = {"platform": {"carriers"}}
    without |= dict.fromkeys(("tenant", "name", "trunks", *single), True)
    return tenant.model_dump(exclude=without)


def reachable(tenant: Tenant, entry: str) -> dict[str, object]:
    """Everything that a call to that node can reach, by name: its settings, its prompts, the users it rings."""
    prompts = tenant.all_prompts()
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
        if uses.follows:
            waiting += tenant.members_of(name)
    return seen


def _music(tenant: Tenant, prompts: Mapping[str, Prompt], name: str) -> list[object]:
    return [prompts[prompt].model_dump() for prompt in tenant.musics[name].prompts]


def _setting(tenant: Tenant, section: str, key: str) -> object:
    found = getattr(tenant, section)[key]
    return found.model_dump() if isinstance(found, BaseModel) else found
