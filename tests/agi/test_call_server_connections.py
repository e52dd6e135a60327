"""Whom a call server's connection is made with, and what it is worth: TLS, a second try, no proxy."""

import asyncio
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from agi import call_servers
from agi.call_servers import CallServers
from routing.call.call_server import Failed, Failure
from services.resolver import Resolver
from tests.agi.asking import LIMIT_S, LOOPBACK, SALES, SHORT_S, asked, request
from tests.agi.service import FOREVER_S, GO_TO_SALES, certificate, never_reads, serving, speaks_plainly


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
    servers = CallServers(LOOPBACK)
    began = time.monotonic()
    async with asyncio.timeout(LIMIT_S):
        question = request(f"http://127.0.0.1:{full_port}/", connect_s=SHORT_S)
        assert await servers.ask(question) == Failed(Failure.NO_CONNECTION)
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


GOOD_HOST = b"\4good\7example\0"
MANY = 60                    # names: far more than uvloop has threads for them


@dataclass(slots=True)
class NameServer(asyncio.DatagramProtocol):
    """It knows GOOD_HOST, which is 127.0.0.1, and never answers about any other. Source: RFC 1035, 4.1."""

    transport: asyncio.DatagramTransport | None = None
    unanswered: set[bytes] = field(default_factory=set)
    all_asked: asyncio.Event = field(default_factory=asyncio.Event)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        name = data[12:data.index(b"\0", 12) + 1]
        kind = data[12 + len(name):14 + len(name)]
        if name != GOOD_HOST:
            self.unanswered.add(name)
            if len(self.unanswered) == MANY:
                self.all_asked.set()
            return
        answers = [b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1"] if kind == b"\0\1" else []
        head = data[:2] + b"\x81\x80\0\1" + len(answers).to_bytes(2, "big") + b"\0\0\0\0"
        assert self.transport
        self.transport.sendto(head + name + kind + b"\0\1" + b"".join(answers), address)


async def test_tenant_whose_name_server_is_silent_keeps_no_other_tenant_waiting() -> None:
    transport, names = await asyncio.get_running_loop().create_datagram_endpoint(NameServer, local_addr=("127.0.0.1", 0))
    resolver = Resolver(["127.0.0.1"], transport.get_extra_info("sockname")[1])
    servers = CallServers(LOOPBACK, resolver=resolver)
    async with asyncio.timeout(60), serving(GO_TO_SALES) as service:
        waits = [
            asyncio.create_task(servers.ask(request(f"https://host{i}.example/", connect_s=30, tenant=f"rossi{i % 2}")))
            for i in range(MANY)]
        await names.all_asked.wait()
        assert not any(wait.done() for wait in waits)
        assert await servers.ask(request(service.url(host="good.example"), connect_s=20, answer_s=20)) == SALES
        answers = await asyncio.gather(*waits)
    assert {answer.failure if isinstance(answer, Failed) else None for answer in answers} == {Failure.UNKNOWN_HOST}
    await resolver.close()
    transport.close()


async def test_tenant_asks_so_many_servers_at_once_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_servers, "AT_ONCE", 2)
    async with serving(never_reads) as service:
        servers = CallServers(LOOPBACK)
        waits = [asyncio.create_task(servers.ask(request(service.url(), answer_s=20))) for _ in range(2)]
        async with asyncio.timeout(30):
            while service.connections < 2:      # noqa: ASYNC110 - the service counts
                await asyncio.sleep(0.01)
            assert await servers.ask(request(service.url(), connect_s=SHORT_S)) == Failed(Failure.NO_CONNECTION)
            assert service.connections == 2
            async with serving(GO_TO_SALES) as other:
                assert await servers.ask(request(other.url(), tenant="acme2")) == SALES
        for wait in waits:
            wait.cancel()
