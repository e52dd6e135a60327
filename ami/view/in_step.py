"""Synchronisation of Asterisk with users' settings: lamps and paused members of queues (lamps.py).

A device state reports if each one is on. QueueStatus would report pauses too, but with the names and numbers of all waiting
callers: text that callers chose, which no code here may read over AMI (ami/view/live_view.py).
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NoReturn, Protocol

from ami.client import ACTION_LIMIT_S, AmiClient, AmiError, Message
from ami.periodic_task import take_turns
from ami.view import lamps
from ami.view.changed_tenants import ChangedTenants
from routing.tenant.tenant import Tenant
from services.published_tenants import PublishedTenants
from store.follower import Live, LiveFollower

LOOK_S: Final = 0.2              # how often it looks for changes
LIMIT_S: Final = 30.0            # for the list of device states


class Switchable(Protocol):
    """A lamp or a pause in Asterisk, which is on or off."""

    @property
    def device(self) -> str:
        """The device whose state is INUSE while it is on."""

    def action(self, on: bool) -> tuple[str, Mapping[str, str]]:
        """The AMI action that switches it, and its headers. Raises AgiError for a name with forbidden characters."""


class InStep:
    """`follower` knows the settings; nothing is switched before it has read them once. A tenant is examined again only after
    a change: of its file, its settings or its device states in Asterisk."""

    def __init__(self, ami: AmiClient, published: PublishedTenants, follower: LiveFollower) -> None:
        self._ami, self._follower = ami, follower
        self._tenants = ChangedTenants(published, follower, has_switchables)
        self._on: set[str] = set()                             # devices, in Asterisk
        self._number = 0                                       # of the connection that reported them
        ami.on_event("DeviceStateChange", self._note)

    async def run(self) -> NoReturn:
        await self._follower.loaded.wait()
        await take_turns(self._turn, every_s=LOOK_S, failed="asterisk_not_kept_in_step")

    async def _turn(self) -> None:
        """Raises AmiError, and AgiError before the first publish."""
        if self._ami.connections != self._number or not self._ami.connected.is_set():
            number = await self._ami.connection_after(self._number)
            await self._take_snapshot()
            self._number = number
        await self._tenants.look()
        problem: AmiError | None = None
        for slug in [*self._tenants.changed]:
            self._tenants.changed.discard(slug)
            for each, on in switchables_of(self._tenants.tenants[slug], self._follower.live):
                try:
                    if (each.device in self._on) is not on:
                        await self._switch(each, on)
                except AmiError as error:          # such as a member of a queue that Asterisk does not have yet
                    self._tenants.changed.add(slug)
                    if not self._ami.connected.is_set():
                        raise
                    problem = error
        if problem:
            raise problem

    async def _take_snapshot(self) -> None:
        """Raises AmiError."""
        self._on.clear()
        self._tenants.changed |= self._tenants.tenants.keys()
        for event in await self._ami.listing("DeviceStateList", LIMIT_S):
            self._note(event)

    def _note(self, event: Message) -> None:
        """A state of a device, in a list or as it changes."""
        slug = lamps.tenant_of_pause(event.device) or lamps.tenant_of_lamp(event.device)
        if slug:
            (self._on.add if event.state == "INUSE" else self._on.discard)(event.device)
            self._tenants.changed.add(slug)

    async def _switch(self, each: Switchable, on: bool) -> None:
        """Raises AmiError."""
        name, headers = each.action(on)
        now, before = (self._on.add, self._on.discard) if on else (self._on.discard, self._on.add)
        now(each.device)             # an event that comes before the answer is newer
        try:
            await self._ami.action(name, ACTION_LIMIT_S, **headers)
        except BaseException:
            before(each.device)
            raise


def has_switchables(tenant: Mapping[str, Any]) -> bool:
    """True if the tenant has lamps or queue agents, by its published values."""
    return bool(tenant["queues"] or tenant["codes"]["switches"])


def switchables_of(tenant: Tenant, live: Live) -> Iterator[tuple[Switchable, bool]]:
    """Each lamp and queue member, and True if it must be on."""
    personal = live.personal.get(tenant.tenant, {})
    yield from lamps.members_of(tenant, personal)
    yield from lamps.lamps_of(tenant, live.switches.get(tenant.tenant, {}), personal)
