"""Result tables for a terminal."""

from rich.console import Console
from rich.table import Table

from bench.percentile import percentile
from bench.result import BASELINES, Results

PROCESSES = ("asterisk", "agi", "ami", "redis", "machine")


def show(results: Results, console: Console) -> None:
    calls = Table(title="Calls", title_justify="left")
    for column in ("", "calls/s, nothing sent again", "calls/s, processors busy", *(f"{name} ms/call" for name in PROCESSES)):
        calls.add_column(column, justify="left" if not column else "right")
    for flow in results.flows:
        calls.add_row(
            flow.title, f"{flow.ceiling}", f"{flow.busy_per_s:.0f}", *(f"{flow.cpu_ms(process):.2f}" for process in PROCESSES))
    console.print(calls)

    if doubts := results.doubts():
        console.print("[yellow]No ratios: the machine was not quiet enough for them.[/]")
        for doubt in doubts:
            console.print(f"  {doubt}")
    else:
        show_ratios(results, console)

    times = Table("INVITE to 200, ms", "p50", "p99", title="Set-up time at 50 calls/s", title_justify="left")
    for title, values in (("static", results.static_setup_ms), ("one decision", results.one_setup_ms)):
        times.add_row(title, f"{percentile(values, 50):.1f}", f"{percentile(values, 99):.1f}")
    if not doubts:
        times.add_row("added", f"{results.added_ms(50):.1f}", f"{results.added_ms(99):.1f}")
    console.print(times)

    alone = Table(
        "", "load", "decisions/s", "p50 ms", "p99 ms", "wrong", "listen overflows",
        title="Decisions alone (goal: p99 2 ms at 200/s)", title_justify="left")
    for title, runs in (("FastAGI service", results.service), ("pyst2, threads", results.pyst2)):
        for run in runs:
            figures = (f"{run.per_s:.0f}", f"{run.p50_ms:.2f}", f"{run.p99_ms:.2f}", str(run.wrong), str(run.overflows))
            alone.add_row(title, run.load, *figures)
    console.print(alone)


def show_ratios(results: Results, console: Console) -> None:
    kept = Table(title="Share of calls kept with decisions", title_justify="left")
    for column in ("", "of the ceiling", "of the calls with busy processors", "goal"):
        kept.add_column(column, justify="left" if not column else "right")
    for name, base, goal in (
        ("one", BASELINES["one"], "0.9"), ("three", "static", "0.7"), ("three", BASELINES["three"], "0.7"),
    ):
        paced, busy = results.ratios(name, base)
        kept.add_row(f"{results.flow(name).title} / {results.flow(base).title}", f"{paced:.2f}", f"{busy:.2f}", goal)
    console.print(kept)
