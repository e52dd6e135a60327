"""Gauges that Asterisk is asked for: they follow its answers, and forget queues and trunks that it has no more."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from ami.client import AmiClient
from ami.view import gauges
from ami.view.gauges import Gauges
from services import metrics
from tests.ami.ami_peer import ADDRESS, Action, accept, ami_peer, response, until

QUEUES = {
    "acme-help": "Event: QueueSummary|Queue: acme-help|LoggedIn: 2|Available: 1|Callers: 3|HoldTime: 0|TalkTime: 0|LongestHoldTime: 75",
    "rossi-help": "Event: QueueSummary|Queue: rossi-help|LoggedIn: 0|Available: 0|Callers: 0|HoldTime: 0|TalkTime: 0|LongestHoldTime: 0",
}


def value(name: str, **labels: str) -> float | None:
    return metrics.AMI.get_sample_value(name, labels)


async def test_gauges_follow_what_asterisk_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(gauges, "EVERY_S", 0.01)
    queues, trunks = ["acme-help", "rossi-help"], {"acme-telco": "Registered", "rossi-telco": "Rejected"}

    def answer(action: Action) -> bytes | None:
        match action["action"]:
            case "QueueSummary":
                return (response(action, "Response: Success|EventList: start|Message: Queue summary will follow")
                        + b"".join(response(action, QUEUES[queue]) for queue in queues)
                        + response(action, "Event: QueueSummaryComplete|EventList: Complete|ListItems: 2"))
            case "PJSIPShowRegistrationsOutbound":
                return (response(action, "Response: Success|EventList: start|Message: Following are Events for each Outbound registration")
                        + b"".join(
                            response(action, f"Event: OutboundRegistrationDetail|Endpoint: {trunk}|Status: {status}")
                            for trunk, status in trunks.items())
                        + response(action, "Event: OutboundRegistrationDetailComplete|EventList: Complete|Registered: 1|NotRegistered: 1"))
        return accept(action)

    async with ami_peer(answer) as peer, AmiClient(ADDRESS, peer.port, "centralka", "secret") as ami:
        running = asyncio.create_task(Gauges(ami, tmp_path).run())
        await until(lambda: value("centralka_trunk_registered", trunk="rossi-telco") is not None, limit_s=50)
        assert value("centralka_queue_callers", queue="acme-help") == 3
        assert value("centralka_queue_longest_wait_seconds", queue="acme-help") == 75
        assert value("centralka_queue_agents", queue="acme-help", state="logged_in") == 2
        assert value("centralka_queue_agents", queue="acme-help", state="available") == 1
        assert (value("centralka_trunk_registered", trunk="acme-telco"), value("centralka_trunk_registered", trunk="rossi-telco")) == (1, 0)
        queues.remove("rossi-help")
        del trunks["rossi-telco"]
        await until(lambda: value("centralka_trunk_registered", trunk="rossi-telco") is None, limit_s=50)
        assert value("centralka_queue_callers", queue="rossi-help") is None
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
