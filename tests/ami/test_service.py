"""The AMI service as a process of its own: alone in the world, killed, and told to stop."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

from sqlalchemy.exc import OperationalError

from store.calls import CallStore
from store.database import connect
from store.live import READY
from tests.ami.ami_peer import ADDRESS, ami_peer, until
from tests.ami.test_cel_follower import call_lines, expected, kept
from tests.store.redis_server import RedisServer

LIMIT_S = 200         # a service needs some two seconds to start on a machine that does nothing else
PROGRAM = """
import asyncio, json, pathlib, sys
from ami.service import serve
from services.web_request import reach_of
from confgen.publish.calendars import read_apart
values = json.loads(sys.argv[1])
paths = {"home": pathlib.Path(values["home"]), "cel_file": pathlib.Path(values["cel_file"])}
asyncio.run(serve(**values | paths, reach=reach_of(), read_calendar=read_apart))
"""


@asynccontextmanager
async def service(folder: Path, ami_port: int, redis_url: str = "") -> AsyncIterator[asyncio.subprocess.Process]:
    values = {"ami_address": ADDRESS, "ami_port": ami_port, "ami_user": "centralka", "ami_cel_user": "centralka-cel", "ami_secret": "secret",
              "redis_url": redis_url or f"unix://{folder}/redis.sock",
              "database_url": f"sqlite+aiosqlite:///{folder}/db/calls.sqlite",
              "home": str(folder), "asterisk_home": "/srv/x", "cel_file": str(folder / "cel.csv")}
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, json.dumps(values),
                                                   stdout=asyncio.subprocess.PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def line_with(process: asyncio.subprocess.Process, text: str) -> None:
    assert process.stdout is not None
    async with asyncio.timeout(LIMIT_S):
        while text not in (line := (await process.stdout.readline()).decode()):
            assert line, f"the service ended without saying {text!r}"


async def count(store: CallStore) -> int:
    try:
        return len(await store.recent("acme")) + len(await store.recent("forno"))
    except OperationalError:
        return 0  # the service hasn't made the tables yet


async def test_service_starts_alone_and_stops_when_told_to(tmp_path: Path) -> None:
    async with service(tmp_path, ami_port=1) as process:
        await line_with(process, "database_not_upgraded")
        process.terminate()
        async with asyncio.timeout(LIMIT_S):
            assert await process.wait() == 0


async def test_service_finds_everything_later_and_gives_its_sign_of_life(tmp_path: Path) -> None:
    redis = RedisServer()
    async with ami_peer() as peer, service(tmp_path, peer.port, redis.url) as process:
        await line_with(process, "live_state_not_written")
        (tmp_path / "db").mkdir()
        await redis.start()
        try:
            async with redis.client() as client, asyncio.timeout(LIMIT_S):
                while not await client.exists(READY):  # noqa: ASYNC110 - it waits for another process
                    await asyncio.sleep(0.05)
                process.terminate()
                await process.wait()
                assert not await client.exists(READY)
        finally:
            await redis.remove()


async def test_service_killed_during_calls_leaves_one_record_each(tmp_path: Path) -> None:
    (tmp_path / "db").mkdir()
    lines = [line + b"\n" for of_four in zip(*(call_lines(number) for number in range(4)), strict=True) for line in of_four]
    cel, at = tmp_path / "cel.csv", [0, 13, 37, 38, 40]
    async with ami_peer() as peer:
        for start, end in pairwise(at):
            async with service(tmp_path, peer.port) as process:
                with cel.open("ab") as file:
                    file.writelines(lines[start:end])
                await line_with(process, "devices_read")
                if end < len(lines):
                    process.kill()
                    continue
                engine = connect(f"sqlite+aiosqlite:///{tmp_path}/db/calls.sqlite")
                store = CallStore(engine)
                async with asyncio.timeout(LIMIT_S):
                    while await count(store) < 4:  # noqa: ASYNC110 - it waits for another process
                        await asyncio.sleep(0.05)
                assert await kept(store) == expected(lines)
                await engine.dispose()
        await until(lambda: peer.logins >= 4)
