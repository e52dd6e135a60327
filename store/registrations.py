"""Registrations of devices: current and previous addresses. Pure, with a store in Redis, which the AMI service writes.

    centralka:registrations    hash: endpoint -> Registration as JSON
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Self

from redis.asyncio import Redis

REGISTRATIONS = "centralka:registrations"


@dataclass(frozen=True, slots=True)
class Registration:
    """`since`: when the device came to this address, or went; `is_there`: whether it is registered and answers; `before`: the
    address where it was registered before this one, '' for none."""

    address: str
    since: datetime
    is_there: bool = True
    before: str = ""

    def to_json(self) -> str:
        return json.dumps(asdict(self) | {"since": self.since.isoformat()})

    @classmethod
    def from_json(cls, text: str) -> Self:
        values = json.loads(text)
        return cls(**values | {"since": datetime.fromisoformat(values["since"])})


def changes(known: Mapping[str, Registration], found: Mapping[str, str], now: datetime) -> dict[str, Registration]:
    """The registrations to store, by endpoint. `found`: the devices' addresses now."""
    changed: dict[str, Registration] = {}
    for endpoint, address in found.items():
        before = known.get(endpoint)
        if before is None:
            changed[endpoint] = Registration(address, now)
        elif before.address != address:
            changed[endpoint] = Registration(address, now, before=before.address)
        elif not before.is_there:
            changed[endpoint] = replace(before, since=now, is_there=True)
    for endpoint, before in known.items():
        if before.is_there and endpoint not in found:
            changed[endpoint] = replace(before, since=now, is_there=False)
    return changed


async def load(redis: Redis) -> dict[str, Registration]:
    """Of every device that was ever registered. Raises what `store.live.AWAY` lists."""
    found = await redis.hgetall(REGISTRATIONS)
    return {str(endpoint): Registration.from_json(str(text)) for endpoint, text in found.items()}


async def note(redis: Redis, changed: Mapping[str, Registration]) -> None:
    """Raises what `store.live.AWAY` lists."""
    if changed:
        await redis.hset(REGISTRATIONS, mapping={endpoint: each.to_json() for endpoint, each in changed.items()})
