"""Whose turn it is: counters in Redis that every call counts, exactly, and that outlive a restart.

    centralka:turns      hash: "<tenant>/<group>" -> how many calls have come
"""

import random
from collections import defaultdict

from redis.asyncio import Redis

TURNS = "centralka:turns"


class Turns:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._own: dict[str, int] = defaultdict(lambda: random.randrange(1000))  # noqa: S311

    async def take(self, tenant: str, group: str) -> int:
        """How many calls have come before this one."""
        return int(await self._redis.hincrby(TURNS, f"{tenant}/{group}", 1)) - 1

    def take_here(self, tenant: str, group: str) -> int:
        """While Redis is away each process counts for itself, from anywhere: fair enough, and nobody waits."""
        self._own[f"{tenant}/{group}"] += 1
        return self._own[f"{tenant}/{group}"]
