"""The calls of each tenant with the outside, counted exactly however many begin at once, and how long they took each day.

A call holds its place by a lease: the AMI service renews those of calls in progress and ends those of calls that are over. So a
place that nobody gives back, whichever process was killed, is free after LEASE_S; and while the AMI service is away for longer,
no call is refused for a line.

    centralka:lines:<tenant>         sorted set: "<call>", or "<call>/<user>" for an outgoing one -> end of the lease, Unix ms
    centralka:outside:<tenant>:<day> hash: user -> seconds of calls outside that ended on that day, of all users under ""
    centralka:stopped                hash: "<tenant>/<user>", or "<tenant>/" for all -> why no call goes outside
    centralka:countries              set: "<tenant>/<country>" that somebody has confirmed
"""

import time
from collections.abc import Mapping, Sequence

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from routing.admission import NOBODY, Caps, Limit, in_words

log = structlog.get_logger()

STOPPED, COUNTRIES = "centralka:stopped", "centralka:countries"
LEASE_S = 30
RENEW_S = 10
KEEP_S = 3 * 86_400

# KEYS: lines, outside, stopped. ARGV: call, user or '', 1 where nothing refuses it, 1 for an outgoing call, tenant, lease in
# ms, then the caps: lines, calls of the user, of the tenant, seconds of the user, of the tenant; 0 for no limit.
# The same as routing/admission.py decides.
_ADMIT = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local user, outgoing = ARGV[2], ARGV[4] == '1'
local member = ARGV[1] .. (outgoing and '/' .. user or '')
local function admit()
  redis.call('ZADD', KEYS[1], now + ARGV[6], member)
  redis.call('EXPIRE', KEYS[1], 86400)
  return ''
end
if ARGV[3] == '1' or redis.call('ZSCORE', KEYS[1], member) then return admit() end
local function stopped(whose) return redis.call('HEXISTS', KEYS[3], ARGV[5] .. '/' .. whose) == 1 end
if outgoing and (stopped(user) or stopped('')) then return 'stopped' end
local all, own, out = redis.call('ZRANGEBYSCORE', KEYS[1], now, '+inf'), 0, 0
for _, each in ipairs(all) do
  local whose = string.match(each, '/(.*)$')
  if whose then out = out + 1 end
  if whose == user then own = own + 1 end
end
local function full(cap, found) return tonumber(cap) > 0 and found >= tonumber(cap) end
if full(ARGV[7], #all) then return 'lines' end
if not outgoing then return admit() end
if full(ARGV[8], own) then return 'user_calls' end
if full(ARGV[9], out) then return 'tenant_calls' end
if full(ARGV[10], tonumber(redis.call('HGET', KEYS[2], user) or '0')) then return 'user_minutes' end
if full(ARGV[11], tonumber(redis.call('HGET', KEYS[2], '') or '0')) then return 'tenant_minutes' end
return admit()
"""
# KEYS: lines, outside. ARGV: seconds that the call's legs outside talked, how long to keep, then the call and its parts.
# Each user who has called outside in it is charged once.
_END = """
local over, charged = {}, {}
for i = 3, #ARGV do over[ARGV[i]] = true end
for _, each in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local call, user = string.match(each, '^([^/]+)/?(.*)$')
  if over[call] then
    redis.call('ZREM', KEYS[1], each)
    if each ~= call and not charged[user] and tonumber(ARGV[1]) > 0 then
      charged[user] = true
      redis.call('HINCRBY', KEYS[2], user, ARGV[1])
      if user ~= '' then redis.call('HINCRBY', KEYS[2], '', ARGV[1]) end
      redis.call('EXPIRE', KEYS[2], ARGV[2])
    end
  end
end
return 0
"""
# KEYS: lines. ARGV: lease in ms, then the calls in progress.
_RENEW = """
local time = redis.call('TIME')
local ends = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[1]
local up = {}
for i = 2, #ARGV do up[ARGV[i]] = true end
for _, each in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if up[string.match(each, '^[^/]+')] then redis.call('ZADD', KEYS[1], 'XX', ends, each) end
end
return 0
"""


class Lines:
    """Everything raises what store.live.AWAY lists."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._admit, self._end, self._renew = (redis.register_script(text) for text in (_ADMIT, _END, _RENEW))

    async def admit(
        self, tenant: str, call: str, day: str, limits: Caps, user: str, *, outgoing: bool, anyway: bool,
    ) -> Limit:
        """Takes a place for the call, unless a limit refuses it. Asked again for the same call it takes no other. Where the
        minutes of a day are over, further calls are stopped until somebody releases them."""
        limit = Limit(str(await self._admit(
            keys=[lines_key(tenant), outside_key(tenant, day), STOPPED],
            args=[call, user, int(anyway), int(outgoing), tenant, LEASE_S * 1000, limits.lines, limits.user_calls,
                  limits.tenant_calls, limits.user_minutes * 60, limits.tenant_minutes * 60])))
        if limit in (Limit.USER_MINUTES, Limit.TENANT_MINUTES):
            whose = user if limit is Limit.USER_MINUTES else NOBODY
            why = in_words(limit, limits, user)
            await self.stop(tenant, whose, why)
            log.warning("calls outside are stopped", tenant=tenant, extension=whose, why=why, call=call)
        return limit

    async def ended(self, tenant: str, calls: Sequence[str], day: str, outside_s: int, pipeline: Pipeline) -> None:
        """The places of the call, and of those that have become part of it, are free, and what was talked outside counts for
        the day. Told again it counts no more."""
        await self._end(
            keys=[lines_key(tenant), outside_key(tenant, day)], args=[outside_s, KEEP_S, *calls], client=pipeline)

    async def renew(self, calls: Mapping[str, Sequence[str]]) -> None:
        """Of the calls in progress, by tenant."""
        for tenant, up in calls.items():
            await self._renew(keys=[lines_key(tenant)], args=[LEASE_S * 1000, *up])

    async def stop(self, tenant: str, user: str, why: str) -> None:
        """No call of the user's, or with NOBODY of the tenant's, goes outside until it is released."""
        await self._redis.hset(STOPPED, f"{tenant}/{user}", f"{time.strftime('%F %H:%M UTC', time.gmtime())}: {why}")

    async def release(self, tenant: str, user: str, day: str) -> bool:
        """Whether it was stopped. What was talked on that day counts no more."""
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.hdel(STOPPED, f"{tenant}/{user}")
            if user == NOBODY:
                pipeline.delete(outside_key(tenant, day))
            else:
                pipeline.hdel(outside_key(tenant, day), user)
            found, _ = await pipeline.execute()
        return bool(found)

    async def stopped(self) -> dict[str, str]:
        """Why, by '<tenant>/<user>' or '<tenant>/'."""
        return {str(field): str(why) for field, why in (await self._redis.hgetall(STOPPED)).items()}

    async def knows_country(self, tenant: str, country: str) -> bool:
        return bool(await self._redis.sismember(COUNTRIES, f"{tenant}/{country}"))

    async def countries(self, tenant: str) -> frozenset[str]:
        """Those that somebody has confirmed."""
        pairs = (str(each).partition("/") for each in await self._redis.smembers(COUNTRIES))
        return frozenset(country for owner, _, country in pairs if owner == tenant)

    async def add_country(self, tenant: str, country: str) -> bool:
        await self._redis.sadd(COUNTRIES, f"{tenant}/{country}")
        return True


def lines_key(tenant: str) -> str:
    return f"centralka:lines:{tenant}"


def outside_key(tenant: str, day: str) -> str:
    return f"centralka:outside:{tenant}:{day}"
