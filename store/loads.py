"""Talk time of each user today, and the end of the last call: from the call records, each call once, however often reported.

    centralka:loads:<tenant>:<day>     hash: "<extension>:calls", "<extension>:talk_ms"
    centralka:counted:<tenant>:<day>   set: the calls that are in it
    centralka:ended                    hash: "<tenant>/<extension>" -> when the last conversation ended, Unix time in ms
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from redis.asyncio import Redis

from routing.call.questions import Load
from store.lines import Lines
from store.offers import offers_key

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

    async def loads(self, tenant: str, extensions: Sequence[str], day: str) -> tuple[Load, ...]:
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.hmget(
                f"centralka:loads:{tenant}:{day}",
                [f"{extension}:{what}" for extension in extensions for what in ("calls", "talk_ms")])
            pipeline.hmget(ENDED, [f"{tenant}/{extension}" for extension in extensions])
            counts, ended = await pipeline.execute()
        return tuple(
            Load(int(calls or 0), int(talk_ms or 0) // 1000, int(ended_ms or 0) / 1000)
            for calls, talk_ms, ended_ms in zip(counts[::2], counts[1::2], ended, strict=True))
