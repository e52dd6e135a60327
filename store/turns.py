"""Whose turn it is: counters in Redis that every call counts, exactly, and that outlive a restart.

    centralka:turns      hash: "<tenant>/<group>" -> how many calls have come
"""

import asyncio
import random
from collections import defaultdict

import structlog
from redis.asyncio import Redis

from store.live import AWAY

log = structlog.get_logger()

TURNS = "centralka:turns"
LIMIT_S = 0.3                # a caller waits meanwhile


class Turns:
    """While Redis is away each process counts for itself, from anywhere: fair enough, and nobody waits."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._own: dict[str, int] = defaultdict(lambda: random.randrange(1000))  # noqa: S311

    async def take(self, tenant: str, group: str) -> int:
        """How often a call has come to the group before; counts this one."""
        field = f"{tenant}/{group}"
        try:
            async with asyncio.timeout(LIMIT_S):
                return int(await self._redis.hincrby(TURNS, field, 1)) - 1
        except AWAY as error:
            log.warning("redis away; turns are counted here", problem=str(error), field=field)
            self._own[field] += 1
            return self._own[field]
