"""Registrations of devices: reports a first registration, a new address, and the loss of a registration.

The list of all contacts is requested from Asterisk, because contact events contain text that a device chose. Of each list item
only the endpoint and an IP address are read. A device can at most forge the address in an item of its own.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import structlog
from panoramisk.message import Message
from redis.asyncio import Redis

from ami.client import AmiClient, AmiError
from ami.periodic_task import take_turns
from routing.numbering.endpoint import DeviceEndpoint, read_endpoint, tenant_of
from services import metrics
from store import live, registrations
from store.registrations import Registration

log = structlog.get_logger()

EVERY_S = 60.0           # finds a device that changes its address without losing its registration
LATELY = timedelta(days=1)
PAUSE_S = 2.0            # after a registration or its loss: others may follow


class Registrations:
    def __init__(self, ami: AmiClient, redis: Redis) -> None:
        self._ami, self._redis = ami, redis
        self._there: set[str] = set()
        self._lately = frozenset[str]()
        self.addresses: frozenset[str] | None = None     # where devices are or recently were registered; None until known
        self._changed = asyncio.Event()
        ami.on_event("DeviceStateChange", self._look_soon)

    async def run(self) -> None:
        """Never returns."""
        self._changed.set()
        await take_turns(self._turn, every_s=PAUSE_S, failed="registrations_not_read")

    async def _turn(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(EVERY_S):
                await self._changed.wait()
        await self._look()

    def _look_soon(self, event: Message) -> None:
        endpoint = event.device.partition("/")[2]
        if event.device.startswith("PJSIP/") and (event.state == "UNAVAILABLE") == (endpoint in self._there):
            self._changed.set()

    async def _look(self) -> None:
        self._changed.clear()
        found = addresses_in(await self._contacts())
        self._there = set(found)
        self.addresses = frozenset(found.values()) | self._lately
        known = await registrations.load(self._redis)
        self._lately = left_lately(known, datetime.now(UTC))
        self.addresses |= self._lately
        live.stop_if_cancelled()
        changed = registrations.changes(known, found, datetime.now(UTC))
        for endpoint, each in changed.items():
            _tell(endpoint, each, known.get(endpoint))
        await registrations.note(self._redis, changed)
        metrics.DEVICES.labels("registered").set(len(found))
        metrics.DEVICES.labels("gone").set(len(known.keys() - found.keys()))

    async def _contacts(self) -> list[Message]:
        try:
            return await self._ami.listing("PJSIPShowContacts", limit_s=30)
        except AmiError as error:
            if "No Contacts found" in str(error):
                return []
            raise


def addresses_in(contacts: list[Message]) -> dict[str, str]:
    """The address of each registered device that answers. Trunks have contacts too, but do not register here."""
    found: dict[str, str] = {}
    for contact in contacts:
        try:
            address = str(ip_address(str(contact.viaaddr).strip("[]")))
        except ValueError:
            continue
        if isinstance(read_endpoint(contact.endpoint), DeviceEndpoint) and contact.status != "Unreachable":
            found[str(contact.endpoint)] = address
    return found


def left_lately(known: Mapping[str, Registration], now: datetime) -> frozenset[str]:
    """The last addresses of devices unregistered for less than a day: after a power cut devices register again."""
    return frozenset(each.address for each in known.values() if not each.is_there and now - each.since < LATELY)


def _tell(endpoint: str, now: Registration, before: Registration | None) -> None:
    tenant = tenant_of(endpoint)
    if not now.is_there:
        log.warning("device_gone", tenant=tenant, endpoint=endpoint, was_at=now.address)
    elif before is None:
        log.info("device_first_seen", tenant=tenant, endpoint=endpoint, at=now.address)
    elif before.address != now.address:
        log.warning("device_registers_from_elsewhere", tenant=tenant, endpoint=endpoint, at=now.address, before=before.address)
    else:
        log.info("device_is_back", tenant=tenant, endpoint=endpoint, at=now.address)
