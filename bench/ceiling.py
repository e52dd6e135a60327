"""The highest call rate without failures: raised in steps until one fails, then found by bisection."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bench.calls import Flow, Probe, probe
from bench.instance import BenchInstance
from sipp import Load

LOWEST_PER_S = 10
LIMIT_S = 28.0          # a machine that is busy with other things finds no end
AT_ONCE = 60            # calls up in a run that keeps the processors busy; none of them waits half a second


@dataclass(frozen=True, slots=True)
class Effort:
    """Thoroughness of the measurement."""

    probe_s: float          # of calls at one rate
    precision: float        # stop when the bracket is that narrow
    busy_calls: int         # of a run that keeps AT_ONCE calls up
    rounds: int             # runs of that kind for each flow, by turns; the median counts
    set_up_calls: int
    decision_s: float


async def find_ceiling(measure: Callable[[int], Awaitable[Probe]], precision: float, first: int) -> list[Probe]:
    """All probes. The ceiling is the highest rate that went well; a rate that goes badly is tried once more."""
    probes: list[Probe] = []

    async def goes_well(per_s: int) -> bool:
        for _ in range(2):
            probes.append(await measure(per_s))
            if probes[-1].is_good:
                return True
        return False

    deadline = time.monotonic() + LIMIT_S
    good, bad, rate = 0, 0, max(LOWEST_PER_S, first)
    while time.monotonic() < deadline and (not bad or bad - good > precision * bad):
        if await goes_well(rate):
            good = rate
        else:
            bad = rate
        rate = (good + bad) // 2 if good and bad else rate * 5 // 4 if good else max(LOWEST_PER_S, rate * 3 // 4)
    return probes


def ceiling(probes: list[Probe]) -> int:
    """Calls a second; 0 when no rate went well."""
    return max((one.asked_per_s or 0 for one in probes if one.is_good), default=0)


async def at_rate(bench: BenchInstance, flow: Flow, per_s: int, seconds: float) -> Probe:
    return await probe(bench, flow, Load(int(per_s * seconds), per_s, at_once=2000))


async def kept_busy(bench: BenchInstance, flow: Flow, calls: int) -> Probe:
    """The calls a second that complete while AT_ONCE calls are up all the time."""
    return await probe(bench, flow, Load(calls, 5000, AT_ONCE), paced=False)
