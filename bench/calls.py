"""Calls under load: the number dialled, the behaviour of both sides, and the result of one SIPp run at one rate."""

import itertools
from contextlib import suppress
from dataclasses import dataclass

from bench.instance import PHONES, TRUNK, BenchInstance
from bench.machine import busy_s
from sipp import Address, Answer, AwaitHangUp, Call, Callee, Caller, Cast, Load, Result, SendHangUp, SippFailed

KEY = "1"
CALL_S = 0.2        # how long the last call of a run may take
_runs = itertools.count()
GRACE_S = 8         # for the last calls of a run that goes badly


@dataclass(frozen=True, slots=True)
class Flow:
    """One way of handling a call, and its two SIP phones."""

    name: str
    title: str
    decisions: int
    call: Call
    callee: Callee


def flow(name: str, title: str, number: str, *, decisions: int, key: str = "", callee_ends: bool = False) -> Flow:
    caller_ending, callee_ending = (AwaitHangUp(), SendHangUp()) if callee_ends else (SendHangUp(), AwaitHangUp())
    return Flow(
        name, title, decisions,
        Call(number=number, caller=Caller("+48600100200"), info_keys=key, ending=caller_ending),
        Callee(then=Answer(ending=callee_ending)))


STATIC = flow("static", "static: trunk, Dial", "48221000003", decisions=0)
ONE = flow("one", "one decision: DID, user", "48221000001", decisions=1)
STATIC_MENU = flow("static_menu", "static: trunk, Read, key, Dial", "48221000004", decisions=0, key=KEY, callee_ends=True)
THREE = flow("three", "three decisions: DID, menu, key, group", "48221000002", decisions=3, key=KEY, callee_ends=True)
FLOWS = (STATIC, ONE, STATIC_MENU, THREE)


@dataclass(frozen=True, slots=True)
class Probe:
    """One run at one rate. `asked_per_s` is None for a run that kept `at_once` calls up all the time.

    `cpu_ms`: processor time a call, by process; `machine` is everything that ran, SIPp included."""

    flow: str
    asked_per_s: int | None
    calls: int
    placed: int
    arrived: int
    failed: int
    retransmissions: int
    per_s: float
    setup_ms: tuple[float, ...]
    cpu_ms: dict[str, float]
    settled_s: float

    @property
    def is_good(self) -> bool:
        """All calls were placed at the rate asked, arrived once at the callee, and nothing had to be sent again."""
        kept_pace = not self.asked_per_s or self.calls / self.per_s < 1.05 * self.calls / self.asked_per_s + CALL_S
        return self.failed == self.retransmissions == 0 and self.placed == self.arrived == self.calls and kept_pace


async def probe(bench: BenchInstance, flow: Flow, load: Load, *, paced: bool = True) -> Probe:
    """Places the calls and waits until nothing of them is left."""
    before, machine_before = bench.cpu_s(), busy_s()
    limit_s = load.calls / load.per_s * (1 if paced else 20) + GRACE_S
    phone = Address(f"{PHONES}.{next(_runs) % 250 + 1}")
    cast = Cast(bench.server, limit_s=limit_s)
    placed: Result | None = None
    with suppress(SippFailed, ExceptionGroup):
        async with cast:
            await cast.callee(flow.callee, at=phone, account=bench.account, calls=None, traced=False)
            try:
                placed = await cast.call(flow.call, at=TRUNK, load=load, traced=False)
            except SippFailed as failed:
                placed = failed.result
    settled_s = bench.wait_quiet()
    after, machine_after = bench.cpu_s(), busy_s()
    if placed is None:
        raise RuntimeError(f"{flow.name}: the phones did not start")
    arrived = cast.results.get(phone)
    said = placed.statistics
    used = {name: after[name] - before.get(name, 0) for name in after} | {"machine": machine_after - machine_before}
    return Probe(
        flow.name, load.per_s if paced else None, load.calls, said.successful, arrived.invites if arrived else 0,
        said.failed + (arrived.statistics.failed if arrived else 1),
        said.retransmissions + (arrived.statistics.retransmissions if arrived else 0),
        said.calls_per_s, placed.setup_ms, {name: 1000 * s / load.calls for name, s in used.items()}, settled_s)
