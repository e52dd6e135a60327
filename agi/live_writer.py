"""Passes the live view on to Redis, in batches; writes everything anew after Redis was away."""

import asyncio
import json
import secrets
from collections.abc import Callable

import structlog
from redis.asyncio import Redis

from routing.facts import DeviceState
from store.live import (
    AWAY,
    CALLS,
    CHANGES,
    DEVICES,
    FIRST_DELAY_S,
    LONGEST_DELAY_S,
    READY,
    READY_S,
    WRITER,
    LiveCall,
    stop_if_cancelled,
)

log = structlog.get_logger()

BATCH_S = 0.01            # changes of one conversation step go together
TICK_S = 5.0              # how often an idle writer looks whether Redis still has what it wrote

Everything = Callable[[], tuple[dict[str, DeviceState], dict[str, LiveCall]]]


class LiveWriter:
    """`device` and `call` note a change, `run` writes it. Nothing is lost while Redis is away: it is all written after."""

    def __init__(self, redis: Redis, is_ready: Callable[[], bool]) -> None:
        self._redis, self._is_ready = redis, is_ready
        self._begun = False                          # until there is a first snapshot, what Redis has is the last known
        self._name = secrets.token_hex(8)
        self._devices: dict[str, DeviceState] = {}
        self._calls: dict[str, LiveCall | None] = {}
        self._everything = False
        self._changed = asyncio.Event()

    def device(self, endpoint: str, state: DeviceState) -> None:
        self._devices[endpoint] = state
        self._changed.set()

    def call(self, linkedid: str, call: LiveCall | None) -> None:
        """A call as it is now; None when it is over."""
        self._calls[linkedid] = call
        self._changed.set()

    def rewrite(self) -> None:
        """Replace what Redis has by a snapshot."""
        self._begun = self._everything = True
        self._changed.set()

    async def run(self, everything: Everything) -> None:
        """Never returns."""
        delay_s, away = FIRST_DELAY_S, False
        while True:
            try:
                await self._write(everything)
                stop_if_cancelled()
                if away:
                    log.info("redis back")
                delay_s, away = FIRST_DELAY_S, False
            except AWAY as error:
                if not away:
                    log.warning("redis away; live state is kept until it is back", problem=str(error))
                stop_if_cancelled()
                away, self._everything = True, self._begun
                await asyncio.sleep(delay_s)
                delay_s = min(delay_s * 2, LONGEST_DELAY_S)
                continue
            try:
                async with asyncio.timeout(TICK_S):
                    await self._changed.wait()
                await asyncio.sleep(BATCH_S)
            except TimeoutError:
                pass

    async def _write(self, everything: Everything) -> None:
        self._changed.clear()
        whole, devices, calls = self._everything, self._devices, self._calls
        self._everything, self._devices, self._calls = False, {}, {}
        if whole:
            devices, live = everything()
            calls = dict(live)
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.set(WRITER, self._name, get=True)
            if self._is_ready():
                pipeline.set(READY, self._name, ex=READY_S)
            if whole:
                pipeline.delete(DEVICES, CALLS)
            if devices:
                for endpoint, state in devices.items():
                    pipeline.hset(DEVICES, endpoint, state.value)
            if current := {linkedid: call.to_json() for linkedid, call in calls.items() if call is not None}:
                for linkedid, text in current.items():
                    pipeline.hset(CALLS, linkedid, text)
            if over := [linkedid for linkedid, call in calls.items() if call is None]:
                pipeline.hdel(CALLS, *over)
            if whole or devices or calls:
                change = {"all": True} if whole else {"devices": devices, "calls": list(calls)}
                pipeline.publish(CHANGES, json.dumps(change))
            before = (await pipeline.execute())[0]
        if before != self._name and self._begun and not whole:
            log.info("redis lost what was written; writing it all", found=before)
            self.rewrite()
