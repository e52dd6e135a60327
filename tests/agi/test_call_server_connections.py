"""Whom a call server's connection is made with, and what it is worth: TLS, a second try, no proxy."""

import asyncio
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agi.call_servers import CallServers
from routing.call.call_server import Failed, Failure
from tests.agi.asking import LIMIT_S, LOOPBACK, SALES, SHORT_S, asked, request
from tests.agi.service import FOREVER_S, GO_TO_SALES, certificate, serving, speaks_plainly


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port whose queue is full: a connection to it neither succeeds nor fails."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening:
        waiting = []
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(listening.getsockname())
            waiting.append(one)
        yield listening.getsockname()[1]
        for one in waiting:
            one.close()


async def test_service_that_cannot_be_connected_in_time_is_tried_once_more(full_port: int) -> None:
    began = time.monotonic()
    async with asyncio.timeout(LIMIT_S):
        question = request(f"http://127.0.0.1:{full_port}/", connect_s=SHORT_S)
        assert await CallServers(LOOPBACK).ask(question) == Failed(Failure.NO_CONNECTION)
    assert time.monotonic() - began > 1.9 * SHORT_S


async def test_closed_port_is_no_connection() -> None:
    async with serving(b"") as service:
        pass
    assert await asked(service) == Failed(Failure.NO_CONNECTION)


async def test_connection_that_succeeds_the_second_time_is_enough(tmp_path: Path) -> None:
    """The first one is left before the encryption stands: no request was sent, so none comes twice."""
    ca, tls = certificate(tmp_path, "good", "subjectAltName=IP:127.0.0.1")
    is_first = True

    async def hangs_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal is_first
        if is_first:
            is_first = False
            await asyncio.sleep(FOREVER_S)
            return
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", service.port)
        writers = [asyncio.create_task(pump(reader, inner_writer)), asyncio.create_task(pump(inner_reader, writer))]
        await asyncio.gather(*writers)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async with serving(GO_TO_SALES, tls=tls) as service, serving(hangs_first) as front:
        assert await CallServers(LOOPBACK, ca).ask(request(front.url("https"), connect_s=2)) == SALES
        assert front.connections == 2
        assert len(service.received) == 1


async def test_certificate_must_be_trusted_and_bear_the_name(tmp_path: Path) -> None:
    good, tls = certificate(tmp_path, "good", "subjectAltName=IP:127.0.0.1,DNS:localhost")
    _, stranger = certificate(tmp_path, "stranger", "subjectAltName=IP:127.0.0.1,DNS:localhost")
    other, of_another = certificate(tmp_path, "other", "subjectAltName=DNS:other.example")
    async with serving(GO_TO_SALES, tls=tls) as service:
        for host in ("127.0.0.1", "localhost"):
            assert await CallServers(LOOPBACK, good).ask(request(service.url("https", host))) == SALES
        assert await CallServers(LOOPBACK).ask(request(service.url("https"))) == Failed(Failure.TLS)
        assert len(service.received) == 2
        assert service.received[1].headers["host"] == f"localhost:{service.port}"
    async with serving(GO_TO_SALES, tls=stranger) as service:
        assert await CallServers(LOOPBACK, good).ask(request(service.url("https"))) == Failed(Failure.TLS)
    async with serving(GO_TO_SALES, tls=of_another) as service:
        assert await CallServers(LOOPBACK, other).ask(request(service.url("https", "localhost"))) == Failed(Failure.TLS)
        assert service.connections == 0, "no request is sent, nor another try made"
    async with serving(speaks_plainly) as service:
        assert await CallServers(LOOPBACK).ask(request(service.url("https"))) == Failed(Failure.TLS)


async def test_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with serving(GO_TO_SALES) as service:
        assert await asked(service) == SALES


async def test_host_that_nobody_knows_is_told() -> None:
    assert await CallServers().ask(request("https://nobody.invalid/")) == Failed(Failure.UNKNOWN_HOST)
