"""Writes of live state to Redis, in batches; after Redis was unavailable everything is written again."""

import asyncio
import json
import secrets
from collections.abc import Callable

import structlog
from redis.asyncio import Redis

from services import metrics
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
    LiveHash,
    stop_if_cancelled,
)

log = structlog.get_logger()

BATCH_S = 0.01            # changes of one step of a call go together
TICK_S = 5.0              # interval at which an idle writer checks that Redis still has its data


class LiveWriter:
    """Note changes in `devices` and `calls`; `run` writes them: all of them after Redis was unavailable."""

    def __init__(self, redis: Redis, is_ready: Callable[[], bool]) -> None:
        self._redis, self._is_ready = redis, is_ready
        self._name = secrets.token_hex(8)
        self._changed = asyncio.Event()
        self.devices = LiveHash(DEVICES, self._changed.set)      # DeviceState
        self.calls = LiveHash(CALLS, self._changed.set)          # LiveCall as JSON

    async def run(self) -> None:
        """Never returns."""
        delay_s, away = FIRST_DELAY_S, False
        while True:
            try:
                await self._write()
                stop_if_cancelled()
                metrics.REDIS_WRITABLE.set(1)
                if away:
                    log.info("redis_back")
                delay_s, away = FIRST_DELAY_S, False
            except AWAY as error:
                metrics.REDIS_WRITABLE.set(0)
                if not away:
                    log.warning("live_state_not_written", problem=str(error))
                stop_if_cancelled()
                away = True
                self._rewrite()
                await asyncio.sleep(delay_s)
                delay_s = min(delay_s * 2, LONGEST_DELAY_S)
                continue
            try:
                async with asyncio.timeout(TICK_S):
                    await self._changed.wait()
                await asyncio.sleep(BATCH_S)
            except TimeoutError:
                pass

    def _rewrite(self) -> None:
        for each in (self.devices, self.calls):
            if each.begun:
                each.rewrite()

    async def _write(self) -> None:
        self._changed.clear()
        taken = [(each, *each.take()) for each in (self.devices, self.calls)]
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.set(WRITER, self._name, get=True)
            if self._is_ready():
                pipeline.set(READY, self._name, ex=READY_S)
            for each, whole, fields in taken:
                if whole:
                    pipeline.delete(each.key)
                for field in each.values if whole else fields:
                    if field in each.values:
                        pipeline.hset(each.key, field, each.values[field])
                    else:
                        pipeline.hdel(each.key, field)
            (_, all_devices, devices), (_, all_calls, calls) = taken
            if all_devices or all_calls:
                pipeline.publish(CHANGES, json.dumps({"all": True}))
            elif devices or calls:
                states = {endpoint: self.devices.values[endpoint] for endpoint in devices if endpoint in self.devices.values}
                pipeline.publish(CHANGES, json.dumps({"devices": states, "calls": list(calls)}))
            before = (await pipeline.execute())[0]
        if before != self._name and any(each.begun and not whole for each, whole, _ in taken):
            log.info("live_state_lost_in_redis", found=before)
            self._rewrite()
