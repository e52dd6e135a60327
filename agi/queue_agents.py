"""Keeps the members of Asterisk's queues in step with what users have set: who is logged out, paused or not to be disturbed is
paused there.

Whom Asterisk has paused is told by its device states, `Queue:<queue>_pause_<member>`. QueueStatus would tell it, too, and with
it the names and numbers of all who wait: text of callers' choice, which nothing here may read over AMI (agi/live_view.py).
"""

import asyncio
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from agi.ami_client import AmiClient, AmiError, Message
from agi.published import Published
from agi.step_text import AgiError, checked
from routing.facts import Personal
from routing.presence import is_out
from routing.tenant import Tenant
from store.follower import LiveFollower

log = structlog.get_logger()

LOOK_S: Final = 0.2              # how often it looks for changes
LIMIT_S: Final = 30.0            # for the list of device states


@dataclass(frozen=True, slots=True)
class QueueMember:
    """A member of a queue, as Asterisk calls both."""

    queue: str                   # 'acme-support'
    interface: str               # 'Local/201@acme-agent/n'

    @property
    def device(self) -> str:
        """Whose state says whether the member is paused."""
        return f"Queue:{self.queue}_pause_{self.interface}"


class QueueAgents:
    """`follower` knows what users have set; before it has read that once, nobody is told anything. A tenant is looked at again
    only when something of it has changed: its file, what its users have set, or whom Asterisk pauses."""

    def __init__(self, ami: AmiClient, published: Published, follower: LiveFollower) -> None:
        self._ami, self._published, self._follower = ami, published, follower
        self._revision: str | None = None
        self._digests: dict[str, bytes] = {}                   # of all tenants' files
        self._tenants: dict[str, Tenant] = {}                  # those that have queues
        self._paused: set[str] = set()                         # devices, in Asterisk
        self._changed: set[str] = set()                        # tenants
        self._problem = ""
        ami.on_event("DeviceStateChange", self._note)

    async def run(self) -> None:
        """Never returns."""
        await self._follower.loaded.wait()
        number = 0
        while True:
            try:
                if self._ami.connections != number or not self._ami.connected.is_set():
                    number = await self._take_snapshot(await self._ami.connection_after(number))
                await self._tell()
                self._problem = ""
            except (AmiError, AgiError) as error:
                if str(error) != self._problem:
                    log.info("agents of queues stay as they are", problem=str(error))
                self._problem = str(error)
            except Exception:  # the outermost loop: the live view and the records beside it go on
                log.exception("agents of queues stay as they are")
            await asyncio.sleep(LOOK_S)

    async def _take_snapshot(self, number: int) -> int:
        """Raises AmiError."""
        self._paused.clear()
        self._changed |= self._tenants.keys()
        for event in await self._ami.listing("DeviceStateList", LIMIT_S):
            self._note(event)
        return number

    def _note(self, event: Message) -> None:
        """A state of a device, in a list or as it changes."""
        queue, is_pause, _ = event.device.removeprefix("Queue:").partition("_pause_")
        if not is_pause or not event.device.startswith("Queue:"):
            return
        if event.state == "INUSE":
            self._paused.add(event.device)
        else:
            self._paused.discard(event.device)
        self._changed.add(queue.partition("-")[0])

    async def _tell(self) -> None:
        """Raises AmiError, and AgiError before the first publish."""
        revision = self._published.revision()
        if revision != self._revision:
            self._changed |= await asyncio.to_thread(self._read, revision)
            self._revision = revision
        self._changed |= self._follower.take_touched()
        self._changed &= self._tenants.keys()
        problem: AmiError | None = None
        for slug in [*self._changed]:
            if not self._ami.connected.is_set():
                return
            self._changed.discard(slug)
            try:
                for member, paused in members_of(self._tenants[slug], self._follower.live.personal.get(slug, {})):
                    if (member.device in self._paused) is not paused:
                        await self._pause(member, paused)
            except AmiError as error:              # such as a member that Asterisk does not have yet
                self._changed.add(slug)
                problem = error
        if problem:
            raise problem

    async def _pause(self, member: QueueMember, paused: bool) -> None:
        """Raises AmiError."""
        await self._ami.action(
            "QueuePause", Queue=checked(member.queue, "[a-z0-9_-]+", "queue"),
            Interface=checked(member.interface, "Local/[0-9]{2,6}@[a-z0-9]+-agent/n", "member"), Paused=str(paused).lower())
        (self._paused.add if paused else self._paused.discard)(member.device)

    def _read(self, revision: str) -> set[str]:
        """The tenants whose files are others than before."""
        digests: dict[str, bytes] = {}
        changed: set[str] = set()
        for slug, text in self._published.texts(revision):
            digests[slug] = hashlib.sha256(text).digest()
            if digests[slug] != self._digests.get(slug):
                changed.add(slug)
                self._tenants.pop(slug, None)
                tenant = json.loads(text)["tenant"]
                if tenant["queues"]:
                    self._tenants[slug] = Tenant.model_validate(tenant)
        for slug in self._tenants.keys() - digests.keys():
            del self._tenants[slug]
        self._digests = digests
        return changed


def members_of(tenant: Tenant, personal: Mapping[str, Personal]) -> Iterator[tuple[QueueMember, bool]]:
    """Every member of the tenant's queues, and whether it is never to be rung now."""
    for name, queue in tenant.queues.items():
        for extension in queue.agents:
            found = personal.get(extension, Personal())
            yield QueueMember(tenant.queue_name(name), f"Local/{extension}@{tenant.tenant}-agent/n"), (
                found.do_not_disturb or is_out(found, (name,)))
