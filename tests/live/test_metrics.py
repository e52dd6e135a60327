"""Metrics of a running instance: a call, a malformed request and a queue are counted where Prometheus reads."""

import asyncio
import socket

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from sipp import Answer, AwaitHangUp, Callee, SendHangUp
from tests.live.calling import DIRECT, dials
from tests.live.pbx import TRUNK, Pbx, until

pytestmark = pytest.mark.live


async def scrape(pbx: Pbx, port: int) -> dict[tuple[str, ...], float]:
    """The service's time series, by name and label values."""
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"http://{pbx.settings.metrics_address}:{port}/metrics", timeout=50)
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text) for sample in family.samples}


async def test_answered_call_is_counted_from_its_start_to_its_record(pbx: Pbx) -> None:
    agi, ami = pbx.settings.metrics_agi_port, pbx.settings.metrics_ami_port
    before = await scrape(pbx, agi) | await scrape(pbx, ami)
    async with pbx.cast() as cast:
        await pbx.phone(cast, "acme-201-desk", Callee(then=Answer(ring_ms=100, ending=AwaitHangUp())))
        await cast.call(dials(DIRECT["acme"], pbx.outside_caller(), ending=SendHangUp()), at=TRUNK["acme"])

    async def counted() -> bool:
        after = await scrape(pbx, agi) | await scrape(pbx, ami)
        return all(after.get(name, 0) > before.get(name, 0) for name in (
            ("centralka_decisions_total", "step", "dial"), ("centralka_decision_seconds_count", "step"),
            ("centralka_calls_started_total", "acme"), ("centralka_records_written_total",)))

    await until(counted, "the call is counted", limit_s=150)
    after = await scrape(pbx, ami)
    assert after[("centralka_ami_connected",)] == 1
    assert 0 < after[("centralka_data_free_bytes",)] <= after[("centralka_data_size_bytes",)]


async def test_malformed_request_is_counted_and_disturbs_no_decision(pbx: Pbx) -> None:
    name = ("centralka_agi_requests_failed_total", "malformed")
    before = await scrape(pbx, pbx.settings.metrics_agi_port)
    with socket.create_connection((pbx.settings.agi_address, pbx.settings.agi_port)) as peer:
        peer.sendall(b"agi_network_script: nonsense|1\nagi_callerid: x\n\n" + b"x" * 300)
        peer.shutdown(socket.SHUT_WR)
        await asyncio.to_thread(peer.recv, 1)

    async def counted() -> bool:
        return (await scrape(pbx, pbx.settings.metrics_agi_port)).get(name, 0) > before.get(name, 0)

    await until(counted, "the malformed request is counted", limit_s=150)


async def test_queues_and_devices_are_measured(pbx: Pbx) -> None:
    async def measured() -> bool:
        found = await scrape(pbx, pbx.settings.metrics_ami_port)
        names = {name[0] for name in found}
        queues = {name[1] for name in found if name[0] == "centralka_queue_callers"}
        own = {tenant.queue_name(queue) for tenant in pbx.tenants.values() for queue in tenant.queues}
        return queues == own and {"centralka_devices", "centralka_queue_agents"} <= names

    await until(measured, "queues and devices are measured", limit_s=150)
