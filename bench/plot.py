"""The results as a picture."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from bench.result import Results


def write(results: Results, path: Path) -> None:
    """Calls a second, set-up times, decisions a second and their latency."""
    figure, ((calls, setup), (rate, latency)) = plt.subplots(2, 2, figsize=(12, 8), layout="constrained")
    figure.suptitle(f"Centralka, {results.moment:%Y-%m-%d %H:%M} UTC, load before: {results.load_before:.1f}")
    places = range(len(results.flows))
    calls.bar([place - 0.2 for place in places], [flow.ceiling for flow in results.flows], 0.4, label="nothing sent again")
    calls.bar([place + 0.2 for place in places], [flow.busy_per_s for flow in results.flows], 0.4, label="processors busy")
    calls.set_xticks(list(places), [flow.name for flow in results.flows])
    calls.set(title="Calls a second")
    calls.legend()
    for name, values in (("static", results.static_setup_ms), ("one decision", results.one_setup_ms)):
        ordered = sorted(values)
        setup.plot(ordered, [(i + 1) / len(ordered) for i in range(len(ordered))], label=name)
    setup.set(title="Set-up time at 50 calls/s", xlabel="ms, INVITE to 200", ylabel="share of the calls")
    setup.legend()
    for name, runs in (("FastAGI service", results.service), ("pyst2, threads", results.pyst2)):
        loads = [run.load for run in runs]
        rate.plot(loads, [run.per_s for run in runs], "o-", label=name)
        latency.plot(loads, [run.p99_ms for run in runs], "o-", label=name)
    rate.set(title="Decisions a second")
    latency.set(title="Latency of a decision, p99", ylabel="ms", yscale="log")
    latency.axhline(2, color="grey", linestyle=":")
    rate.legend()
    figure.savefig(path, dpi=110)
    plt.close(figure)
