"""Keeps the members of Asterisk's queues in step with what users have set: who is logged out, paused or not to be disturbed is
paused there.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class QueueMember:
    """A member of a queue, as Asterisk calls both."""

    queue: str                   # 'acme-support'
    interface: str               # 'Local/201@acme-agent/n'


class QueueAgents:
    """`follower` knows what users have set; before it has read that once, nobody is told anything."""

    def __init__(self, ami: AmiClient, published: Published, follower: LiveFollower) -> None:
        self._ami, self._published, self._follower = ami, published, follower
        self._revision: str | None = None
        self._tenants: dict[str, Tenant] = {}                  # those that have queues
        self._told: dict[QueueMember, bool] = {}               # of this revision and this connection

    async def run(self) -> None:
        """Never returns."""
        await self._follower.loaded.wait()
        number = 0
        while True:
            if self._ami.connections != number or not self._ami.connected.is_set():
                number = await self._ami.connection_after(number)
                self._told.clear()
            try:
                await self._tell()
            except AmiError as error:
                log.warning("agents of queues stay as they are", problem=str(error))
                await asyncio.sleep(RETRY_S)
            except AgiError as error:
                log.info("no queues yet", problem=str(error))
                await asyncio.sleep(RETRY_S)
            except Exception:  # the outermost loop: the live view and the records beside it go on
                log.exception("agents of queues stay as they are")
                await asyncio.sleep(RETRY_S)
            await asyncio.sleep(LOOK_S)

    async def _tell(self) -> None:
        """Raises AmiError, and AgiError before the first publish."""
        revision = self._published.revision()
        if revision != self._revision:
            self._tenants = await asyncio.to_thread(lambda: {each.tenant: each for each in self.with_queues(revision)})
            self._revision = revision
            self._told.clear()
        for slug, tenant in self._tenants.items():
            for member, paused in members_of(tenant, self._follower.live.personal.get(slug, {})):
                if self._told.get(member) is not paused:
                    await self._pause(member, paused)

    async def _pause(self, member: QueueMember, paused: bool) -> None:
        try:
            await self._ami.action(
                "QueuePause", Queue=checked(member.queue, "[a-z0-9_-]+", "queue"),
                Interface=checked(member.interface, "Local/[0-9]{2,6}@[a-z0-9]+-agent/n", "member"), Paused=str(paused).lower())
        except AmiError as error:
            if "not found" not in str(error).lower():
                raise
            log.info("Asterisk has no such member of a queue yet", queue=member.queue, member=member.interface)
            return                   # it is told again
        self._told[member] = paused

    def with_queues(self, revision: str) -> Iterator[Tenant]:
        for text in self._published.texts(revision):
            tenant = json.loads(text)["tenant"]
            if tenant["queues"]:
                yield Tenant.model_validate(tenant)


def members_of(tenant: Tenant, personal: Mapping[str, Personal]) -> Iterator[tuple[QueueMember, bool]]:
    """Every member of the tenant's queues, and whether it is never to be rung now."""
    for name, queue in tenant.queues.items():
        for extension in queue.agents:
            found = personal.get(extension, Personal())
            yield QueueMember(tenant.queue_name(name), f"Local/{extension}@{tenant.tenant}-agent/n"), (
                found.do_not_disturb or is_out(found, (name,)))
