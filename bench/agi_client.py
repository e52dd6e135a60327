"""Asks a FastAGI server for decisions as Asterisk does, in a process of its own: `python -m bench.agi_client HOST PORT ...`.

Asterisk writes its handshake line by line (res_agi.c, setup_env), runs each command as it comes, and goes on with
the call when the server closes: that is when a decision is counted, timed from before the connection.
"""

import argparse
import asyncio
import json
import socket
import sys
import time
from dataclasses import dataclass

import uvloop

LIMIT_S = 5.0
HANDSHAKE = """\
agi_network: yes
agi_network_script: step?tenant=bench&origin=trunk&dialled=48221000001&extension=&state=&digits=&ended=&voicemail=&\
left=&transferrer=&caller=%2B48600100200&name=&call=1700000000.7
agi_request: agi://127.76.0.1:4573/step
agi_channel: PJSIP/bench-trunk-carrier-000001f4
agi_language: en
agi_type: PJSIP
agi_uniqueid: 1795464216.1000
agi_version: 22.10.1
agi_callerid: +48600100200
agi_calleridname: unknown
agi_callingpres: 0
agi_callingani2: 0
agi_callington: 0
agi_callingtns: 0
agi_dnid: 48221000001
agi_rdnis: unknown
agi_context: step
agi_extension: s
agi_priority: 2
agi_enhanced: 0.0
agi_accountcode: bench
agi_threadid: 139871234561728

"""
LINES = [line.replace(":\n", ": \n").encode() for line in HANDSHAKE.splitlines(keepends=True)]
EXPECTED = b'"Dial(PJSIP/bench-201-phone,20,'


@dataclass(frozen=True, slots=True)
class Asked:
    """Result of one run. `latency_ms` of each decision; `wrong` counts decisions that were refused, late or another step."""

    seconds: float
    latency_ms: list[float]
    wrong: int


async def decide(address: tuple[str, int]) -> bool:
    """Requests one decision; returns True if it was the right one."""
    loop = asyncio.get_running_loop()
    with socket.socket() as connection:
        connection.setblocking(False)
        await loop.sock_connect(connection, address)
        for line in LINES:
            connection.send(line)
        said, answered = b"", 0
        while chunk := await loop.sock_recv(connection, 4096):
            said += chunk
            while answered < said.count(b"\n"):
                connection.send(b"200 result=1\n")
                answered += 1
    return EXPECTED in said


class Client:
    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.latency_ms: list[float] = []
        self.wrong = 0

    async def ask(self) -> None:
        began = time.perf_counter()
        try:
            async with asyncio.timeout(LIMIT_S):
                is_right = await decide(self.address)
        except (OSError, TimeoutError):
            is_right = False
        if is_right:
            self.latency_ms.append((time.perf_counter() - began) * 1000)
        else:
            self.wrong += 1

    async def keep_asking(self, until: float) -> None:
        while time.perf_counter() < until:
            await self.ask()

    async def closed_loop(self, at_once: int, seconds: float) -> Asked:
        """Keeps that many decisions in progress."""
        began = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(at_once):
                tasks.create_task(self.keep_asking(began + seconds))
        return Asked(time.perf_counter() - began, self.latency_ms, self.wrong)

    async def open_loop(self, per_s: int, seconds: float) -> Asked:
        """Starts that many new decisions a second, even if earlier ones have no answer yet."""
        began = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for number in range(int(per_s * seconds)):
                await asyncio.sleep(began + number / per_s - time.perf_counter())
                tasks.create_task(self.ask())
        return Asked(time.perf_counter() - began, self.latency_ms, self.wrong)


async def main(arguments: argparse.Namespace) -> Asked:
    client = Client((arguments.host, arguments.port))
    if arguments.per_s:
        return await client.open_loop(arguments.per_s, arguments.seconds)
    return await client.closed_loop(arguments.at_once, arguments.seconds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--seconds", type=float, default=3.0)
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--at-once", type=int)
    how.add_argument("--per-s", type=int)
    asked = uvloop.run(main(parser.parse_args()))
    json.dump({"seconds": asked.seconds, "latency_ms": asked.latency_ms, "wrong": asked.wrong}, sys.stdout)
