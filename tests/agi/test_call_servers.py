"""A tenant's service is asked: what it answers is followed, whatever it does else is a failure with its reason, in time."""

import asyncio
import hashlib
import hmac
import json
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from agi import call_servers
from agi.breaker import FAILURES, PAUSE_S, Breaker
from agi.call_servers import CallServers, ServerRequest
from agi.own_network import is_allowed, is_ours
from routing.call_server import Failed, Failure, Reply
from tests.agi.service import Behaviour, Service, answers, certificate, http, read_request, serving

LOOPBACK = (ip_network("127.0.0.0/8"),)
BODY = {"call": "1700000000.7", "tenant": "acme", "digits": "12#", "caller": "+48600100200", "name": "Żółć"}
SALES = Reply(go_to="sales")
GO_TO_SALES = answers({"go_to": "sales"})


def request(url: str, *, connect_s: float = 0.3, answer_s: float = 0.3, tenant: str = "acme") -> ServerRequest:
    return ServerRequest(tenant, "crm", url, "geheim", BODY, 1_700_000_000, connect_s, answer_s)


async def asked(service: Service, servers: CallServers | None = None) -> Reply | Failed:
    return await (servers or CallServers(LOOPBACK)).ask(request(service.url()))


async def test_answer_is_followed_with_all_it_says() -> None:
    said = {"text": "Zażółć\ngęślą", "language": "en", "go_to": "+48221234567", "show": {"customer": "Łódź 1", "level": "gold"}}
    async with serving(answers(said)) as service:
        assert await asked(service) == Reply.model_validate(said)


async def test_answer_may_say_nothing() -> None:
    async with serving(answers({})) as service:
        assert await asked(service) == Reply()


async def test_service_can_tell_by_the_signature_that_we_ask_and_what() -> None:
    async with serving(GO_TO_SALES) as service:
        await asked(service)
    [received] = service.received
    assert received.line == "POST /calls HTTP/1.1"
    assert received.headers["host"] == f"127.0.0.1:{service.port}"
    assert received.headers["content-type"] == "application/json"
    assert json.loads(received.body) == BODY
    assert received.headers["centralka-timestamp"] == "1700000000"
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in b"geheim".ljust(64, b"\0")) + b"1700000000." + received.body).digest()   # RFC 2104
    outer = hashlib.sha256(bytes(b ^ 0x5C for b in b"geheim".ljust(64, b"\0")) + inner).hexdigest()
    assert received.headers["centralka-signature"] == outer == hmac.new(b"geheim", b"1700000000." + received.body, "sha256").hexdigest()


# What else a service can do


async def closes_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def closes_after_the_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)


async def speaks_plainly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(GO_TO_SALES)
    await writer.drain()


async def is_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    await asyncio.sleep(60)


async def never_reads(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(1000):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def sends_without_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"2000\r\n" + b" " * 0x2000 + b"\r\n")
        await writer.drain()


async def sends_headers_without_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X: " + b"y" * 8000 + b"\r\n")
        await writer.drain()


@pytest.mark.parametrize(("behaviour", "failure", "detail"), [
    (closes_at_once, Failure.CLOSED, ""),
    (closes_after_the_request, Failure.CLOSED, ""),
    (b"SSH-2.0-OpenSSH_9.2\r\n", Failure.CLOSED, ""),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", Failure.CLOSED, ""),
    (sends_headers_without_end, Failure.CLOSED, ""),
    (is_silent, Failure.NO_ANSWER, ""),
    (never_reads, Failure.NO_ANSWER, ""),
    (drips, Failure.NO_ANSWER, ""),
    (sends_without_end, Failure.TOO_LARGE, ""),
    (http(b'{"text": "' + b"a" * 20_000 + b'"}'), Failure.TOO_LARGE, ""),
    (http(b"{}", "500 Internal Server Error"), Failure.STATUS, "status 500"),
    (http(b"{}", "404 Not Found"), Failure.STATUS, "status 404"),
    (http(b"", "302 Found", "Location: http://127.0.0.1/"), Failure.STATUS, "status 302"),
    (http(b"", "307 Temporary Redirect", "Location: http://127.0.0.1/"), Failure.STATUS, "status 307"),
    (http(b'{"go_to": "sales"}', "201 Created"), Failure.STATUS, "status 201"),
])
async def test_every_failure_of_a_service_is_told_in_time(behaviour: bytes | Behaviour, failure: Failure, detail: str) -> None:
    async with serving(behaviour) as service:
        began = time.monotonic()
        assert await asked(service) == Failed(failure, detail)
        assert time.monotonic() - began < 0.9
    assert service.connections == 1, "only a connection that fails is tried once more"


@pytest.mark.parametrize(("body", "told"), [
    (b"", "Invalid JSON"),
    (b"<html>", "Invalid JSON"),
    (b"[]", "Input should be an object"),
    (b'"sales"', "Input should be an object"),
    (b'{"goto": "sales"}', "goto: Extra inputs"),
    (b'{"go_to": 201}', "go_to: Input should be a valid string"),
    (b'{"go_to": "../x"}', "go_to: String should match"),
    (b'{"go_to": "rossi/sales"}', "go_to: String should match"),
    (b'{"go_to": "sales\\n"}', "go_to: String should match"),
    (b'{"text": ""}', "text: String should match"),
    (b'{"text": "${SHELL(reboot)}"}', "text: String should match"),
    (b'{"text": "<audio src=\'file:///etc/passwd\'/>"}', "text: String should match"),
    (b'{"text": "a\\u0000b"}', "text: String should match"),
    (b'{"text": "\\ud800"}', "Invalid JSON"),
    (b'{"text": "\xff"}', "Invalid JSON"),
    (json.dumps({"text": "a" * 501}).encode(), "text: String should match"),
    (b'{"text": "a", "language": "xx"}', "language: Input should be"),
    (b'{"show": {"A b": "x"}}', "show.A b.[key]: String should match"),
    (b'{"show": {"a": "x\\ny"}}', "show.a: String should match"),
    (b'{"show": {"a": "\\u202ex"}}', "show.a: Value error, expected printable"),
    (json.dumps({"show": {"a": "x" * 81}}).encode(), "show.a: String should match"),
    (json.dumps({"show": {f"a{i}": "x" for i in range(11)}}).encode(), "show: Dictionary should have at most 10"),
    (b"[" * 10_000, "Invalid JSON"),
])
async def test_answer_that_is_not_what_the_schema_says_is_told(body: bytes, told: str) -> None:
    async with serving(http(body)) as service:
        answer = await asked(service)
    assert isinstance(answer, Failed)
    assert answer.failure is Failure.WRONG_ANSWER
    assert answer.detail.startswith(told)
    assert len(answer.detail) <= 120


# The connection


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
    assert await CallServers(LOOPBACK).ask(request(f"http://127.0.0.1:{full_port}/")) == Failed(Failure.NO_CONNECTION)
    assert 0.55 < time.monotonic() - began < 1.0


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
            await asyncio.sleep(5)
            return
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", service.port)
        writers = [asyncio.create_task(pump(reader, inner_writer)), asyncio.create_task(pump(inner_reader, writer))]
        await asyncio.gather(*writers)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async with serving(GO_TO_SALES, tls=tls) as service, serving(hangs_first) as front:
        assert await CallServers(LOOPBACK, ca).ask(request(front.url("https"), answer_s=1)) == SALES
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
    assert await CallServers().ask(request("https://nobody.invalid/", connect_s=2)) == Failed(Failure.UNKNOWN_HOST)


# Addresses


@pytest.mark.parametrize("address", [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1",
    "169.254.169.254", "169.254.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::", "fe80::1", "fe80::1%lo",
    "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1", "::ffff:0:127.0.0.1"])
def test_address_that_only_our_own_network_reaches_is_refused(address: str) -> None:
    assert is_ours(ip_address(address))
    assert not is_allowed(ip_address(address), ())


@pytest.mark.parametrize("address", ["8.8.8.8", "193.0.6.139", "172.15.0.1", "172.32.0.1", "100.128.0.1", "2a00:1450::1", "::ffff:8.8.8.8"])
def test_public_address_is_not_refused(address: str) -> None:
    assert is_allowed(ip_address(address), ())


def test_operator_allows_networks_and_no_more() -> None:
    networks = (ip_network("10.1.0.0/16"), ip_network("fd00::/8"))
    assert is_allowed(ip_address("10.1.2.3"), networks)
    assert is_allowed(ip_address("::ffff:10.1.2.3"), networks)
    assert is_allowed(ip_address("fd00::1"), networks)
    assert not is_allowed(ip_address("10.2.0.1"), networks)
    assert not is_allowed(ip_address("127.0.0.1"), networks)


@pytest.mark.parametrize(("host", "found"), [
    ("127.0.0.1", "127.0.0.1"), ("localhost", "127.0.0.1"), ("[::ffff:127.0.0.1]", "::ffff:127.0.0.1"), ("2130706433", "127.0.0.1"),
    ("0x7f.1", "127.0.0.1"), ("0", "0.0.0.0"), ("127.1", "127.0.0.1")])
async def test_no_spelling_of_our_own_address_is_connected(host: str, found: str) -> None:
    async with serving(GO_TO_SALES) as service:
        answer = await CallServers().ask(request(f"https://{host}:{service.port}/"))
        assert isinstance(answer, Failed)
        assert answer.failure is Failure.REFUSED_ADDRESS
        assert answer.detail in (found, "::1", found.replace("::ffff:127.0.0.1", "::ffff:7f00:1"))
        assert service.connections == 0


async def test_name_that_has_one_refused_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    asked_for: list[str] = []

    async def two(host: str, port: int, **_: object) -> list[object]:
        asked_for.append(host)
        return [(2, 1, 6, "", (address, port)) for address in ("8.8.8.8", "10.0.0.1")]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", two)
    assert await CallServers().ask(request("https://mixed.example/")) == Failed(Failure.REFUSED_ADDRESS, "10.0.0.1")
    assert asked_for == ["mixed.example"]


async def test_name_is_looked_up_once_and_that_address_is_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that means our own network a moment later would lead the connection there."""
    lookups: list[str] = []
    loop = asyncio.get_running_loop()
    real = loop.getaddrinfo

    async def rebinding(host: object, port: int, **options: object) -> object:
        if host != "rebinding.example":
            return await real(host, port, **options)  # type: ignore[arg-type]
        lookups.append("127.0.0.1" if not lookups else "127.0.0.2")
        return [(2, 1, 6, "", (lookups[-1], port))]

    monkeypatch.setattr(loop, "getaddrinfo", rebinding)
    async with serving(GO_TO_SALES) as service:
        allowed = CallServers((ip_network("127.0.0.1"),))
        assert await allowed.ask(request(f"http://rebinding.example:{service.port}/")) == SALES
        assert service.received[0].headers["host"] == f"rebinding.example:{service.port}"
    assert lookups == ["127.0.0.1"]


# The breaker


def test_breaker_opens_after_failures_in_a_row_lets_one_try_after_the_pause_and_closes_when_it_succeeds() -> None:
    breaker = Breaker()
    for i in range(FAILURES):
        assert not breaker.is_suspended(float(i))
        breaker = breaker.failed(float(i))
    opened = float(FAILURES - 1)
    assert breaker.is_suspended(opened)
    assert breaker.is_suspended(opened + PAUSE_S - 0.1)
    assert not breaker.is_suspended(opened + PAUSE_S)
    trying = breaker.trying(opened + PAUSE_S)
    assert trying.is_suspended(opened + PAUSE_S + 1), "the others wait for the outcome"
    assert trying.failed(opened + PAUSE_S + 2).is_suspended(opened + 2 * PAUSE_S)
    assert not Breaker().is_suspended(0.0)


async def test_service_that_fails_again_and_again_is_not_asked_for_a_while_and_then_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    monkeypatch.setattr(call_servers.time, "monotonic", lambda: now)
    servers = CallServers(LOOPBACK)
    failing = [http(b"", "500 Internal Server Error")] * (FAILURES + 1)
    async with serving(*failing, GO_TO_SALES) as service:
        for _ in range(FAILURES):
            assert await asked(service, servers) == Failed(Failure.STATUS, "status 500")
        assert await asked(service, servers) == Failed(Failure.SUSPENDED)
        assert await servers.ask(request(service.url(path="/other"))) == Failed(Failure.STATUS, "status 500"), "another address is another service"
        assert service.connections == FAILURES + 1
        now += PAUSE_S
        assert await asked(service, servers) == SALES
        assert await asked(service, servers) == SALES


async def test_one_tenants_failures_suspend_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    servers = CallServers(LOOPBACK)
    async with serving(*[closes_at_once] * FAILURES, GO_TO_SALES) as service:
        for _ in range(FAILURES):
            await asked(service, servers)
        assert await asked(service, servers) == Failed(Failure.SUSPENDED)
        assert await servers.ask(replace(request(service.url()), tenant="rossi")) == SALES


async def test_wrong_answers_suspend_nobody() -> None:
    servers = CallServers(LOOPBACK)
    async with serving(http(b"no")) as service:
        failures = [await asked(service, servers) for _ in range(FAILURES + 1)]
    assert {failed.failure for failed in failures if isinstance(failed, Failed)} == {Failure.WRONG_ANSWER}
