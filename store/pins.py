"""Counts of recent wrong PINs, for each user and each conference room over all calls, in Redis.

    centralka:pins:<tenant>/<extension>                     how many were tried since the last right one; expires
    centralka:pins:<tenant>/room/<room>/<inside, outside>   how many wrong ones were tried; expires
"""

import hmac

from redis.asyncio import Redis

from routing.call.effects import PinIs, TryRoomPin

TRIES = "centralka:pins:"
MAX_TRIES = 6
MAX_ROOM_TRIES = 20
LOCKED_S = 3600

_COUNT = """
local tried = redis.call('INCR', KEYS[1])
if tried == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return tried
"""

# A correct PIN does not reset the count: a caller who knows the members' PIN could try the moderator's without end.
_TRY_ROOM = """
if tonumber(redis.call('GET', KEYS[1]) or '0') >= tonumber(ARGV[1]) then return 0 end
if ARGV[2] == 'wrong' and redis.call('INCR', KEYS[1]) == 1 then redis.call('EXPIRE', KEYS[1], ARGV[3]) end
return 1
"""


async def check(redis: Redis, tenant: str, extension: str, keyed: str, pin: str) -> PinIs:
    """Counts before the check, so that simultaneous calls get no extra tries. Raises what `AWAY` lists."""
    key = f"{TRIES}{tenant}/{extension}"
    if int(await redis.eval(_COUNT, 1, key, LOCKED_S)) > MAX_TRIES:
        return PinIs.LOCKED
    if not pin or not hmac.compare_digest(keyed.encode(), pin.encode()):
        return PinIs.WRONG
    await redis.delete(key)
    return PinIs.RIGHT


def room_key(tenant: str, room: str, *, inside: bool) -> str:
    return f"{TRIES}{tenant}/room/{room}/{'inside' if inside else 'outside'}"


async def may_try_room(redis: Redis, tenant: str, asked: TryRoomPin) -> bool:
    """Raises what `AWAY` lists."""
    key = room_key(tenant, asked.room, inside=asked.inside)
    return bool(await redis.eval(_TRY_ROOM, 1, key, MAX_ROOM_TRIES, "right" if asked.right else "wrong", LOCKED_S))
