"""Cost of registrations: the same calls with and without registering phones, alternately, on one instance."""

import statistics
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from bench.calls import ONE, Probe
from bench.ceiling import at_rate
from bench.instance import BenchInstance
from bench.percentile import percentile
from bench.registering import Registered, registering
from confgen.secrets import load_secrets
from sipp import Account

USERS = 200
PHONES_THAT_REGISTER = "127.76.2"
CALLS_PER_S = 50
REFRESH_S = 4.0          # 50 a second, as of 15,000 phones that refresh every five minutes
SLUG = "crowd"


def crowd() -> str:
    """The file of the tenant whose phones register."""
    users = "".join(f'  "{1001 + i}": {{name: User {i}, devices: [phone], voicemail: false}}\n' for i in range(USERS))
    return (
        f"tenant: {SLUG}\nname: Crowd\ncountry: PL\nlanguage: pl\ntimezone: Europe/Warsaw\nusers:\n{users}"
        'failover: {ring: ["1001"], ring_s: 3}\n')


@dataclass(frozen=True, slots=True)
class Turn:
    alone: Probe
    beside: Probe            # with the registrations
    registered: Registered


async def measure_registrations(bench: BenchInstance, seconds: float, turns: int) -> list[Turn]:
    secrets = load_secrets(bench.settings.home / "secrets.json").sip
    accounts = [Account(name, secrets[name]) for i in range(USERS) if (name := f"{SLUG}-{1001 + i}-phone")]
    await at_rate(bench, ONE, CALLS_PER_S, 2)                  # warms up Asterisk and the services
    found = []
    for _ in range(turns):
        alone = await at_rate(bench, ONE, CALLS_PER_S, seconds)
        async with registering(accounts, PHONES_THAT_REGISTER, bench.server, REFRESH_S) as registered:
            beside = await at_rate(bench, ONE, CALLS_PER_S, seconds)
        found.append(Turn(alone, beside, registered))
    return found


def show(turns: list[Turn], console: Console) -> None:
    title = f"{USERS} users register and refresh, {USERS / REFRESH_S:.0f} a second, beside {CALLS_PER_S} calls/s"
    table = Table("", title=title, title_justify="left")
    for column in ("calls", "failed", "sent again", "p50 ms", "p99 ms", "asterisk ms/call", "agi ms/call"):
        table.add_column(column, justify="right")
    alone, beside = [turn.alone for turn in turns], [turn.beside for turn in turns]
    for name, probes in (("calls alone", alone), ("with registrations", beside)):
        setup_ms = [ms for probe in probes for ms in probe.setup_ms]
        counts = (sum(getattr(probe, what) for probe in probes) for what in ("calls", "failed", "retransmissions"))
        used = (statistics.median(probe.cpu_ms.get(process, 0.0) for probe in probes) for process in ("asterisk", "agi"))
        table.add_row(
            name, *map(str, counts), *(f"{percentile(setup_ms, percent):.1f}" for percent in (50, 99)),
            *(f"{each:.2f}" for each in used))
    console.print(table)
    answer_ms = [ms for turn in turns for ms in turn.registered.answer_ms]
    console.print(
        f"  {len(answer_ms)} registrations, {sum(turn.registered.failed for turn in turns)} failed, "
        f"REGISTER to 200 with its challenge p50 {percentile(answer_ms, 50):.1f} ms, p99 {percentile(answer_ms, 99):.1f} ms")
