"""Banned addresses, from which SIP passwords were guessed. The AMI service writes them; a command removes them.

    centralka:bans        hash: address or IPv6 network -> Ban as JSON; one that is over stays for a day: the next is longer
    centralka:guessed     hash: address of a registered device, or account -> wrong passwords lately; rewritten as it changes
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from redis.asyncio import Redis

BANS, GUESSED = "centralka:bans", "centralka:guessed"
REMEMBERED: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Ban:
    """`accounts`: the last few that were guessed at. `times`: bans of this address within a day, including this one."""

    since: datetime
    until: datetime
    accounts: tuple[str, ...] = ()
    times: int = 1

    def to_json(self) -> str:
        return json.dumps(asdict(self) | {"since": self.since.isoformat(), "until": self.until.isoformat()})

    @classmethod
    def from_json(cls, text: str) -> Self:
        values = json.loads(text)
        return cls(datetime.fromisoformat(values["since"]), datetime.fromisoformat(values["until"]),
                   tuple(values["accounts"]), values["times"])


async def load_bans(redis: Redis) -> dict[str, Ban]:
    """Raises what `store.live.AWAY` lists."""
    found = await redis.hgetall(BANS)
    return {str(address): Ban.from_json(str(text)) for address, text in found.items()}


async def put_bans(redis: Redis, changed: Mapping[str, Ban | None]) -> None:
    """Writes bans; None removes one. Raises what `store.live.AWAY` lists."""
    for address, ban in changed.items():
        if ban is None:
            await redis.hdel(BANS, address)
        else:
            await redis.hset(BANS, address, ban.to_json())


async def release_ban(redis: Redis, address: str) -> bool:
    """False if the address was not banned. Raises what `store.live.AWAY` lists."""
    return bool(await redis.hdel(BANS, address))


async def put_guessed(redis: Redis, guessed: Mapping[str, int]) -> None:
    """Replaces all. Raises what `store.live.AWAY` lists."""
    async with redis.pipeline(transaction=True) as pipeline:
        pipeline.delete(GUESSED)
        if guessed:
            pipeline.hset(GUESSED, mapping={name: str(count) for name, count in guessed.items()})
        await pipeline.execute()


async def load_guessed(redis: Redis) -> dict[str, int]:
    """Raises what `store.live.AWAY` lists."""
    return {str(name): int(count) for name, count in (await redis.hgetall(GUESSED)).items()}
