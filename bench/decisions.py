"""The FastAGI service alone: decisions a second and their latency, and the same for pyst2's server."""

import asyncio
import json
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bench.instance import BenchInstance
from bench.machine import listen_overflows
from bench.percentile import percentile
from runtime.places import REPOSITORY

AT_ONCE = (1, 8, 64)
PER_S = 200
PYST2_PORT = 4574
START_LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the client. `load` is '8 at once' or '200/s'; `overflows`: connections that a full backlog refused."""

    load: str
    per_s: float
    p50_ms: float
    p99_ms: float
    wrong: int
    overflows: int


async def measure_service(bench: BenchInstance, seconds: float) -> list[Run]:
    return await measure((bench.settings.agi_address, bench.settings.agi_port), seconds)


async def measure_pyst2(bench: BenchInstance, seconds: float) -> list[Run]:
    async with pyst2_server(bench) as address:
        return await measure(address, seconds)


async def measure(address: tuple[str, int], seconds: float) -> list[Run]:
    await run(address, "warming up", ["--at-once", "8", "--seconds", "0.5"])
    runs = [
        await run(address, f"{at_once} at once", ["--at-once", str(at_once), "--seconds", str(seconds)]) for at_once in AT_ONCE
    ]
    return [*runs, await run(address, f"{PER_S}/s", ["--per-s", str(PER_S), "--seconds", str(2 * seconds)])]


async def run(address: tuple[str, int], load: str, how: list[str]) -> Run:
    overflows = listen_overflows()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.agi_client", address[0], str(address[1]), *how, stdout=PIPE, cwd=REPOSITORY)
    said, _ = await process.communicate()
    asked = json.loads(said)
    latencies = asked["latency_ms"]
    return Run(
        load, len(latencies) / asked["seconds"], percentile(latencies, 50), percentile(latencies, 99), asked["wrong"],
        listen_overflows() - overflows)


@asynccontextmanager
async def pyst2_server(bench: BenchInstance) -> AsyncIterator[tuple[str, int]]:
    """The baseline beside the service, with the same tenants; ended with the block."""
    settings = bench.settings
    address = (settings.agi_address, PYST2_PORT)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.pyst2_server", str(settings.home), str(settings.asterisk_home), *map(str, address),
        stdout=DEVNULL, stderr=DEVNULL, cwd=REPOSITORY)
    try:
        async with asyncio.timeout(START_LIMIT_S):
            while not accepts(address):  # noqa: ASYNC110 - another process cannot set an Event
                await asyncio.sleep(0.05)
        yield address
    finally:
        process.kill()
        await process.wait()


def accepts(address: tuple[str, int]) -> bool:
    try:
        with socket.create_connection(address, timeout=1):
            return True
    except OSError:
        return False
