"""External calls of each tenant, counted exactly however many begin at once, and their duration each day.

An incoming call holds one place while it is in progress; each external number that is called holds one from the decision to
call it until its leg ends. Both are leases, which the AMI service renews for the calls it sees: a place that is not freed,
whichever process was killed, is free after LEASE_S; while the AMI service is down for longer, no call is refused for a
line.

    centralka:lines:<tenant>         sorted set: place -> end of the lease, Unix ms. A place is "<call>", "<call>|<call>" of
                                     one that joined it, or "<call>/<user>/<number>/<channel>/<state>/<Unix ms>" of a number
                                     outside: which channel called it in which state, and when
    centralka:outside:<tenant>:<day> hash: user -> seconds of calls outside that ended on that day, of all users under ""
    centralka:timed:<tenant>:<day>   set: the calls that are in it
    centralka:stopped                hash: "<tenant>/<user>", or "<tenant>/" for all -> why no call goes outside
    centralka:countries              set: "<tenant>/<country>" that a person has confirmed
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from routing.call.admission import NOBODY, Limit, reasons_of
from routing.call.effects import Admit
from routing.call.reasons import read_reasons, reason_text
from store.live import SCANNED

log = structlog.get_logger()

STOPPED, COUNTRIES = "centralka:stopped", "centralka:countries"
LEASE_S = 30
RENEW_S = 10                 # what is as it was; changes at once
KEEP_S = 3 * 86_400

# KEYS: lines, outside, stopped. ARGV: call, user or '', 1 if nothing refuses it, 1 for an outgoing call, tenant, lease in
# ms, then the caps: lines, calls of the user, of the tenant, seconds of the user, of the tenant; 0 for no limit; then the
# number called, the channel that calls and its state. The same as routing/call/admission.py decides.
_ADMIT = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local call, user, outgoing, channel, state = ARGV[1], ARGV[2], ARGV[4] == '1', ARGV[13], ARGV[14]
local place = outgoing and table.concat({call, user, ARGV[12], channel, state, ''}, '/') or call
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 3600000)
local held, all, own, out = nil, 0, 0, 0
for _, each in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], now, '+inf')) do
  local of, whose, by, when = string.match(each, '^([^/]+)/([^/]*)/[^/]*/([^/]+)/(.*)/%d+$')
  if each == place or outgoing and string.sub(each, 1, #place) == place then
    held = each
  elseif outgoing and of == call and by == channel and when ~= state then
    redis.call('ZREM', KEYS[1], each)
  else
    all = all + 1
    if of then out = out + 1 end
    if whose == user then own = own + 1 end
  end
end
local function admit()
  redis.call('ZADD', KEYS[1], now + ARGV[6], held or (outgoing and place .. now or place))
  redis.call('EXPIRE', KEYS[1], 86400)
  return ''
end
if ARGV[3] == '1' or held then return admit() end
local function stopped(whose) return redis.call('HEXISTS', KEYS[3], ARGV[5] .. '/' .. whose) == 1 end
if outgoing and (stopped(user) or stopped('')) then return 'stopped' end
local function full(cap, found) return tonumber(cap) > 0 and found >= tonumber(cap) end
if full(ARGV[7], all) then return 'lines' end
if not outgoing then return admit() end
if user ~= '' and full(ARGV[8], own) then return 'user_calls' end
if full(ARGV[9], out) then return 'tenant_calls' end
local function talked(whose) return tonumber(redis.call('HGET', KEYS[2], whose) or '0') end
if user ~= '' and full(ARGV[10], talked(user)) then return 'user_minutes' end
if full(ARGV[11], talked('')) then return 'tenant_minutes' end
return admit()
"""
# KEYS: lines, outside, timed. ARGV: call, how long to keep, then the user or '' and the seconds outside, of each who pays.
_END = """
for _, each in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if string.match(each, '^[^/|]+') == ARGV[1] then redis.call('ZREM', KEYS[1], each) end
end
if #ARGV < 3 or redis.call('SADD', KEYS[3], ARGV[1]) == 0 then return 0 end
for i = 3, #ARGV, 2 do
  redis.call('HINCRBY', KEYS[2], ARGV[i], ARGV[i + 1])
  if ARGV[i] ~= '' then redis.call('HINCRBY', KEYS[2], '', ARGV[i + 1]) end
end
for i = 2, 3 do redis.call('EXPIRE', KEYS[i], ARGV[2]) end
return 0
"""
# KEYS: lines. ARGV: lease in ms, then a Seen as JSON. A place for a leg is missing if Redis was unavailable when it was called.
_RENEW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local seen, ends = cjson.decode(ARGV[2]), now + ARGV[1]
local up, legs = {}, {}
for _, call in ipairs(seen.calls) do up[call] = true end
for _, leg in ipairs(seen.legs) do legs[leg] = false end
for _, each in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local call, rest = string.match(each, '^([^/|]+)(.*)$')
  if seen.joined[call] then
    redis.call('ZREM', KEYS[1], each)
    if rest == '' then rest = '|' .. call end
    call = seen.joined[call]
    each = call .. rest
    redis.call('ZADD', KEYS[1], ends, each)
  end
  local leg = string.match(rest, '^/[^/]*/[^/]*')
  local taken = string.match(rest, '/(%d+)$')
  if not leg then
    if up[call] then redis.call('ZADD', KEYS[1], 'XX', ends, each) end
  elseif legs[call .. leg] ~= nil then
    legs[call .. leg] = true
    redis.call('ZADD', KEYS[1], 'XX', ends, each)
  elseif seen.over[call .. leg] and tonumber(taken) <= seen.over[call .. leg] then
    redis.call('ZREM', KEYS[1], each)
  end
end
for leg, has in pairs(legs) do
  if not has then redis.call('ZADD', KEYS[1], ends, leg .. '/seen//' .. now) end
end
redis.call('EXPIRE', KEYS[1], 86400)
return 0
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """A tenant's calls as the AMI service sees them: the calls in progress, the calls that became part of others, and of the
    external numbers, "<call>/<user>/<number>", those whose legs are up and the end of the last leg of others, Unix ms."""

    calls: Sequence[str] = ()
    joined: Mapping[str, str] = field(default_factory=dict)
    legs: Sequence[str] = ()
    over: Mapping[str, int] = field(default_factory=dict)


class Lines:
    """Everything raises what store.live.AWAY lists."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._admit, self._end, self._renew = (redis.register_script(text) for text in (_ADMIT, _END, _RENEW))

    async def admit(self, tenant: str, call: str, decision: str, asked: Admit) -> Limit:
        """Takes a place for the call, unless a limit refuses it. `decision` is "<channel>/<state>"; a repeated request for it
        takes no second place. When a day's minutes are used up, further calls are stopped until a person releases them."""
        limits, user = asked.limits, asked.extension
        channel, _, state = decision.partition("/")
        limit = Limit(str(await self._admit(
            keys=[lines_key(tenant), outside_key(tenant, asked.day), STOPPED],
            args=[call, user, int(asked.anyway), int(asked.outgoing), tenant, (LEASE_S + asked.after_s) * 1000, limits.lines,
                  limits.user_calls, limits.tenant_calls, limits.user_minutes * 60, limits.tenant_minutes * 60, asked.number,
                  channel, state])))
        if limit in (Limit.USER_MINUTES, Limit.TENANT_MINUTES):
            whose = user if limit is Limit.USER_MINUTES else NOBODY
            why = reason_text(reasons_of(limit, limits, user))
            await self.stop(tenant, whose, why)
            log.warning("external_calls_stopped", tenant=tenant, extension=whose, limit=limit, call=call)
        return limit

    async def ended(self, tenant: str, call: str, day: str, outside_s: Mapping[str, int], pipeline: Pipeline) -> None:
        """Frees the call's places and adds its external talk time, by the user who pays, to the day. A repeated call changes
        nothing."""
        talked = [each for user, seconds in outside_s.items() if seconds > 0 for each in (user, seconds)]
        await self._end(
            keys=[lines_key(tenant), outside_key(tenant, day), f"centralka:timed:{tenant}:{day}"],
            args=[call, KEEP_S, *talked], client=pipeline)

    async def renew(self, tenant: str, seen: Seen) -> None:
        await self._renew(keys=[lines_key(tenant)], args=[LEASE_S * 1000, json.dumps(asdict(seen))])

    async def stop(self, tenant: str, user: str, why: str) -> None:
        """Stop external calls of the user, or with NOBODY of the whole tenant, until they are released."""
        await self._redis.hset(STOPPED, f"{tenant}/{user}", f"{time.strftime('%F %H:%M UTC', time.gmtime())}: {why}")

    async def release(self, tenant: str, user: str, day: str) -> bool:
        """Allow external calls again; True if they were stopped. The day's talk time no longer counts."""
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.hdel(STOPPED, f"{tenant}/{user}")
            if user == NOBODY:
                pipeline.delete(outside_key(tenant, day))
            else:
                pipeline.hdel(outside_key(tenant, day), user)
            found, _ = await pipeline.execute()
        return bool(found)

    async def is_stopped(self, tenant: str) -> bool:
        """True if the whole tenant is stopped."""
        return bool(await self._redis.hexists(STOPPED, f"{tenant}/{NOBODY}"))

    async def stopped(self) -> dict[str, str]:
        """The stops and their reasons, by '<tenant>/<user>' or '<tenant>/'."""
        return {str(field): _in_words(str(text)) for field, text in (await self._redis.hgetall(STOPPED)).items()}

    async def knows_country(self, tenant: str, country: str) -> bool:
        return bool(await self._redis.sismember(COUNTRIES, f"{tenant}/{country}"))

    async def countries(self, tenant: str) -> frozenset[str]:
        """The countries that a person has confirmed."""
        found = self._redis.sscan_iter(COUNTRIES, match=f"{tenant}/*", count=SCANNED)
        return frozenset([str(each).partition("/")[2] async for each in found])

    async def add_country(self, tenant: str, country: str) -> bool:
        await self._redis.sadd(COUNTRIES, f"{tenant}/{country}")
        return True


def _in_words(text: str) -> str:
    """The moment when calls were stopped, and the reason."""
    from routing.call.english import in_english  # for a person's eyes: no decision needs it

    moment, _, why = text.partition(": ")
    return f"{moment}: {in_english(read_reasons(why))}"


def lines_key(tenant: str) -> str:
    return f"centralka:lines:{tenant}"


def outside_key(tenant: str, day: str) -> str:
    return f"centralka:outside:{tenant}:{day}"
