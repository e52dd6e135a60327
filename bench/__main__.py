"""`python -m bench [--quick] [--only PART] [--out DIR]`: measures, prints the tables, writes DIR/<time>.json and .png."""

import argparse
import asyncio
import json
import os
import statistics
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from bench import decisions, plot, registrations, size, tables
from bench.calls import FLOWS, ONE, STATIC, Flow, Probe
from bench.ceiling import Effort, at_rate, find_ceiling, kept_busy
from bench.instance import BenchInstance, running_instance
from bench.machine import busy_share
from bench.result import FlowResult, Results
from runtime.failure import RuntimeFailure
from runtime.places import RUNTIME
from runtime.signals import exit_on_signals

FULL = Effort(probe_s=3.0, precision=0.08, busy_calls=700, rounds=3, set_up_calls=400, decision_s=2.0)
QUICK = Effort(probe_s=1.0, precision=0.3, busy_calls=200, rounds=1, set_up_calls=100, decision_s=0.5)
SET_UP_PER_S = 50
OTHERS_S = 2.0          # for which the work of others is measured
console = Console(highlight=False)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about a minute; figures of little worth")
    parser.add_argument("--only", choices=["calls", "registrations", "size"], help="a part of it")
    parser.add_argument("--tenants", type=int, help="how many for what size costs (default 1000, quick 50)")
    parser.add_argument("--out", type=Path, default=RUNTIME / "bench", help="where to write (default %(default)s)")
    arguments = parser.parse_args()
    exit_on_signals()
    moment, load = datetime.now(UTC), os.getloadavg()[0]
    if load > 0.5:
        console.print(f"[yellow]warning:[/] the load of this machine is {load:.1f} before the start: expect noise")
    arguments.out.mkdir(parents=True, exist_ok=True)
    stem = arguments.out / moment.strftime("%Y%m%dT%H%M%SZ")
    try:
        if arguments.only in (None, "calls"):
            with console.status("Starting an instance for the benchmark ..."), running_instance({}) as bench:
                results = asyncio.run(measure(bench, QUICK if arguments.quick else FULL, moment, load))
            stem.with_suffix(".json").write_text(results.to_json())
            plot.write(results, stem.with_suffix(".png"))
            tables.show(results, console)
        if arguments.only in (None, "registrations"):
            with console.status(f"{registrations.USERS} users register beside calls ..."), \
                    running_instance({registrations.SLUG: registrations.crowd()}) as bench:
                turns = asyncio.run(registrations.measure_registrations(bench, *((4, 1) if arguments.quick else (12, 3))))
            stem.with_suffix(".registrations.json").write_text(json.dumps([asdict(turn) for turn in turns], indent=1))
            registrations.show(turns, console)
        if arguments.only in (None, "size"):
            tenants = arguments.tenants or (50 if arguments.quick else 1000)
            sizes = size.measure_sizes(tenants, 500 if arguments.quick else 3000, console)
            stem.with_suffix(".size.json").write_text(json.dumps(asdict(sizes), indent=1))
            size.show(sizes, console)
    except RuntimeFailure as failure:
        console.print(f"[red]RuntimeFailure[/]: {failure}", markup=False)
        return 2
    console.print(f"{stem}.*", soft_wrap=True)
    return 0


async def measure(bench: BenchInstance, effort: Effort, moment: datetime, load: float) -> Results:
    """Everything, in one run on one instance; the flows by turns, so that a slow minute hits all of them."""
    with console.status("") as status:
        status.update("work of others on this machine ...")
        before = await asyncio.to_thread(busy_share, OTHERS_S)
        status.update("decisions of the FastAGI service alone ...")
        service = await decisions.measure_service(bench, effort.decision_s)
        status.update("decisions of pyst2's server ...")
        pyst2 = await decisions.measure_pyst2(bench, effort.decision_s)
        await at_rate(bench, ONE, SET_UP_PER_S, 2)                  # warms up Asterisk and the services
        busy: dict[str, list[Probe]] = {flow.name: [] for flow in FLOWS}
        for turn in range(effort.rounds):
            for flow in FLOWS:
                status.update(f"{flow.title}: as many as go through, turn {turn + 1} ...")
                busy[flow.name].append(printed(await kept_busy(bench, flow, effort.busy_calls)))
        set_up = {}
        for flow in (STATIC, ONE):
            status.update(f"{flow.title}: set-up time at {SET_UP_PER_S}/s ...")
            set_up[flow.name] = printed(await at_rate(bench, flow, SET_UP_PER_S, effort.set_up_calls / SET_UP_PER_S))
        found: dict[str, list[Probe]] = {}
        for flow in FLOWS:
            status.update(f"{flow.title}: the highest rate without retransmissions ...")
            first = int(0.75 * statistics.median(one.per_s for one in busy[flow.name]))
            found[flow.name] = await ceiling_of(bench, flow, effort, first)
    after = await asyncio.to_thread(busy_share, OTHERS_S)
    flows = [FlowResult(flow.name, flow.title, flow.decisions, busy[flow.name], found[flow.name]) for flow in FLOWS]
    static_ms, one_ms = set_up[STATIC.name].setup_ms, set_up[ONE.name].setup_ms
    return Results(moment, load, (before, after), flows, static_ms, one_ms, service, pyst2)


async def ceiling_of(bench: BenchInstance, flow: Flow, effort: Effort, first: int) -> list[Probe]:
    async def measure_at(per_s: int) -> Probe:
        return printed(await at_rate(bench, flow, per_s, effort.probe_s))

    return await find_ceiling(measure_at, effort.precision, first)


def printed(probe: Probe) -> Probe:
    """One line of progress."""
    console.print(
        f"  {probe.flow:12} {f'{probe.asked_per_s}/s' if probe.asked_per_s else 'busy':>7} {probe.per_s:6.0f} calls/s  "
        + ("[green]good[/]" if probe.is_good else f"[yellow]{probe.failed} failed, {probe.retransmissions} sent again, "
           f"{probe.calls - probe.arrived} did not arrive[/]"))
    return probe


if __name__ == "__main__":
    sys.exit(main())
