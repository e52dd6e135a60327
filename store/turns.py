"""Turn counters of groups, in Redis: every call counts exactly once, across restarts.

    centralka:turns                              hash: "<tenant>/<group>" -> how many calls have come
    centralka:turned:<tenant>/<group>/<decision> the turn of a call's decision, which may ask again; expires
"""

import random
from collections import defaultdict

from redis.asyncio import Redis

TURNS = "centralka:turns"
REMEMBERED_S = 120           # far longer than the step loop goes on asking for a decision

_TAKE = """
local known = redis.call('GET', KEYS[2])
if known then return tonumber(known) end
local turn = redis.call('HINCRBY', KEYS[1], ARGV[1], 1) - 1
redis.call('SET', KEYS[2], turn, 'EX', ARGV[2])
return turn
"""


class Turns:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._own: dict[str, int] = defaultdict(lambda: random.randrange(1000))  # noqa: S311

    async def take(self, tenant: str, group: str, decision: str) -> int:
        """The number of calls before this one: the same number each time that a decision asks."""
        field = f"{tenant}/{group}"
        return int(await self._redis.eval(_TAKE, 2, TURNS, f"centralka:turned:{field}/{decision}", field, REMEMBERED_S))

    def take_here(self, tenant: str, group: str) -> int:
        """Without Redis each process counts by itself from a random start: fair enough, and no call waits."""
        self._own[f"{tenant}/{group}"] += 1
        return self._own[f"{tenant}/{group}"]
