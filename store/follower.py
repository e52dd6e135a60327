"""In-process copy of the live state: a decision reads it without waiting for Redis."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType, TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

import structlog
from redis.asyncio import Redis

from routing.call.facts import DeviceState, Personal
from routing.hours.calendars import FetchedCalendar
from store import calendars, personal
from store.live import (
    AWAY,
    CALENDARS,
    CHANGES,
    DEVICES,
    FIRST_DELAY_S,
    LONGEST_DELAY_S,
    PERSONAL,
    READY,
    SWITCHES,
    connect,
    stop_if_cancelled,
)

log = structlog.get_logger()

POLL_S = 2.0                                     # how often a follower looks for the sign of life
# States that end by themselves while the AMI service is down. The last known UNAVAILABLE or IDLE is still the best guess.
PASSING = frozenset({DeviceState.IN_USE, DeviceState.BUSY, DeviceState.RINGING})
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Live:
    """Device states by endpoint; all else by tenant, then by switch, extension or calendar."""

    devices: Mapping[str, DeviceState] = field(default_factory=dict)
    switches: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    personal: Mapping[str, Mapping[str, Personal]] = field(default_factory=dict)
    calendars: Mapping[str, Mapping[str, FetchedCalendar]] = field(default_factory=dict)


class _Hash(Protocol):
    """A followed hash: `name` is its name in messages of changes."""

    key: str
    name: str

    def load(self, entries: Mapping[str, str]) -> None: ...
    def apply(self, changes: Mapping[str, str]) -> None: ...


class _Devices:
    key, name = DEVICES, "devices"

    def __init__(self) -> None:
        self.states: dict[str, DeviceState] = {}
        self._known: dict[str, DeviceState] = {}
        self._watched = False                    # True while the AMI service keeps Redis up to date

    def load(self, entries: Mapping[str, str]) -> None:
        self._known = {endpoint: _state(text) for endpoint, text in entries.items()}
        self._show()

    def apply(self, changes: Mapping[str, str]) -> None:
        states = {endpoint: _state(text) for endpoint, text in changes.items()}
        self._known.update(states)
        self.states.update({endpoint: self._seen(state) for endpoint, state in states.items()})

    def note_watched(self, watched: bool) -> None:
        if watched is not self._watched:
            log.info("device_states_followed" if watched else "device_states_stale", devices=len(self._known))
            self._watched = watched
            self._show()

    def _show(self) -> None:
        self.states.clear()
        self.states.update({endpoint: self._seen(state) for endpoint, state in self._known.items()})

    def _seen(self, state: DeviceState) -> DeviceState:
        return DeviceState.UNKNOWN if state in PASSING and not self._watched else state


class _ByTenant(Generic[T]):
    """Fields are '<tenant>/<name>'. An entry that Centralka did not write is skipped and logged."""

    def __init__(self, key: str, name: str, read: Callable[[str], T]) -> None:
        self.key, self.name = key, name
        self.values: dict[str, dict[str, T]] = {}
        self.touched: set[str] = set()           # tenants that may have changed
        self._read = read

    def load(self, entries: Mapping[str, str]) -> None:
        self.touched |= self.values.keys()
        self.values.clear()
        self.apply(entries)

    def apply(self, changes: Mapping[str, str]) -> None:
        for where, text in changes.items():
            tenant, _, name = where.partition("/")
            self.touched.add(tenant)
            try:
                self.values.setdefault(tenant, {})[name] = self._read(text)
            except (ValueError, TypeError) as error:
                log.warning("redis_entry_refused", key=self.key, field=where, problem=str(error))


class LiveFollower:
    """`async with LiveFollower(url) as follower`: `follower.live` is available at once and always.

    It is loaded at the start, follows the changes and is read again after each reconnect. While Redis or the AMI service is
    unavailable it does not change, except for `PASSING` states: they count as UNKNOWN, so that no user is skipped for ever.
    """

    def __init__(self, url: str) -> None:
        self._devices = _Devices()
        switches = _ByTenant(SWITCHES, "switches", str)
        settings = _ByTenant(PERSONAL, "personal", personal.from_json)
        fetched = _ByTenant(CALENDARS, "calendars", calendars.fetched)
        self._seen: tuple[_ByTenant[str], _ByTenant[Personal]] = (switches, settings)
        self._hashes: tuple[_Hash, ...] = (self._devices, switches, settings, fetched)
        self.live = Live(
            MappingProxyType(self._devices.states), MappingProxyType(switches.values), MappingProxyType(settings.values),
            MappingProxyType(fetched.values))
        self.loaded = asyncio.Event()            # set after each reading, clear while Redis is unavailable
        self._url = url
        self._task: asyncio.Task[None] | None = None

    def take_touched(self) -> set[str]:
        """The tenants with a possible change of a switch or of a user's settings since the last call. Only one caller may use
        it."""
        touched = set[str]()
        for each in self._seen:
            touched |= each.touched
            each.touched.clear()
        return touched

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._follow(), name="live state from Redis")
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
                        log.info("redis_back", devices=len(self.live.devices))
                    delay_s, away = FIRST_DELAY_S, False
                    asked = time.monotonic()
                    while True:
                        stop_if_cancelled()
                        await self._apply(redis, await changes.get_message(ignore_subscribe_messages=True, timeout=POLL_S))
                        if time.monotonic() - asked >= POLL_S:
                            self._devices.note_watched(bool(await redis.exists(READY)))
                            asked = time.monotonic()
            except AWAY as error:
                if not away:
                    log.warning("live_state_stale", problem=str(error))
                away = True
            except Exception:  # the outermost loop: whatever it was, begin again
                log.exception("live_state_not_followed")
            finally:
                self.loaded.clear()
                self._devices.note_watched(False)
                with suppress(*AWAY):
                    await redis.aclose()
            stop_if_cancelled()
            await asyncio.sleep(delay_s)
            delay_s = min(delay_s * 2, LONGEST_DELAY_S)

    async def _load(self, redis: Redis) -> None:
        entries = [await redis.hgetall(each.key) for each in self._hashes]
        watched = bool(await redis.exists(READY))
        for each, found in zip(self._hashes, entries, strict=True):
            each.load({str(name): str(text) for name, text in found.items()})
        self._devices.note_watched(watched)
        self.loaded.set()

    async def _apply(self, redis: Redis, message: Mapping[str, Any] | None) -> None:
        if message is None:
            return
        try:
            change = json.loads(message["data"])
            changes = [
                {str(name): str(text) for name, text in change.get(each.name, {}).items()} for each in self._hashes]
        except (ValueError, TypeError, AttributeError) as error:
            log.warning("redis_change_refused", problem=str(error))
            return
        if change.get("all"):
            await self._load(redis)
        else:
            for each, found in zip(self._hashes, changes, strict=True):
                each.apply(found)


def _state(text: str) -> DeviceState:
    try:
        return DeviceState(text)
    except ValueError:
        return DeviceState.UNKNOWN
