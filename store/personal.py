"""What users have set, in Redis. Followers are told of each change.

    centralka:personal                   hash: "<tenant>/<extension>" -> Personal as JSON; missing where nothing is set
    centralka:paused:<tenant>/<decision> what a call's decision has made of a user's pause; expires
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from routing.call.effects import GOES_ON, PAUSES
from routing.call.facts import NOTHING_SET, Forwarding, Personal
from routing.tenant.settings import pause_flipped
from store.live import CHANGES, PERSONAL

REMEMBERED_S = 120           # far longer than the step loop goes on asking for a decision

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
    text = await redis.hget(PERSONAL, f"{tenant}/{extension}")
    return from_json(str(text)) if text else NOTHING_SET


async def change(redis: Redis, tenant: str, extension: str, changed: Callable[[Personal], Personal]) -> Personal:
    """What the user has set afterwards. Two changes at a time both count. Raises what `AWAY` lists."""
    field = f"{tenant}/{extension}"

    async def put(pipeline: Pipeline) -> Personal:
        return await _changed(pipeline, field, changed)

    after: Personal = await redis.transaction(put, PERSONAL, value_from_callable=True)
    return after


async def flip_pause(redis: Redis, tenant: str, extension: str, decision: str) -> int:
    """PAUSES or GOES_ON, what the user does afterwards; once for each decision. Raises what `AWAY` lists."""
    field, known = f"{tenant}/{extension}", f"centralka:paused:{tenant}/{decision}"

    async def put(pipeline: Pipeline) -> int:
        if (before := await pipeline.get(known)) is not None:
            return int(before)
        found = PAUSES if (await _changed(pipeline, field, pause_flipped)).paused else GOES_ON
        pipeline.set(known, found, ex=REMEMBERED_S)
        return found

    found: int = await redis.transaction(put, PERSONAL, known, value_from_callable=True)
    return found


async def _changed(pipeline: Pipeline, field: str, changed: Callable[[Personal], Personal]) -> Personal:
    """What is set afterwards: it is put where the transaction, which watches PERSONAL, ends."""
    text = await pipeline.hget(PERSONAL, field)
    after = changed(from_json(str(text)) if text else NOTHING_SET)
    pipeline.multi()  # type: ignore[no-untyped-call]
    if after == NOTHING_SET:
        pipeline.hdel(PERSONAL, field)
    else:
        pipeline.hset(PERSONAL, field, to_json(after))
    pipeline.publish(CHANGES, json.dumps({"personal": {field: to_json(after)}}))
    return after
