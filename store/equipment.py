"""State of telephones across restarts, in Redis: last fetches and open first-boot windows.

    centralka:equipment:fetched      hash: "<tenant>/<label>" -> Fetched as JSON: the last time it got a file
    centralka:equipment:first_boot   hash: MAC address -> until when (seconds since 1970) it may ask without a secret, once
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Self

from redis.asyncio import Redis

FETCHED, FIRST_BOOT = "centralka:equipment:fetched", "centralka:equipment:first_boot"


@dataclass(frozen=True, slots=True)
class ConfigurationFetch:
    """`agent` is the User-Agent that the telephone sent."""

    at: datetime
    address: str
    agent: str
    file: str

    def to_json(self) -> str:
        return json.dumps(asdict(self) | {"at": self.at.isoformat()})

    @classmethod
    def from_json(cls, text: str) -> Self:
        values = json.loads(text)
        return cls(**values | {"at": datetime.fromisoformat(values["at"])})


class EquipmentStore:
    """Every method raises what `store.live.AWAY` lists when Redis is unavailable."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def note(self, device: str, fetched: ConfigurationFetch) -> None:
        await self._redis.hset(FETCHED, device, fetched.to_json())

    async def fetched(self) -> dict[str, ConfigurationFetch]:
        """The last fetch of every device that ever fetched, by 'tenant/label'."""
        found = await self._redis.hgetall(FETCHED)
        return {str(device): ConfigurationFetch.from_json(str(text)) for device, text in found.items()}

    async def open_window(self, mac: str, until: datetime) -> None:
        await self._redis.hset(FIRST_BOOT, mac, str(until.timestamp()))

    async def is_open(self, mac: str, now: datetime) -> bool:
        until = await self._redis.hget(FIRST_BOOT, mac)
        return until is not None and float(until) > now.timestamp()

    async def close_window(self, mac: str) -> bool:
        """Close the window; True if this call closed it: of several at once only one gets True."""
        return bool(await self._redis.hdel(FIRST_BOOT, mac))
