"""State of call records, as the AMI service last saw it, for `centralka status`.

    centralka:records     RecordHealth as JSON; expires after READY_S unless it is renewed
"""

import json
from dataclasses import asdict, dataclass

from redis.asyncio import Redis

from store.live import READY_S

RECORDS = "centralka:records"


@dataclass(frozen=True, slots=True)
class RecordHealth:
    """Bytes are of the file system that holds the CEL file; `reserved` of them are kept for events of calls alone."""

    losses: int                  # since the file of losses was last deleted
    losses_file: str
    waiting: int                 # records of ended calls that wait for the database
    database: str                # why they wait, '' while the database works
    missed: int                  # events that the CEL file lacks and that were taken from AMI, since the AMI service started
    missed_at: str               # the last one of them, or ''
    folder: str
    free: int
    wanted_free: int             # less is a problem
    reserved: int
    reserve_problem: str         # why no more is reserved, or ''


async def put(redis: Redis, health: RecordHealth) -> None:
    """Raises what store.live.AWAY lists."""
    await redis.set(RECORDS, json.dumps(asdict(health)), ex=READY_S)


async def get(redis: Redis) -> RecordHealth | None:
    """None while no AMI service runs. Raises what store.live.AWAY lists, and ValueError or TypeError for another version's."""
    text = await redis.get(RECORDS)
    return RecordHealth(**json.loads(text)) if text else None
