"""Lamps and pauses in Asterisk that follow users' settings. Pure.

A BLF lamp without a device of its own shows a switch out of its first position, or an unavailable agent: a custom device state,
which hints name (confgen/render/tenant_dialplan.py). A member of a queue is paused while logged out, paused or in DND, so that
the queue does not ring the agent; Asterisk's device states report the paused members. in_step.py sets both.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from routing.call.facts import Personal
from routing.hunt.presence import is_out
from routing.numbering.endpoint import tenant_of
from routing.tenant.tenant import Tenant
from services.asterisk_text import checked


@dataclass(frozen=True, slots=True)
class Lamp:
    """`device` as Asterisk calls it, 'Custom:acme-switch-mode'."""

    device: str

    def action(self, on: bool) -> tuple[str, Mapping[str, str]]:
        """The AMI action that turns the lamp on or off, and its headers."""
        return "Setvar", {
            "Variable": f"DEVICE_STATE({checked(self.device, 'Custom:[a-z0-9_-]+', 'lamp')})",
            "Value": "INUSE" if on else "NOT_INUSE"}


def tenant_of_lamp(device: str) -> str:
    """The tenant of a lamp, '' if the device is not a lamp."""
    return tenant_of(device.removeprefix("Custom:")) if device.startswith("Custom:") else ""


def lamps_of(tenant: Tenant, switches: Mapping[str, str], personal: Mapping[str, Personal]) -> Iterator[tuple[Lamp, bool]]:
    """Every such lamp of the tenant, and True if it is lit: for a switch out of its first position, and for an agent who is
    logged out, paused or in DND."""
    for switch in tenant.codes.switches:
        at = tenant.position_of(switch, switches.get(switch))
        yield Lamp(f"Custom:{tenant.tenant}-switch-{switch}"), at != tenant.position_of(switch, None)
    for extension in tenant.agents:
        found = personal.get(extension, Personal())
        queues = tuple(name for name in tenant.queues if extension in tenant.agents_of(name))
        yield Lamp(f"Custom:{tenant.tenant}-away-{extension}"), found.do_not_disturb or is_out(found, queues)


@dataclass(frozen=True, slots=True)
class QueueMember:
    """A member of a queue, both under Asterisk's names."""

    queue: str                   # 'acme-support'
    interface: str               # 'Local/201@acme-agent/n'

    @property
    def device(self) -> str:
        """The device whose state is INUSE while the member is paused."""
        return f"Queue:{self.queue}_pause_{self.interface}"

    def action(self, on: bool) -> tuple[str, Mapping[str, str]]:
        """The AMI action that begins or ends the pause, and its headers."""
        return "QueuePause", {
            "Queue": checked(self.queue, "[a-z0-9_-]+", "queue"),
            "Interface": checked(self.interface, "Local/[0-9]{2,6}@[a-z0-9]+-agent/n", "member"), "Paused": str(on).lower()}


def tenant_of_pause(device: str) -> str:
    """The tenant of a member's pause, '' if the device is not a pause."""
    queue, is_pause, _ = device.removeprefix("Queue:").partition("_pause_")
    return tenant_of(queue) if is_pause and device.startswith("Queue:") else ""


def members_of(tenant: Tenant, personal: Mapping[str, Personal]) -> Iterator[tuple[QueueMember, bool]]:
    """Every member of the tenant's queues, and True if it must be paused."""
    for name, queue in tenant.queues.items():
        for extension in queue.agents:
            found = personal.get(extension, Personal())
            yield QueueMember(tenant.queue_name(name), f"Local/{extension}@{tenant.tenant}-agent/n"), (
                found.do_not_disturb or is_out(found, (name,)))
