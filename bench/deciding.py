"""Time of one decision of a large tenant, in process, and its parts."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.percentile import percentile
from bench.tenants import LARGE_DID, LISTED, PASSED_ON_DID, RULES, large_tenant
from routing.call.english import in_english
from routing.call.facts import DeviceState, Facts
from routing.call.state import Origin, Started
from routing.engine.engine import next_step

NOON = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)        # a Tuesday without a holiday
CALLER, BARRED = "+48229999999", "+48700019999"


@dataclass(frozen=True, slots=True)
class Decided:
    """One kind of decision. `ends` is the reason of the last node on the path: it shows if the wrong path was measured."""

    title: str
    p50_ms: float
    p99_ms: float
    ends: str


def measure_decisions(count: int) -> list[Decided]:
    """`count` decisions of each kind."""
    tenant = large_tenant()
    plain = tenant.model_copy(update={"numbers": {LARGE_DID: tenant.numbers[LARGE_DID].model_copy(update={"to": "201"})}})
    kinds = (
        ("without a rule: number, blacklist, a user rings", plain, LARGE_DID, CALLER),
        (f"the caller is the last of {LISTED:,} on the blacklist", tenant, LARGE_DID, BARRED),
        (f"{RULES:,} rules in one node, none holds", tenant, LARGE_DID, CALLER),
        (f"{RULES:,} rules in ten nodes, none holds", tenant, PASSED_ON_DID, CALLER),
    )
    found = []
    for title, of, number, caller in kinds:
        devices = {endpoint: DeviceState.IDLE for extension in of.users for endpoint in of.endpoints_of(extension)}
        facts = Facts(NOON, caller=caller, dialled=number, chance=0.7312345, devices=devices)
        event = Started(Origin.TRUNK, number)
        ends = in_english(next_step(of, facts, None, event).path[-1].why)        # and compiles what is compiled once
        times = []
        for _ in range(count):
            began = time.perf_counter()
            next_step(of, facts, None, event)
            times.append((time.perf_counter() - began) * 1000)
        found.append(Decided(title, percentile(times, 50), percentile(times, 99), ends))
    return found
