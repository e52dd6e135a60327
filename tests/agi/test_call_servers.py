"""A tenant's service is asked: what it answers is followed, whatever it does else is a failure with its reason, in time."""

import asyncio
import hashlib
import hmac
import json

import pytest

from routing.call.call_server import CallServerReply, Failed, Failure
from tests.agi.asking import BODY, LIMIT_S, SHORT_S, asked
from tests.agi.service import (
    GO_TO_SALES,
    Behaviour,
    answers,
    closes_after_the_request,
    closes_at_once,
    drips,
    http,
    is_silent,
    never_reads,
    sends_headers_without_end,
    sends_without_end,
    serving,
)


async def test_answer_is_followed_with_all_it_says() -> None:
    said = {"text": "Zażółć\ngęślą", "language": "en", "go_to": "+48221234567", "show": {"customer": "Łódź 1", "level": "gold"}}
    async with serving(answers(said)) as service:
        assert await asked(service) == CallServerReply.model_validate(said)


async def test_answer_may_say_nothing() -> None:
    async with serving(answers({})) as service:
        assert await asked(service) == CallServerReply()


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
    answer_s = SHORT_S if failure is Failure.NO_ANSWER else LIMIT_S
    async with serving(behaviour) as service, asyncio.timeout(LIMIT_S):
        assert await asked(service, answer_s=answer_s) == Failed(failure, detail)
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
