"""Lamps that Asterisk has no device for: a switch that was moved, an agent who is away. They are its custom device states, set
over AMI as live state changes; hints name them (templates/extensions.conf.j2).
"""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Final

import structlog

from agi.ami_client import AmiClient, AmiError
from agi.published import Published
from agi.step_text import AgiError, checked
from routing.facts import Personal
from routing.presence import is_out
from routing.tenant import Tenant
from store.follower import LiveFollower

log = structlog.get_logger()

LOOK_S: Final = 0.2              # how often it looks for changes
RETRY_S: Final = 2.0


class Lamps:
    """`follower` knows what is set; before it has read that once, no lamp changes."""

    def __init__(self, ami: AmiClient, published: Published, follower: LiveFollower) -> None:
        self._ami, self._published, self._follower = ami, published, follower
        self._revision: str | None = None
        self._tenants: tuple[Tenant, ...] = ()                 # those that have such lamps
        self._lit: dict[str, bool] = {}                        # as Asterisk has them, on this connection

    async def run(self) -> None:
        """Never returns."""
        await self._follower.loaded.wait()
        number = 0
        while True:
            try:
                if self._ami.connections != number or not self._ami.connected.is_set():
                    number = await self._ami.connection_after(number)
                    self._lit = {
                        each.device: each.state == "INUSE" for each in await self._ami.listing("DeviceStateList", limit_s=30)
                        if each.device.startswith("Custom:")}
                await self._show()
            except (AmiError, AgiError) as error:
                log.info("lamps stay as they are", problem=str(error))
                number = 0
                await asyncio.sleep(RETRY_S)
            except Exception:  # the outermost loop: the live view and the records beside it go on
                log.exception("lamps stay as they are")
                await asyncio.sleep(RETRY_S)
            await asyncio.sleep(LOOK_S)

    async def _show(self) -> None:
        """Raises AmiError, and AgiError before the first publish."""
        revision = self._published.revision()
        if revision != self._revision:
            self._tenants = await asyncio.to_thread(lambda: tuple(self._with_lamps(revision)))
            self._revision = revision
        live = self._follower.live
        for tenant in self._tenants:
            for device, lit in lamps_of(tenant, live.switches.get(tenant.tenant, {}), live.personal.get(tenant.tenant, {})):
                if self._lit.get(device) is not lit:
                    await self._ami.action(
                        "Setvar", Variable=f"DEVICE_STATE({checked(device, 'Custom:[a-z0-9_-]+', 'lamp')})",
                        Value="INUSE" if lit else "NOT_INUSE")
                    self._lit[device] = lit

    def _with_lamps(self, revision: str) -> Iterator[Tenant]:
        for slug in self._published.slugs(revision):
            tenant = self._published.tenant(slug).tenant
            if tenant.agents or tenant.codes.switches:
                yield tenant


def lamps_of(
    tenant: Tenant, switches: Mapping[str, str], personal: Mapping[str, Personal],
) -> Iterator[tuple[str, bool]]:
    """Every such lamp of the tenant by its device, and whether it is lit: a switch that does not stand where it stood at first,
    an agent who is logged out, pauses or is not to be disturbed."""
    for switch in tenant.codes.switches:
        at = tenant.position_of(switch, switches.get(switch))
        yield f"Custom:{tenant.tenant}-switch-{switch}", at != tenant.position_of(switch, None)
    for extension in tenant.agents:
        found = personal.get(extension, Personal())
        queues = tuple(name for name in tenant.queues if extension in tenant.agents_of(name))
        yield f"Custom:{tenant.tenant}-away-{extension}", found.do_not_disturb or is_out(found, queues)
