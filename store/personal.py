"""Users' own settings, in Redis. Each change is published to followers.

    centralka:personal                   hash: "<tenant>/<extension>" -> Personal as JSON; missing if nothing is set
    centralka:paused:<tenant>/<decision> what a call's decision has made of a user's pause; expires
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime

from redis.asyncio import Redis

from routing.call.effects import GOES_ON, PAUSES
from routing.call.facts import NOTHING_SET, Forwarding, Personal
from routing.tenant.settings import pause_flipped
from store.live import CHANGES, PERSONAL

REMEMBERED_S = 120           # far longer than the step loop goes on asking for a decision

# KEYS: personal, then the decision's where it has one. ARGV: field, its text before and afterwards, '' for nothing, channel and
# message; then what the decision made of it and for how long that is remembered. The script holds no rule of telephony: other
# users' fields may change meanwhile, this one not.
_PUT = """
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
if KEYS[2] and not redis.call('SET', KEYS[2], ARGV[6], 'EX', ARGV[7], 'NX') then return 0 end
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
end
redis.call('PUBLISH', ARGV[4], ARGV[5])
return 1
"""
_KEYS = frozenset(Personal.__dataclass_fields__)


def to_json(personal: Personal) -> str:
    fields = asdict(personal)
    fields |= {name: sorted(value) for name, value in fields.items() if isinstance(value, frozenset)}
    fields |= {name: value.isoformat() for name, value in fields.items() if isinstance(value, datetime)}
    return json.dumps({name: value for name, value in fields.items() if value})


def from_json(text: str) -> Personal:
    """Raises ValueError for anything that `to_json` never writes."""
    fields = json.loads(text)
    if not isinstance(fields, dict) or not fields.keys() <= _KEYS:
        raise ValueError(f"found {text[:80]!r}, expected some of {', '.join(sorted(_KEYS))}")
    values: dict[str, object] = {}
    for name, value in fields.items():
        match getattr(NOTHING_SET, name), value:
            case bool(), bool():
                values[name] = value
            case frozenset(), list() if all(isinstance(item, str) for item in value):
                values[name] = frozenset(value)
            case dict(), dict() if all(isinstance(item, str) for item in value.values()):
                values[name] = {Forwarding(kind): to for kind, to in value.items()}
            case None, str() if (moment := datetime.fromisoformat(value)).tzinfo:
                values[name] = moment
            case _:
                raise ValueError(f"found {value!r} as {name}")
    return Personal(**values)  # type: ignore[arg-type]


async def read(redis: Redis, tenant: str, extension: str) -> Personal:
    """Raises what `AWAY` lists."""
    return _personal(await _text(redis, tenant, extension))


async def change(redis: Redis, tenant: str, extension: str, changed: Callable[[Personal], Personal]) -> Personal:
    """The user's settings afterwards. Two changes of one user at the same time both count: `changed` is called again with the
    result of the other one. Raises what `AWAY` lists."""
    while True:
        before = await _text(redis, tenant, extension)
        after = changed(_personal(before))
        if await _put(redis, tenant, extension, before, after, keys=(), args=()):
            return after


async def flip_pause(redis: Redis, tenant: str, extension: str, decision: str) -> int:
    """PAUSES or GOES_ON, the user's new pause state; once for each decision. Raises what `AWAY` lists."""
    known = f"centralka:paused:{tenant}/{decision}"
    while True:
        if (decided := await redis.get(known)) is not None:
            return int(decided)
        before = await _text(redis, tenant, extension)
        after = pause_flipped(_personal(before))
        found = PAUSES if after.paused else GOES_ON
        if await _put(redis, tenant, extension, before, after, keys=(known,), args=(found, REMEMBERED_S)):
            return found


async def _text(redis: Redis, tenant: str, extension: str) -> str:
    return str(await redis.hget(PERSONAL, f"{tenant}/{extension}") or "")


def _personal(text: str) -> Personal:
    return from_json(text) if text else NOTHING_SET


async def _put(
    redis: Redis, tenant: str, extension: str, before: str, after: Personal, keys: tuple[str, ...], args: tuple[int, ...],
) -> bool:
    """False if another change came first: of the same user, or of the same decision."""
    field, text = f"{tenant}/{extension}", to_json(after)
    change = json.dumps({"personal": {field: text}})
    kept = "" if after == NOTHING_SET else text
    return bool(await redis.eval(_PUT, 1 + len(keys), PERSONAL, *keys, field, before, kept, CHANGES, change, *args))
