"""Results of a benchmark: ratios only from a machine that held its baseline."""

import io
import json
from datetime import UTC, datetime

import pytest
from rich.console import Console

from bench import tables
from bench.calls import FLOWS, Probe
from bench.result import FlowResult, Results


def probe(flow: str, per_s: float, *, asked: int | None = None, failed: int = 0) -> Probe:
    return Probe(flow, asked, 100, 100, 100, failed, 0, per_s, (5.0,), {"asterisk": 1.0}, 0.1)


def results(static_per_s: tuple[float, ...] = (100, 110, 95), failed: int = 0, others: tuple[float, float] = (0.02, 0.03)) -> Results:
    """`failed`: calls of the static flow that fail at each rate."""
    flows = []
    for flow in FLOWS:
        is_static = flow.name == "static"
        busy = [probe(flow.name, per_s) for per_s in (static_per_s if is_static else (90, 91, 92))]
        paced = [probe(flow.name, 50, asked=50, failed=failed if is_static else 0)]
        flows.append(FlowResult(flow.name, flow.title, flow.decisions, busy, paced))
    return Results(datetime.now(UTC), 0.1, others, flows, (4.0,), (6.0,), [], [])


def printed(found: Results) -> str:
    console = Console(file=io.StringIO(), width=200)
    tables.show(found, console)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_machine_that_held_its_baseline_has_ratios() -> None:
    found = results()
    assert found.doubts() == []
    assert json.loads(found.to_json())["ratios"]["one/static"] == [1.0, 0.91]
    assert "0.91" in printed(found)


@pytest.mark.parametrize(("found", "doubt"), [
    (results(others=(0.9, 0.1)), "others used 90 % of the processors before and 10 % after the run"),
    (results(others=(0.1, 0.9)), "others used 10 % of the processors before and 90 % after the run"),
    (results(failed=1), "calls failed at every rate"),
    (results(static_per_s=(100, 60, 100)), "equal runs differ by 40 %"),
])
def test_loaded_machine_is_named_and_has_no_ratios(found: Results, doubt: str) -> None:
    assert doubt in found.doubts()[0]
    assert json.loads(found.to_json())["ratios"] == {}
    text = printed(found)
    assert doubt in text
    assert "Share of calls kept" not in text
    assert "added" not in text
