"""Positions of tenants' switches, in Redis. Each change is published to followers.

    centralka:switches                    hash: "<tenant>/<switch>" -> position
    centralka:flipped:<tenant>/<decision> the place that a call's decision moved a switch to; expires
"""

import asyncio
import json

import structlog
from redis.asyncio import Redis

from routing.call.effects import NOT_CHANGED, Flip
from store.live import AWAY, CHANGES, SCANNED, SWITCHES

log = structlog.get_logger()

LIMIT_S = 0.5                # a caller waits meanwhile
REMEMBERED_S = 120           # far longer than the step loop goes on asking for a decision

_FLIP = """
local known = redis.call('GET', KEYS[2])
if known then return tonumber(known) end
local positions, standing = cjson.decode(ARGV[2]), redis.call('HGET', KEYS[1], ARGV[1])
local place = tonumber(ARGV[3])
for i, position in ipairs(positions) do if position == standing then place = i end end
place = place % #positions
redis.call('HSET', KEYS[1], ARGV[1], positions[place + 1])
redis.call('SET', KEYS[2], place, 'EX', ARGV[4])
redis.call('PUBLISH', ARGV[5], cjson.encode({switches = {[ARGV[1]] = positions[place + 1]}}))
return place
"""


async def positions(redis: Redis, tenant: str) -> dict[str, str]:
    """The positions of the tenant's switches, by name; switches that were never moved are missing. Raises what `AWAY` lists."""
    found = redis.hscan_iter(SWITCHES, match=f"{tenant}/*", count=SCANNED)
    return {str(field).partition("/")[2]: str(position) async for field, position in found}


async def put(redis: Redis, tenant: str, switch: str, position: str) -> None:
    """Raises what `AWAY` lists; then nothing may have changed."""
    field = f"{tenant}/{switch}"
    async with redis.pipeline(transaction=True) as pipeline:
        pipeline.hset(SWITCHES, field, position)
        pipeline.publish(CHANGES, json.dumps({"switches": {field: position}}))
        await pipeline.execute()


async def flip(redis: Redis, tenant: str, question: Flip, decision: str) -> int:
    """Moves the switch to its next position, once for each decision, and returns its place; NOT_CHANGED without Redis."""
    field, known = f"{tenant}/{question.switch}", f"centralka:flipped:{tenant}/{decision}"
    before = question.positions.index(question.initial) + 1
    try:
        async with asyncio.timeout(LIMIT_S):
            return int(await redis.eval(
                _FLIP, 2, SWITCHES, known, field, json.dumps(question.positions), before, REMEMBERED_S, CHANGES))
    except AWAY as error:
        log.warning("switch_not_moved", problem=str(error), field=field)
        return NOT_CHANGED
