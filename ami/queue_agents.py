"""The members of Asterisk's queues, and who of them is never to be rung now: who is logged out, paused or not to be disturbed
is paused there, by in_step.py. Whom Asterisk has paused is told by its device states.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from routing.call.facts import Personal
from routing.hunt.presence import is_out
from routing.numbering.endpoint import tenant_of
from routing.tenant.tenant import Tenant
from services.allowed_text import checked


@dataclass(frozen=True, slots=True)
class QueueMember:
    """A member of a queue, as Asterisk calls both."""

    queue: str                   # 'acme-support'
    interface: str               # 'Local/201@acme-agent/n'

    @property
    def device(self) -> str:
        """Whose state says whether the member is paused."""
        return f"Queue:{self.queue}_pause_{self.interface}"

    def action(self, on: bool) -> tuple[str, Mapping[str, str]]:
        """What begins or ends the pause, over AMI."""
        return "QueuePause", {
            "Queue": checked(self.queue, "[a-z0-9_-]+", "queue"),
            "Interface": checked(self.interface, "Local/[0-9]{2,6}@[a-z0-9]+-agent/n", "member"), "Paused": str(on).lower()}


def tenant_of_pause(device: str) -> str:
    """Whose member's pause it is, '' where it is none."""
    queue, is_pause, _ = device.removeprefix("Queue:").partition("_pause_")
    return tenant_of(queue) if is_pause and device.startswith("Queue:") else ""


def members_of(tenant: Tenant, personal: Mapping[str, Personal]) -> Iterator[tuple[QueueMember, bool]]:
    """Every member of the tenant's queues, and whether it is never to be rung now."""
    for name, queue in tenant.queues.items():
        for extension in queue.agents:
            found = personal.get(extension, Personal())
            yield QueueMember(tenant.queue_name(name), f"Local/{extension}@{tenant.tenant}-agent/n"), (
                found.do_not_disturb or is_out(found, (name,)))
