"""Live state in Redis: device states and calls in progress. The AMI service writes, everybody else reads.

    centralka:devices     hash: endpoint -> DeviceState
    centralka:calls       hash: linkedid -> {"tenant", "caller", "dialled", "since"}
    centralka:changes     channel: {"devices": {endpoint: state}, "calls": [linkedid, ...], "all": true after a rewrite}
    centralka:ami:ready   expires unless the AMI service is logged in and can write call records
    centralka:writer      who wrote last; missing after Redis came back empty
"""

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from types import MappingProxyType, TracebackType
from typing import Any, Self

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from routing.facts import DeviceState

log = structlog.get_logger()

DEVICES, CALLS, CHANGES = "centralka:devices", "centralka:calls", "centralka:changes"
READY, WRITER = "centralka:ami:ready", "centralka:writer"
READY_S = 15
LIMIT_S = 3.0                                    # for one exchange with Redis
FIRST_DELAY_S, LONGEST_DELAY_S = 0.2, 5.0
POLL_S = 2.0                                     # how often a follower looks for the sign of life
# What passes while nobody watches. The last known UNAVAILABLE or IDLE is still the best guess.
PASSING = frozenset({DeviceState.IN_USE, DeviceState.BUSY, DeviceState.RINGING})
AWAY = (RedisError, OSError, TimeoutError)


@dataclass(frozen=True, slots=True)
class LiveCall:
    """A call in progress."""

    linkedid: str
    tenant: str                                  # '' where its first channel belongs to none
    caller: str                                  # as the caller chose to say it, like `dialled`
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


def connect(url: str) -> Redis:
    """A client for `unix:///path/redis.sock` or `redis://...`; connects at its first use, every wait is limited.

    A loss is reported, not mended in silence: what was published meanwhile, or written before, would be missing.
    """
    return Redis.from_url(url, decode_responses=True, socket_timeout=LIMIT_S, socket_connect_timeout=LIMIT_S,
                          health_check_interval=10, retry=Retry(NoBackoff(), 0))


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


class DeviceFollower:
    """`async with DeviceFollower(url) as follower`: `follower.devices` is there at once and always.

    It is loaded at the start, follows the changes and is read again after each reconnect. While Redis or the AMI service is
    away it stays as it was, but for `PASSING` states: they count as UNKNOWN, so that nobody is skipped for ever.
    """

    def __init__(self, url: str) -> None:
        self._known: dict[str, DeviceState] = {}
        self._watched = False                    # does somebody keep Redis up to date?
        self._devices: dict[str, DeviceState] = {}
        self.devices: Mapping[str, DeviceState] = MappingProxyType(self._devices)
        self.loaded = asyncio.Event()            # set after each reading, clear while Redis is away
        self._url = url
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._follow(), name="device states from Redis")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _follow(self) -> None:
        delay_s, away = FIRST_DELAY_S, False
        while True:
            redis = connect(self._url)
            try:
                async with redis.pubsub() as changes:
                    await changes.subscribe(CHANGES)
                    await self._load(redis)
                    if away:
                        log.info("redis back", devices=len(self._devices))
                    delay_s, away = FIRST_DELAY_S, False
                    asked = time.monotonic()
                    while True:
                        stop_if_cancelled()
                        await self._apply(redis, await changes.get_message(ignore_subscribe_messages=True, timeout=POLL_S))
                        if time.monotonic() - asked >= POLL_S:
                            self._note_watched(bool(await redis.exists(READY)))
                            asked = time.monotonic()
            except AWAY as error:
                if not away:
                    log.warning("redis away; deciding with the last known device states", problem=str(error))
                away = True
            except Exception:  # the outermost loop: whatever it was, begin again
                log.exception("device states can't be followed")
            finally:
                self.loaded.clear()
                self._note_watched(False)
                with suppress(*AWAY):
                    await redis.aclose()
            stop_if_cancelled()
            await asyncio.sleep(delay_s)
            delay_s = min(delay_s * 2, LONGEST_DELAY_S)

    async def _load(self, redis: Redis) -> None:
        entries, watched = await redis.hgetall(DEVICES), await redis.exists(READY)
        self._known = {str(endpoint): _state(text) for endpoint, text in entries.items()}
        self._note_watched(bool(watched))
        self._publish()
        self.loaded.set()

    def _note_watched(self, watched: bool) -> None:
        if watched is not self._watched:
            log.info("device states are watched" if watched else "device states may be stale", devices=len(self._known))
            self._watched = watched
            self._publish()

    def _publish(self) -> None:
        self._devices.clear()
        self._devices.update({endpoint: self._seen(state) for endpoint, state in self._known.items()})

    def _seen(self, state: DeviceState) -> DeviceState:
        return DeviceState.UNKNOWN if state in PASSING and not self._watched else state

    async def _apply(self, redis: Redis, message: Mapping[str, Any] | None) -> None:
        if message is None:
            return
        try:
            change = json.loads(message["data"])
            states = {str(endpoint): _state(text) for endpoint, text in change.get("devices", {}).items()}
        except (ValueError, TypeError, AttributeError) as error:
            log.warning("change in Redis not understood", problem=str(error))
            return
        if change.get("all"):
            await self._load(redis)
        else:
            self._known.update(states)
            self._devices.update({endpoint: self._seen(state) for endpoint, state in states.items()})


def _state(text: object) -> DeviceState:
    try:
        return DeviceState(str(text))
    except ValueError:
        return DeviceState.UNKNOWN
