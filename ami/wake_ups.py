"""Wake-up calls at the time that users have set, across restarts of every process: the time stays among the user's settings
in Redis until the user answers or the last attempt fails.

centralka:waking:<tenant>/<extension>           exists while the phones ring and until the next attempt; expires
centralka:wakings:<tenant>/<extension>/<time>   number of attempts; expires
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from redis.asyncio import Redis

from ami.client import AmiClient, AmiError
from ami.periodic_task import take_turns
from services.asterisk_text import AgiError, checked, sound_path
from services.published_tenants import PublishedTenants
from store import personal
from store.follower import LiveFollower

log = structlog.get_logger()

LOOK_S: Final = 1.0
RING_S: Final = 45               # also in asterisk-conf/extensions.conf, where the phones ring
AGAIN_S: Final = 180             # from one attempt to the next
AFTER_FAILURE_S: Final = 5       # Asterisk did not take the call
TRIES: Final = 3
LATEST: Final = timedelta(hours=1)     # delay after an outage; later than that no wake-up call is made
KEEP_S: Final = 2 * 3600


class WakeUps:
    """`follower` knows the wake-up times. The decision service notes an answer and removes the time."""

    def __init__(
        self, ami: AmiClient, redis: Redis, follower: LiveFollower, published: PublishedTenants, asterisk_home: PurePosixPath,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._ami, self._redis, self._follower, self._published = ami, redis, follower, published
        self._home, self._now = asterisk_home, now

    async def run(self) -> None:
        """Never returns."""
        await take_turns(self._look, every_s=LOOK_S, failed="wake_ups_not_read")

    async def _look(self) -> None:
        await self._follower.loaded.wait()
        due = [
            (slug, extension, found.wake_up) for slug, users in self._follower.live.personal.items()
            for extension, found in users.items() if found.wake_up and found.wake_up <= self._now()]
        for slug, extension, at in due:
            if self._now() - at > LATEST:
                await self._give_up(slug, extension, at, "it is too late")
            elif self._ami.connected.is_set():
                await self._try(slug, extension, at)

    async def _try(self, slug: str, extension: str, at: datetime) -> None:
        """Ring the user now, or at a later turn if no phone is registered yet."""
        try:
            endpoints = self._published.tenant(slug).tenant.endpoints_of(extension)
        except (AgiError, KeyError):
            await self._give_up(slug, extension, at, "there is no such user")
            return
        try:
            can_ring = [await self._can_ring(endpoint) for endpoint in endpoints]
            if not any(can_ring):
                await self._ask(endpoints)
        except AmiError as error:
            log.warning("wake_up_call_delayed", tenant=slug, extension=extension, problem=str(error))
            return
        if any(can_ring):
            await self._wake(slug, extension, at)

    async def _ask(self, endpoints: tuple[str, ...]) -> None:
        """Sends OPTIONS to phones that registered before Asterisk restarted: else Asterisk asks them within a minute, and they
        count as unavailable until they answer. Raises AmiError."""
        for endpoint in endpoints:
            await self._ami.action("PJSIPQualify", Endpoint=checked(endpoint, "[a-z0-9_-]+", "endpoint"))

    async def _can_ring(self, endpoint: str) -> bool:
        """Asterisk says so, not the live state, which after a restart still has the states of before. Raises AmiError."""
        name = checked(endpoint, "[a-z0-9_-]+", "endpoint")
        answer = await self._ami.action("Getvar", Variable=f"DEVICE_STATE(PJSIP/{name})")
        return answer.value not in {"UNAVAILABLE", "INVALID", "UNKNOWN"}

    async def _wake(self, slug: str, extension: str, at: datetime) -> None:
        waking, wakings = f"centralka:waking:{slug}/{extension}", f"centralka:wakings:{slug}/{extension}/{at.isoformat()}"
        if not await self._redis.set(waking, "1", nx=True, ex=AGAIN_S):
            return
        tries = await self._redis.incr(wakings)
        await self._redis.expire(wakings, KEEP_S)
        if tries > TRIES:
            await self._give_up(slug, extension, at, f"nobody has answered {TRIES} times")
            return
        try:
            await self._call(slug, extension, at)
            log.info("wake_up_call", tenant=slug, extension=extension, tries=tries)
        except AmiError as error:
            log.warning("wake_up_call_delayed", tenant=slug, extension=extension, problem=str(error))
            await self._redis.decr(wakings)
            await self._redis.expire(waking, AFTER_FAILURE_S)

    async def _call(self, slug: str, extension: str, at: datetime) -> None:
        """Raises AmiError."""
        published = self._published.tenant(slug)
        tenant = published.tenant
        phones = "&".join(f"PJSIP/{checked(name, '[a-z0-9_-]+', 'endpoint')}" for name in tenant.endpoints_of(extension))
        sound = sound_path(self._home, slug, published.sounds["sys_wake_up"])
        await self._ami.action(
            "Originate", Channel="Local/ring@wake_up/n", Context="wake_up", Exten="woken", Priority=1,
            Timeout=(RING_S + 5) * 1000, CallerID=f"{at.astimezone(ZoneInfo(tenant.timezone)):%H:%M} <{extension}>",
            Variable=[f"WAKE_TENANT={slug}", f"WAKE_USER={extension}", f"WAKE_PHONES={phones}", f"WAKE_SOUND={sound}"],
            Account=slug, Async="true")

    async def _give_up(self, slug: str, extension: str, at: datetime, why: str) -> None:
        await personal.change(
            self._redis, slug, extension, lambda found: replace(found, wake_up=None) if found.wake_up == at else found)
        log.warning("wake_up_call_failed", tenant=slug, extension=extension, at=at.isoformat(), problem=why)
