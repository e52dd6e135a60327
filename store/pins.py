"""PINs that callers key: how many of a user's were wrong of late, over all calls, in Redis.

    centralka:pins:<tenant>/<extension>   how many were tried since the last right one; expires
"""

import hmac

from redis.asyncio import Redis

from routing.questions import PinIs

TRIES = "centralka:pins:"
MAX_TRIES = 6
LOCKED_S = 3600

_COUNT = """
local tried = redis.call('INCR', KEYS[1])
if tried == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return tried
"""


async def check(redis: Redis, tenant: str, extension: str, keyed: str, pin: str) -> PinIs:
    """Counts first, so that calls at the same time have no more tries than others. Raises what `AWAY` lists."""
    key = f"{TRIES}{tenant}/{extension}"
    if int(await redis.eval(_COUNT, 1, key, LOCKED_S)) > MAX_TRIES:
        return PinIs.LOCKED
    if not pin or not hmac.compare_digest(keyed.encode(), pin.encode()):
        return PinIs.WRONG
    await redis.delete(key)
    return PinIs.RIGHT
