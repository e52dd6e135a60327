"""Calls of each user, as group algorithms and the code that calls back need them.

Talk time today, the end of the last call and the last caller, answered or missed: from the call records, each call once,
however often reported. Offers reserve a group's member, so that two calls that decide at the same time do not both ring the
same member while others are free; they expire by themselves.

    centralka:loads:<tenant>:<day>           hash: "<extension>:calls", "<extension>:talk_ms"
    centralka:counted:<tenant>:<day>         set: the calls that are in it
    centralka:offers:<tenant>/<extension>    sorted set: call -> when the offer expires, Unix time in ms
    centralka:last_callers                   hash: "<tenant>/<extension>" -> "<begin of the call, Unix ms> <number as shown>"
    centralka:ended                          hash: "<tenant>/<extension>" -> when the last conversation ended, Unix time in ms
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from redis.asyncio import Redis

from routing.call.questions import UserLoad
from store.lines import Lines

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


ENDED = "centralka:ended"
KEEP_S = 3 * 86_400          # a day's counts are read on that day; late records of the day before may still come

# KEYS: counted, loads, ended, then the offers that end with the call. ARGV: call, tenant, how long to keep, then for each
# conversation the extension, the length in ms, the end in ms.
_COUNT = """
local first = redis.call('SADD', KEYS[1], ARGV[1]) == 1
for i = 4, #ARGV, 3 do
  local user, ended = ARGV[2] .. '/' .. ARGV[i], tonumber(ARGV[i + 2])
  if ended > tonumber(redis.call('HGET', KEYS[3], user) or '0') then redis.call('HSET', KEYS[3], user, ARGV[i + 2]) end
  if first then
    redis.call('HINCRBY', KEYS[2], ARGV[i] .. ':calls', 1)
    redis.call('HINCRBY', KEYS[2], ARGV[i] .. ':talk_ms', ARGV[i + 1])
  end
end
for i = 1, 2 do redis.call('EXPIRE', KEYS[i], ARGV[3]) end
for i = 4, #KEYS do redis.call('ZREM', KEYS[i], ARGV[1]) end
return 0
"""


@dataclass(frozen=True, slots=True)
class Conversation:
    """The time that one user talked in a call."""

    extension: str
    began_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Conversations:
    """The load that an ended call adds to its users. `day` is the local day on which it ended, as 2026-11-23."""

    tenant: str
    call: str
    day: str
    had: tuple[Conversation, ...]
    rung: frozenset[str]             # extensions; none of them is offered the call any more
    outside_s: Mapping[str, int] = field(default_factory=dict)      # that its legs outside talked, by the user who pays or ''


class LoadStore:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._count = redis.register_script(_COUNT)
        self._lines = Lines(redis)

    async def count(self, ended: Sequence[Conversations]) -> None:
        """Raises what store.live.AWAY lists; the caller then tries again."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            for call in ended:
                keys = [f"centralka:counted:{call.tenant}:{call.day}", f"centralka:loads:{call.tenant}:{call.day}", ENDED]
                keys += [offers_key(call.tenant, extension) for extension in sorted(call.rung)]
                arguments: list[str | int] = [call.call, call.tenant, KEEP_S]
                for each in call.had:
                    talk_ms = round((each.ended_at - each.began_at).total_seconds() * 1000)
                    arguments += [each.extension, max(talk_ms, 0), round(each.ended_at.timestamp() * 1000)]
                await self._count(keys=keys, args=arguments, client=pipeline)
                await self._lines.ended(call.tenant, call.call, call.day, call.outside_s, pipeline)
            await pipeline.execute()

    async def loads(self, tenant: str, extensions: Sequence[str], day: str) -> tuple[UserLoad, ...]:
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.hmget(
                f"centralka:loads:{tenant}:{day}",
                [f"{extension}:{what}" for extension in extensions for what in ("calls", "talk_ms")])
            pipeline.hmget(ENDED, [f"{tenant}/{extension}" for extension in extensions])
            counts, ended = await pipeline.execute()
        return tuple(
            UserLoad(int(calls or 0), int(talk_ms or 0) // 1000, int(ended_ms or 0) / 1000)
            for calls, talk_ms, ended_ms in zip(counts[::2], counts[1::2], ended, strict=True))


LAST_CALLERS = "centralka:last_callers"

# KEYS: the hash. ARGV: the call's beginning, what to keep, then the fields. A call that began before the one that is kept
# changes nothing.
_NOTE = """
for i = 3, #ARGV do
  local found = redis.call('HGET', KEYS[1], ARGV[i])
  if not found or tonumber(string.match(found, '^%d+')) <= tonumber(ARGV[1]) then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[2])
  end
end
return 0
"""


@dataclass(frozen=True, slots=True)
class CallForUsers:
    """An ended call, and the users whom it was for or whose phones rang."""

    tenant: str
    caller: str
    began_at: datetime
    extensions: frozenset[str]


async def note_callers(redis: Redis, calls: Iterable[CallForUsers]) -> None:
    """Raises what store.live.AWAY lists; to note a call twice does no harm."""
    async with redis.pipeline(transaction=False) as pipeline:
        for call in calls:
            began_ms = round(call.began_at.timestamp() * 1000)
            if fields := [f"{call.tenant}/{extension}" for extension in sorted(call.extensions)]:
                pipeline.eval(_NOTE, 1, LAST_CALLERS, began_ms, f"{began_ms} {call.caller}", *fields)
        await pipeline.execute()


async def last_caller(redis: Redis, tenant: str, extension: str) -> str:
    """The number, '' for none. Raises what store.live.AWAY lists."""
    return str(await redis.hget(LAST_CALLERS, f"{tenant}/{extension}") or "").partition(" ")[2]
