"""Results of a benchmark."""

import json
import statistics
from dataclasses import asdict, dataclass
from datetime import datetime

from bench.calls import Probe
from bench.ceiling import ceiling
from bench.decisions import Run
from bench.percentile import percentile

BASELINES = {"one": "static", "three": "static_menu"}
"""The flow that does the same work without decisions."""
MOST_OTHER_WORK = 0.2        # share of all processors
MOST_SCATTER = 0.25          # of a baseline's runs with busy processors, largest minus smallest, by the median


@dataclass(frozen=True, slots=True)
class FlowResult:
    name: str
    title: str
    decisions: int
    busy: list[Probe]           # with a fixed number of calls up all the time
    paced: list[Probe]          # at rates around the ceiling

    @property
    def ceiling(self) -> int:
        """Calls a second without a failure or retransmission."""
        return ceiling(self.paced)

    @property
    def busy_per_s(self) -> float:
        """Calls a second with the processors busy, the median of the turns."""
        return statistics.median(one.per_s for one in self.busy)

    @property
    def scatter(self) -> float:
        """Of the runs with busy processors: largest minus smallest calls a second, by the median."""
        return (max(one.per_s for one in self.busy) - min(one.per_s for one in self.busy)) / self.busy_per_s

    def cpu_ms(self, process: str) -> float:
        """Processor time a call with the processors busy."""
        return statistics.median(one.cpu_ms.get(process, 0.0) for one in self.busy)


@dataclass(frozen=True, slots=True)
class Results:
    """`load_before`: the machine's load average before the start. `other_work`: the share of all processors that others used
    before and after the run. The set-up times are in ms, INVITE to 200."""

    moment: datetime
    load_before: float
    other_work: tuple[float, float]
    flows: list[FlowResult]
    static_setup_ms: tuple[float, ...]
    one_setup_ms: tuple[float, ...]
    service: list[Run]
    pyst2: list[Run]

    def flow(self, name: str) -> FlowResult:
        return next(flow for flow in self.flows if flow.name == name)

    def doubts(self) -> list[str]:
        """Reasons not to trust the ratios of this run; [] if there are none."""
        found = []
        if max(self.other_work) > MOST_OTHER_WORK:
            before, after = (f"{100 * share:.0f} %" for share in self.other_work)
            found.append(f"others used {before} of the processors before and {after} after the run, "
                         f"expected at most {100 * MOST_OTHER_WORK:.0f} %")
        if any(not run.per_s for run in (*self.service, *self.pyst2)):
            found.append("decisions alone: no answer was the expected step, so the client or the service is wrong")
        for base in map(self.flow, BASELINES.values()):
            if not base.ceiling:
                found.append(f"{base.title}: calls failed at every rate, though nothing is decided")
            if base.scatter > MOST_SCATTER:
                found.append(f"{base.title}: equal runs differ by {100 * base.scatter:.0f} %, "
                             f"expected at most {100 * MOST_SCATTER:.0f} %")
        return found

    def ratios(self, name: str, baseline: str) -> tuple[float, float]:
        """Ratios of one flow to another: of the ceilings, and of the calls per second with busy processors. For results
        without doubts."""
        flow, base = self.flow(name), self.flow(baseline)
        return flow.ceiling / base.ceiling, flow.busy_per_s / base.busy_per_s

    def added_ms(self, percent: float) -> float:
        """Set-up time that one decision adds."""
        return percentile(self.one_setup_ms, percent) - percentile(self.static_setup_ms, percent)

    def to_json(self) -> str:
        """Everything but the single set-up times of the probes."""
        flows, doubts = [], self.doubts()
        for flow in self.flows:
            probes = [{**asdict(one), "setup_ms": [percentile(one.setup_ms, p) for p in (50, 99)], "good": one.is_good}
                      for one in (*flow.busy, *flow.paced)]
            flows.append({"name": flow.name, "title": flow.title, "decisions": flow.decisions, "ceiling_per_s": flow.ceiling,
                          "busy_per_s": flow.busy_per_s, "probes": probes})
        return json.dumps({
            "moment": self.moment.isoformat(), "load_before": self.load_before, "other_work": self.other_work, "flows": flows,
            "doubts": doubts,
            "ratios": {} if doubts else {
                f"{name}/{base}": self.ratios(name, base) for name, base in (*BASELINES.items(), ("three", "static"))},
            "added_setup_ms": {f"p{p}": self.added_ms(p) for p in (50, 99)},
            "service": [asdict(run) for run in self.service], "pyst2": [asdict(run) for run in self.pyst2],
        }, indent=1)
