"""Reservations of group members in Redis, so that two calls that decide at the same time do not both ring the same member
while others are free. They expire by themselves.

    centralka:offers:<tenant>/<extension>    sorted set: call -> when the offer expires, Unix time in ms
"""

import time
from collections import defaultdict
from collections.abc import Sequence

from redis.asyncio import Redis

# KEYS: of those in order, then of the call's previous member. ARGV: call, how long in ms, how many of KEYS are in order.
_OFFER = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local many = tonumber(ARGV[3])
for i = many + 1, #KEYS do redis.call('ZREM', KEYS[i], ARGV[1]) end
local chosen, fewest = 0, math.huge
for i = 1, many do
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now)
  local offers = redis.call('ZCARD', KEYS[i])
  if offers < fewest then chosen, fewest = i, offers end
  if offers == 0 then break end
end
if chosen > 0 then
  redis.call('ZADD', KEYS[chosen], now + ARGV[2], ARGV[1])
  if redis.call('PTTL', KEYS[chosen]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[chosen], ARGV[2]) end
end
return chosen
"""


def offers_key(tenant: str, extension: str) -> str:
    return f"centralka:offers:{tenant}/{extension}"


class Offers:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._offer = redis.register_script(_OFFER)
        self._own: dict[str, dict[str, float]] = defaultdict(dict)       # key -> call -> when the offer expires, monotonic

    async def offer(self, tenant: str, call: str, order: Sequence[str], for_s: int, before: str) -> int:
        """The place in `order` of the first member with no offer of another call, or else with the fewest. Ends the offer of
        `before`, unless that is ''."""
        keys = [offers_key(tenant, extension) for extension in (*order, *([before] if before else []))]
        return max(0, int(await self._offer(keys=keys, args=[call, for_s * 1000, len(order)])) - 1)

    async def withdraw(self, tenant: str, call: str, holder: str) -> bool:
        """Ends the holder's offer of the call; always True."""
        await self._redis.zrem(offers_key(tenant, holder), call)
        return True

    def withdraw_here(self, tenant: str, call: str, holder: str) -> bool:
        self._own[offers_key(tenant, holder)].pop(call, None)
        return True

    def offer_here(self, tenant: str, call: str, order: Sequence[str], for_s: int, before: str) -> int:
        """Without Redis each process knows only its own offers, so that simultaneous calls do not all ring the first member."""
        now = time.monotonic()
        self._own[offers_key(tenant, before)].pop(call, None)
        known = [self._own[offers_key(tenant, extension)] for extension in order]
        for offers in known:
            for other in [other for other, expires in offers.items() if expires <= now]:
                del offers[other]
        chosen = min(range(len(order)), key=lambda place: len(known[place]))
        known[chosen][call] = now + for_s
        return chosen
