"""Live state in Redis. The AMI service writes device states and calls in progress, all other processes read them;
switches.py, personal.py and calendars.py write the rest.

    centralka:devices     hash: endpoint -> DeviceState
    centralka:calls       hash: linkedid -> {"tenant", "caller", "dialled", "since"}
    centralka:switches    hash: "<tenant>/<switch>" -> position
    centralka:personal    hash: "<tenant>/<extension>" -> Personal as JSON
    centralka:calendars   hash: "<tenant>/<calendar>" -> what was last found at its address, see calendars.py
    centralka:calendar_tries  hash: "<tenant>/<calendar>" -> when its address was last asked, and why that failed
    centralka:changes     channel: {"devices": {endpoint: state}, "calls": [linkedid, ...], "switches": {field: position},
                          "personal": {field: JSON}, "calendars": {field: JSON}, "all": true after a rewrite}
    centralka:ami:ready   expires unless the AMI service is logged in and can write call records
    centralka:writer      who wrote last; missing after Redis came back empty
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Self

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

DEVICES, CALLS, CHANGES = "centralka:devices", "centralka:calls", "centralka:changes"
SWITCHES, PERSONAL, CALENDARS = "centralka:switches", "centralka:personal", "centralka:calendars"
CALENDAR_TRIES = "centralka:calendar_tries"
READY, WRITER = "centralka:ami:ready", "centralka:writer"
READY_S = 15
SCANNED = 1000                                   # entries of all tenants that one step of a search for a tenant's looks at
LIMIT_S = 3.0                                    # for one exchange with Redis
FIRST_DELAY_S, LONGEST_DELAY_S = 0.2, 5.0
AWAY = (RedisError, OSError, TimeoutError)


@dataclass(frozen=True, slots=True)
class LiveCall:
    """A call in progress."""

    linkedid: str
    tenant: str                                  # '' if its first channel belongs to none
    caller: str                                  # as the caller sent it, like `dialled`
    dialled: str
    since: datetime

    def to_json(self) -> str:
        fields = asdict(self) | {"since": self.since.isoformat()}
        del fields["linkedid"]
        return json.dumps(fields)

    @classmethod
    def from_json(cls, linkedid: str, text: str) -> Self:
        fields = json.loads(text)
        return cls(linkedid=linkedid, **fields | {"since": datetime.fromisoformat(fields["since"])})


class LiveHash:
    """The wanted contents of a hash in Redis. Until the first call of `rewrite`, Redis has the last known contents."""

    def __init__(self, key: str, wake: Callable[[], None]) -> None:
        self.key = key
        self.values: dict[str, str] = {}
        self.begun = False
        self._whole, self._changed = False, set[str]()
        self._wake = wake

    def put(self, field: str, value: str | None) -> None:
        """Note a change; None removes the field."""
        if self.values.get(field) == value:
            return
        if value is None:
            del self.values[field]
        else:
            self.values[field] = value
        if self.begun:
            self._changed.add(field)
            self._wake()

    def rewrite(self) -> None:
        """Replace the hash in Redis by `values`."""
        self.begun = self._whole = True
        self._wake()

    def take(self) -> tuple[bool, set[str]]:
        """True if the whole hash must be written, and else the fields to write. They count as written from here on."""
        taken = self._whole, set() if self._whole else self._changed
        self._whole, self._changed = False, set()
        return taken


def connect(url: str) -> Redis:
    """A client for `unix:///path/redis.sock` or `redis://...`; connects at its first use, every wait is limited.

    Disconnects raise; the client never reconnects silently: changes published meanwhile, or earlier writes, would be missing.
    It sends no PING of its own: while the disk is full, Redis refuses PING, but it answers questions.
    """
    return Redis.from_url(url, decode_responses=True, socket_timeout=LIMIT_S, socket_connect_timeout=LIMIT_S,
                          retry=Retry(NoBackoff(), 0))


def stop_if_cancelled() -> None:
    """Call it in a loop around Redis: redis 8.1 may swallow a cancellation that arrives during an exchange."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def calls_in_progress(redis: Redis) -> list[LiveCall]:
    """All tenants' calls, the oldest first. Raises what `AWAY` lists."""
    entries = await redis.hgetall(CALLS)
    calls = [LiveCall.from_json(str(linkedid), str(text)) for linkedid, text in entries.items()]
    return sorted(calls, key=lambda call: call.since)
