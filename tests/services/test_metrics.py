"""Metrics: every one that the alert rules, the dashboard and the page name exists; the server answers, whatever its peers do."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import CollectorRegistry

from services import metrics
from services.metrics_server import MAX_CONNECTIONS, metrics_served
from tests.ami.ami_peer import until
from tests.taken_ports import free_port

MONITORING = Path(__file__).parent.parent.parent / "docs" / "monitoring"
NAMED = re.compile(r"\b(?:centralka|process)_[a-z_]+")
REGISTRIES = (metrics.COMMON, metrics.AGI, metrics.AMI, metrics.PROVISION)


def samples() -> set[str]:
    """The names of all time series that the services can have."""
    found: set[str] = set()
    for registry in REGISTRIES:
        for family in registry.collect():
            suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(family.type, ("",))
            found |= {family.name + suffix for suffix in suffixes}
    return found


def expressions(found: Any) -> list[str]:
    """Every `expr` of a rules file or a dashboard."""
    if isinstance(found, dict):
        own = [found["expr"]] if isinstance(found.get("expr"), str) else []
        return own + [each for value in found.values() for each in expressions(value)]
    return [each for value in found for each in expressions(value)] if isinstance(found, list) else []


@pytest.mark.parametrize("name", ["alerts.yaml", "grafana.json"])
def test_every_metric_that_a_rule_or_panel_names_exists(name: str) -> None:
    text = (MONITORING / name).read_text()
    found = expressions(json.loads(text) if name.endswith(".json") else yaml.safe_load(text))
    named = {each for expression in found for each in NAMED.findall(expression)}
    assert len(named) > 10
    assert named - samples() == set()


def test_every_metric_has_a_panel_and_a_row_on_the_page() -> None:
    panels = (MONITORING / "grafana.json").read_text()
    page = (MONITORING.parent / "monitoring.md").read_text()
    own = [family for registry in REGISTRIES for family in registry.collect() if family.name.startswith("centralka_")]
    assert [family.name for family in own if family.name not in panels] == []
    assert [family.name for family in own if family.documentation not in page or f"`{family.name}" not in page] == []


def test_every_alert_says_what_to_do() -> None:
    rules = [rule for group in yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules)
    assert [rule["alert"] for rule in rules if not rule["annotations"]["action"] or "severity" not in rule["labels"]] == []


def test_exceptions_are_counted_by_event_and_their_label_values_are_bounded() -> None:
    def counted(event: str) -> float:
        return metrics.COMMON.get_sample_value("centralka_exceptions_total", {"event": event}) or 0

    before = counted("a_loop_failed")
    metrics.count_exception(None, "error", {"event": "a loop failed", "exc_info": True})
    metrics.count_exception(None, "info", {"event": "a loop failed"})
    assert counted("a_loop_failed") == before + 1
    for number in range(2 * metrics.MOST_EVENTS):
        metrics.count_exception(None, "error", {"event": f"event_{number}", "exc_info": True})
    assert len({sample.labels["event"] for family in metrics.EXCEPTIONS.collect() for sample in family.samples}) <= metrics.MOST_EVENTS + 1
    assert counted(metrics.OTHER) >= metrics.MOST_EVENTS


async def asked(port: int, request: bytes = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n") -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        async with asyncio.timeout(50):
            return await reader.read()
    finally:
        writer.close()


@asynccontextmanager
async def served(port: int) -> AsyncIterator[None]:
    async with metrics_served(metrics.PROVISION, "127.0.0.1", port):
        await until(lambda: listens(port), limit_s=50)
        yield


def listens(port: int) -> bool:
    return f":{port:04X} 00000000:0000 0A" in Path("/proc/self/net/tcp").read_text()


async def test_prometheus_reads_what_a_service_counted() -> None:
    metrics.PROVISION_REQUESTS.labels("served").inc()
    port = free_port()
    async with served(port):
        head, _, body = (await asked(port)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    found = {sample.name for family in text_string_to_metric_families(body.decode()) for sample in family.samples}
    assert {"centralka_provision_requests_total", "process_resident_memory_bytes"} <= found
    assert not any(name.startswith("centralka_agi") for name in found)


@pytest.mark.parametrize("request_", [b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"])
async def test_other_requests_are_refused(request_: bytes) -> None:
    port = free_port()
    async with served(port):
        assert (await asked(port, request_)).startswith(b"HTTP/1.1 404 ")


async def test_malformed_and_silent_peers_leave_the_server_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.metrics_server.LIMIT_S", 0.5)
    port = free_port()
    async with served(port):
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(MAX_CONNECTIONS + 5)]
        for garbage in (b"\0" * 20_000, b"GET\r\n\r\n", b"", b"GET /metrics HTTP/1.1\r\n" + b"x: y\r\n" * 9000):
            with suppress(ConnectionError):
                await asked(port, garbage + b"\r\n\r\n")
        for reader, writer in silent:
            async with asyncio.timeout(50):
                with suppress(ConnectionError):
                    await reader.read()          # the server has closed it
            writer.close()
        assert (await asked(port)).startswith(b"HTTP/1.1 200 ")


async def test_second_instance_takes_the_port_when_the_first_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.metrics_server.RETRY_S", 0.05)
    port, second = free_port(), CollectorRegistry()
    async with served(port):
        waiting = metrics_served(second, "127.0.0.1", port)
        await waiting.__aenter__()
        assert b"centralka_provision" in await asked(port)
    try:
        await until(lambda: listens(port), limit_s=50)
        assert b"centralka_provision" not in await asked(port)
    finally:
        await waiting.__aexit__(None, None, None)
