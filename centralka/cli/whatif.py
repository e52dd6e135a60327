"""Comparison of an edited tenant file with the published one: the changes for callers, in words."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path

from rich.text import Text

from centralka.cli import configuration
from centralka.cli.terminal import errors_reported, out
from centralka.settings import Settings
from simulator.behaviour import entries_of
from simulator.comparison import Comparison, compare

MAX_SHOWN = 40      # lines; --json prints all


def show_what_if(
    settings: Settings, slug: str, number: str, paths: Sequence[Path] | None, edited: Path, as_json: bool,
) -> None:
    """Compares the published tenant, or that of `paths`, with the edited file; every number, or one."""
    with errors_reported():
        if paths:
            before = configuration.load_tenant(slug, paths)
        else:
            published = configuration.published_tenants(settings)
            if slug not in published:
                raise ValueError(f"{slug} is not published, so there is nothing to compare with: publish it or name --tenants")
            before = published[slug]
        after = configuration.load_tenant(slug, [edited], before.platform)
        known = {**entries_of(before), **entries_of(after)}
        if number and number not in known:
            raise ValueError(f"{slug} has no number {number!r} before or after, expected one of {', '.join(known)}")
    with errors_reported("Comparing calls before and after..."):
        comparison = compare(before, after, this_monday(), number)
    if as_json:
        out.print_json(json.dumps(asdict(comparison)))
    else:
        print_comparison(comparison)


def this_monday() -> date:
    """The first day of the week whose calls are compared."""
    today = datetime.now().astimezone().date()
    return today - timedelta(days=today.weekday())


def print_comparison(comparison: Comparison) -> None:
    for line in _lines(comparison):
        out.print(Text(line), soft_wrap=True)


def _lines(comparison: Comparison) -> list[str]:
    lines = [f"{number}: is new" for number in comparison.new]
    lines += [f"{number}: is gone" for number in comparison.gone]
    lines += [str(change) for change in comparison.changes[:MAX_SHOWN]]
    if len(comparison.changes) > MAX_SHOWN:
        lines.append(f"and {len(comparison.changes) - MAX_SHOWN} more such changes; --json prints all")
    if comparison.same_end:
        numbers = ", ".join(comparison.same_end)
        lines.append(f"{numbers}: calls end where they did; what is heard or who is rung on the way differs")
    if comparison.is_cut:
        lines.append(f"cut short after {comparison.compared} calls: there may be other changes")
    return lines or ["no caller would notice"]
