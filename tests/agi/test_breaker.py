"""A call server that fails again and again is left alone for a while, and nobody else."""

import time
from dataclasses import replace

import pytest

from agi import call_servers
from agi.breaker import FAILURES, PAUSE_S, Breaker
from agi.call_servers import CallServers
from routing.call.call_server import Failed, Failure
from tests.agi.asking import LOOPBACK, SALES, asked, request
from tests.agi.service import GO_TO_SALES, closes_at_once, http, serving


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
