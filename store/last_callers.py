"""Last caller of each user, answered or missed, from the calls that have ended.

    centralka:last_callers   hash: "<tenant>/<extension>" -> "<when the call began, Unix time in ms> <number as it was shown>"
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from redis.asyncio import Redis

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


async def note(redis: Redis, calls: Iterable[CallForUsers]) -> None:
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
