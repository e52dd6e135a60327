"""Subscription: the limits of a tenant's plan, and the places where its file exceeds them. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import Field

from routing.numbering.value_types import Name
from routing.platform.platform import Plan, Platform
from yaml_models.strict_model import Part

Path = tuple[str, ...]


class Bought(Part):
    """A tenant's plan. `additions`: count of each addition; `additional_users`: users beyond the plan's;
    `lines`: number of lines, where the plan leaves a choice."""

    name: Name                       # of the plan
    additions: dict[Name, int] = Field(default_factory=dict)
    additional_users: int = Field(default=0, ge=0, le=100_000)
    lines: int | None = Field(default=None, ge=1, le=100_000)


@dataclass(frozen=True, slots=True)
class Terms:
    """None: no limit."""

    main_numbers: int | None
    users: int | None
    lines: int | None


def terms_of(bought: Bought, platform: Platform) -> Terms:
    """Raises KeyError for a plan that the platform does not have."""
    plan = platform.plans[bought.name]
    added = [(platform.plans[name], count) for name, count in bought.additions.items()]
    lines = bought.lines or plan.lines
    users = _sum(plan.users, ((each.users, count) for each, count in added))
    return Terms(
        _sum(plan.main_numbers, ((each.main_numbers, count) for each, count in added)),
        None if users is None else users + bought.additional_users,
        _sum(lines, ((each.lines, count) for each, count in added)))


def _sum(first: int | None, added: Iterable[tuple[int | None, int]]) -> int | None:
    return None if first is None else first + sum((each or 0) * count for each, count in added)


def unknown_terms(bought: Bought, platform: Platform) -> Iterable[tuple[Path, str]]:
    """Plans and additions in the file that the platform does not offer: the path and the problem."""
    expected = ", ".join(name for name, plan in platform.plans.items() if not plan.addition)
    plan = platform.plans.get(bought.name)
    if plan is None or plan.addition:
        why = f"{bought.name} is only an addition to a plan" if plan else f"no plan named {bought.name!r}"
        yield ("name",), f"{why}, expected one of {expected}"
    for name in bought.additions:
        if name not in platform.plans or not platform.plans[name].addition:
            yield ("additions", name), f"no addition to a plan is named {name!r}"
    if bought.lines and plan and not _fits(bought.lines, plan):
        fewest = plan.fewest_lines or plan.lines
        yield ("lines",), f"found {bought.lines} lines, plan {bought.name} has {fewest or 'any'} to {plan.lines or 'any'}"


def _fits(lines: int, plan: Plan) -> bool:
    return plan.lines is not None and (plan.fewest_lines or plan.lines) <= lines <= plan.lines


def exceeded(bought: Bought, terms: Terms, main_numbers: int, users: int) -> Iterable[tuple[str, str]]:
    """The section of the file that exceeds the subscription, and the problem."""
    if terms.users is not None and users > terms.users:
        yield "users", f"found {users} users, plan {bought.name} has {terms.users} with what was added to it"
    if terms.main_numbers is not None and main_numbers > terms.main_numbers:
        text = f"found {main_numbers} main numbers, plan {bought.name} has {terms.main_numbers} with what was added to it"
        yield "numbers", text
