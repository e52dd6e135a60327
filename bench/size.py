"""Cost of size: a large tenant's decisions, many tenants' files, one tenant of many changed while calls run."""

import asyncio
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from bench.changing import Changed, many_tenants, measure_changes
from bench.configuring import Configured, measure_configuration
from bench.deciding import Decided, measure_decisions


@dataclass(frozen=True, slots=True)
class Sizes:
    decided: list[Decided]
    configured: Configured
    changed: list[Changed]


def measure_sizes(tenants: int, decisions: int, console: Console) -> Sizes:
    with console.status("") as status:
        status.update("decisions of a large tenant ...")
        decided = measure_decisions(decisions)
        status.update(f"{tenants:,} tenants' files ...")
        configured = measure_configuration(tenants)
        status.update(f"one of {tenants:,} tenants is changed while calls run ...")
        with many_tenants(tenants) as many:
            changed = asyncio.run(measure_changes(many))
    return Sizes(decided, configured, changed)


def show(sizes: Sizes, console: Console) -> None:
    title = "One decision of a tenant of 500 elements (goal: p50 1 ms)"
    decided = Table("", "p50 ms", "p99 ms", title=title, title_justify="left")
    for kind in sizes.decided:
        decided.add_row(kind.title, f"{kind.p50_ms:.3f}", f"{kind.p99_ms:.3f}")
    console.print(decided)

    files = sizes.configured
    console.print(f"{files.tenants:,} tenants of 10 users, files (goal for 1,000: 5 s)", style="italic")
    console.print(
        f"  check {files.check_s:.2f} s + render {files.render_s:.2f} s = {files.check_s + files.render_s:.2f} s; "
        f"`centralka check` with Python's start: {files.check_command_s:.2f} s")

    console.print(f"One of {files.tenants:,} tenants changed at 50 calls/s (goal: live in 0.5 s, none failed)", style="italic")
    for one in sizes.changed:
        before = "" if one.checked_s is None else f"check and render {one.checked_s:.2f} s, then "
        registered = "" if one.registered_s is None else f"registration {one.registered_s:.2f} s, "
        live = "" if one.live_s is None else f"calls {one.live_s:.2f} s, "
        console.print(f"  {one.title}: {before}{registered}{live}ended {one.ended_s:.2f} s")
        console.print(
            f"    {one.calls} calls, {one.failed} failed, {one.retransmissions} messages sent again, "
            f"set-up p50 {one.setup_p50_ms:.0f} ms, longest {one.setup_max_ms:.0f} ms")
