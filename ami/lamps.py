"""Lamps that Asterisk has no device for: a switch that was moved, an agent who is away. They are its custom device states,
which hints name (confgen/render/tenant_dialplan.py) and in_step.py sets.
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
        """What lights it or puts it out, over AMI."""
        return "Setvar", {
            "Variable": f"DEVICE_STATE({checked(self.device, 'Custom:[a-z0-9_-]+', 'lamp')})",
            "Value": "INUSE" if on else "NOT_INUSE"}


def tenant_of_lamp(device: str) -> str:
    """Whose lamp it is, '' where it is none."""
    return tenant_of(device.removeprefix("Custom:")) if device.startswith("Custom:") else ""


def lamps_of(tenant: Tenant, switches: Mapping[str, str], personal: Mapping[str, Personal]) -> Iterator[tuple[Lamp, bool]]:
    """Every such lamp of the tenant, and whether it is lit: a switch that does not stand where it stood at first, an agent who
    is logged out, pauses or is not to be disturbed."""
    for switch in tenant.codes.switches:
        at = tenant.position_of(switch, switches.get(switch))
        yield Lamp(f"Custom:{tenant.tenant}-switch-{switch}"), at != tenant.position_of(switch, None)
    for extension in tenant.agents:
        found = personal.get(extension, Personal())
        queues = tuple(name for name in tenant.queues if extension in tenant.agents_of(name))
        yield Lamp(f"Custom:{tenant.tenant}-away-{extension}"), found.do_not_disturb or is_out(found, queues)
