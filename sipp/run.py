"""The sipp program: one scenario at one address, always with a time limit, and always ended."""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from sipp import report, rtp
from sipp.ear import BESIDE, Ear, free_port
from sipp.report import Result, SippFailed
from sipp.scenario import Callee, Ring, Scenario, echoes, is_server, media_of, numbers_of, render

_GRACE_S = 3  # for sipp to write its files after its own time limit


class Address(NamedTuple):
    host: str
    port: int = 5060

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Load:
    """Number of calls, new calls per second, and the most at once."""

    calls: int = 1
    per_s: int = 10
    at_once: int = 1000


class Sipp:
    """A running sipp program."""

    def __init__(self, process: Process, directory: Path, local: Address, title: str, limit_s: float) -> None:
        self._process = process
        self._directory = directory
        self._limit_s = limit_s
        self.local = local
        self.title = title

    async def listening(self) -> None:
        """Returns once the program holds its SIP port, from where no message to it is lost."""
        async with asyncio.timeout(self._limit_s):
            while not _holds(self._process.pid, self.local):
                if self._process.returncode is not None:
                    raise SippFailed(self._read())
                await asyncio.sleep(0.005)

    async def received(self, method: str) -> None:
        """Returns once such a request has come. Only of a program that is traced."""
        trace = self._directory / "messages.log"
        async with asyncio.timeout(self._limit_s):
            while not trace.exists() or f"\n{method} " not in trace.read_text(errors="replace"):
                if self._process.returncode is not None:
                    raise SippFailed(self._read())
                await asyncio.sleep(0.02)

    async def result(self) -> Result:
        """Waits for the end; the result may be a failure."""
        try:
            async with asyncio.timeout(self._limit_s + _GRACE_S):
                await self._process.wait()
        except TimeoutError:
            await self.kill()
        return self._read()

    def take_no_more_calls(self) -> None:
        """The program ends once the calls in progress have."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGUSR1)

    async def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    def _read(self) -> Result:
        return report.read(self._directory, title=self.title, exit_code=self._process.returncode or 0)


@asynccontextmanager
async def started(
    scenario: Scenario,
    *,
    local: Address | str,
    server: Address | None = None,
    load: Load | None = None,
    limit_s: float = 30,
    ear: Ear | None = None,
    traced: bool = True,
) -> AsyncIterator[Sipp]:
    """A sipp program that is killed at the latest when the block is left.

    `local` without a port takes a free one. `traced=False` keeps no SIP messages: for load, where writing them costs.
    """
    address = local if isinstance(local, Address) else Address(local, free_port(local))
    media_port = ear.port - BESIDE if ear else free_port(address.host, beside=BESIDE, spared={address.port}) - BESIDE
    heard_beside = not echoes(scenario)
    if ear and not (heard_beside and ear.host == address.host):
        raise ValueError(f"an ear listens where its phone is ({address.host}) and hears nothing of an echo")
    with TemporaryDirectory(prefix="sipp-") as name:
        directory = Path(name)
        keyword = f"media_port+{BESIDE}" if heard_beside else "media_port"
        (directory / "scenario.xml").write_text(render(scenario, media_port=keyword))
        if numbers := numbers_of(scenario):
            (directory / "numbers.csv").write_text(numbers)
        if media := media_of(scenario):
            (directory / "media.pcap").write_bytes(rtp.pcap(media))
        arguments = _arguments(scenario, address, server, load, limit_s, media_port, traced)
        with (directory / "stderr.log").open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                "sipp", *arguments, cwd=directory, stdin=DEVNULL, stdout=DEVNULL, stderr=errors,
                env={**os.environ, "TERM": "dumb"},
            )  # fmt: skip
        title = f"{scenario.name} {address}" + (f" -> {server}" if server else "")
        sipp = Sipp(process, directory, address, title, limit_s)
        try:
            yield sipp
        finally:
            await sipp.kill()


async def run(
    scenario: Scenario,
    *,
    local: Address | str,
    server: Address | None = None,
    load: Load | None = None,
    limit_s: float = 30,
    ear: Ear | None = None,
    traced: bool = True,
) -> Result:
    """Runs to the end and raises SippFailed unless every call went as its scenario says."""
    async with started(scenario, local=local, server=server, load=load, limit_s=limit_s, ear=ear, traced=traced) as sipp:
        result = await sipp.result()
    if result.failure:
        raise SippFailed(result)
    return result


def _arguments(
    scenario: Scenario,
    local: Address,
    server: Address | None,
    load: Load | None,
    limit_s: float,
    media_port: int,
    traced: bool,
) -> list[str]:
    host = local.host
    control_port = free_port(host, spared={local.port, *range(media_port, media_port + BESIDE + 1)})
    arguments = [str(server)] if server else []
    # -bind_local and -ci: without them sipp listens, and takes commands, at every address of the machine.
    arguments += ["-sf", "scenario.xml", "-i", host, "-p", str(local.port), "-bind_local", "-mi", host, "-ci", host]
    arguments += ["-mp", str(media_port), "-cp", str(control_port), "-nostdin", "-aa"]
    arguments += ["-timeout", f"{ceil(limit_s)}s", "-timeout_error"]
    arguments += ["-trace_stat", "-stf", "statistics.csv", "-fd", "1", "-trace_err", "-error_file", "errors.log"]
    arguments += ["-trace_shortmsg", "-shortmessage_file", "short.log"]
    if numbers_of(scenario):
        arguments += ["-inf", "numbers.csv"]
    if traced:
        arguments += ["-trace_msg", "-message_file", "messages.log"]
    if isinstance(scenario, Callee) and isinstance(scenario.then, Ring):
        # On a busy machine a CANCEL is read with its INVITE, before the 180 is sent; it is sent again, and expected then.
        arguments += ["-default_behaviors", "all,-abortunexp"]
    if echoes(scenario):
        arguments += ["-rtp_echo"]
    load = load or (None if is_server(scenario) else Load())
    if load:
        arguments += ["-m", str(load.calls), "-r", str(load.per_s), "-l", str(load.at_once)]
    return arguments


def _holds(pid: int, address: Address) -> bool:
    """True if the process owns the UDP socket bound to this address (proc(5), /proc/net/udp)."""
    packed = bytes(int(part) for part in reversed(address.host.split("."))).hex().upper()
    wanted = f"{packed}:{address.port:04X}"
    rows = (line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:])
    sockets = {f"socket:[{row[9]}]" for row in rows if row[1] == wanted}
    try:
        return any(os.readlink(one) in sockets for one in Path(f"/proc/{pid}/fd").iterdir())
    except (FileNotFoundError, PermissionError):
        return False
