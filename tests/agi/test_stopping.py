"""The decision service stops: what has begun is answered, within a limit, and what was cut is counted."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agi import decision_service
from services import metrics
from tests.agi.service import GO_TO_SALES, read_request, serving
from tests.agi.test_slow_answers import ASKED, service_that_asks

LIMIT_S = 30


@dataclass(slots=True)
class Stopping:
    """A service that has got SIGTERM while one request waits for a call server; that answers once `may_answer` is set."""

    reader: asyncio.StreamReader
    ends: asyncio.Task[None]
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def stopping(home: Path) -> AsyncIterator[Stopping]:
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def answers_late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        asked.set()
        await may_answer.wait()
        writer.write(GO_TO_SALES)
        await writer.drain()

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with asyncio.timeout(LIMIT_S), serving(answers_late) as server:
        service = service_that_asks(home, server.url(), ", answer_s: 5")
        ends = asyncio.create_task(decision_service.serve(service, "127.0.0.1", port))
        reader, writer = await connected(port)
        writer.write(ASKED)
        await asked.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        await refused(port)
        yield Stopping(reader, ends, may_answer)
        writer.close()
        await ends


async def connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    while True:
        try:
            return await asyncio.open_connection("127.0.0.1", port)
        except ConnectionError:
            await asyncio.sleep(0.02)


async def refused(port: int) -> None:
    """Returns once nobody listens any more."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionError:
            return
        writer.close()
        await asyncio.sleep(0.02)


async def test_request_that_waits_while_the_service_is_stopped_is_answered(tmp_path: Path) -> None:
    async with stopping(tmp_path) as stop:
        assert not stop.ends.done()
        stop.may_answer.set()
        assert (await stop.reader.read()).decode().splitlines()[-1].startswith('SET VARIABLE STEP "Dial(')


async def test_request_that_takes_too_long_is_cut_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decision_service, "DRAIN_S", 0.1)
    before = metrics.AGI_REQUESTS_CUT._value.get()
    with capture_logs() as logs:
        async with stopping(tmp_path) as stop:
            assert b"STEP" not in await stop.reader.read()
            await asyncio.wait([stop.ends])
    assert [entry["requests"] for entry in logs if entry["event"] == "agi_requests_cut"] == [1]
    assert metrics.AGI_REQUESTS_CUT._value.get() == before + 1
