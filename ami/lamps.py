"""BLF lamps without a device of their own: a switch out of its first position, an unavailable agent. They are custom device
states, which hints name (confgen/render/tenant_dialplan.py) and in_step.py sets.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from routing.call.facts import Personal
from routing.hunt.presence import is_out
from routing.numbering.endpoint import tenant_of
from routing.tenant.tenant import Tenant
from services.allowed_text import checked


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
