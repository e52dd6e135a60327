"""The decision service's copy of the device states."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from routing.call.facts import DeviceState
from store import follower
from store.follower import LiveFollower
from store.live import CHANGES, DEVICES, READY, LiveCall
from tests.ami.ami_peer import until
from tests.store.redis_server import RedisServer


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "FIRST_DELAY_S", 0.01)
    monkeypatch.setattr(follower, "POLL_S", 0.02)


async def test_states_are_loaded_and_followed(redis_server: RedisServer) -> None:
    async with redis_server.client() as redis:
        await redis.set(READY, "x")
        await redis.hset(DEVICES, "acme-201-desk", "idle")
        async with LiveFollower(redis_server.url) as following:
            devices = following.live.devices
            assert devices == {}
            await until(lambda: devices == {"acme-201-desk": DeviceState.IDLE})
            await redis.publish(CHANGES, json.dumps({"devices": {"acme-201-desk": "busy", "forno-201-desk": "ringing"}}))
            await until(lambda: devices == {"acme-201-desk": DeviceState.BUSY, "forno-201-desk": DeviceState.RINGING})


async def test_last_known_states_stay_while_redis_is_away_and_are_read_again_after(redis_server: RedisServer) -> None:
    async with redis_server.client() as redis:
        await redis.set(READY, "x")
        await redis.hset(DEVICES, mapping={"acme-201-desk": "in_use", "acme-202-desk": "unavailable"})
    async with LiveFollower(redis_server.url) as following:
        await until(lambda: following.live.devices == {"acme-201-desk": DeviceState.IN_USE, "acme-202-desk": DeviceState.UNAVAILABLE})
        await redis_server.stop()
        await until(lambda: not following.loaded.is_set())
        assert following.live.devices == {"acme-201-desk": DeviceState.UNKNOWN, "acme-202-desk": DeviceState.UNAVAILABLE}
        await redis_server.start()
        async with redis_server.client() as redis:
            await redis.hset(DEVICES, "acme-202-desk", "idle")
            await redis.publish(CHANGES, json.dumps({"all": True}))
        await until(lambda: following.live.devices == {"acme-202-desk": DeviceState.IDLE})


async def test_person_is_not_taken_as_busy_for_ever_when_the_ami_service_dies_during_a_call(redis_server: RedisServer) -> None:
    states = {"acme-201-desk": "in_use", "acme-202-desk": "busy", "acme-203-desk": "ringing", "acme-204-desk": "unavailable",
              "acme-205-desk": "idle"}
    told = {endpoint: DeviceState(state) for endpoint, state in states.items()}
    kept = (DeviceState.UNAVAILABLE, DeviceState.IDLE)
    stale = {endpoint: known if known in kept else DeviceState.UNKNOWN for endpoint, known in told.items()}
    async with redis_server.client() as redis, LiveFollower(redis_server.url) as following:
        devices = following.live.devices
        await redis.set(READY, "x")
        for endpoint, state in states.items():
            await redis.hset(DEVICES, endpoint, state)
        await redis.publish(CHANGES, json.dumps({"all": True}))
        await until(lambda: devices == told)
        await redis.delete(READY)
        await until(lambda: devices == stale)
        await redis.publish(CHANGES, json.dumps({"devices": {"acme-205-desk": "busy"}}))
        await until(lambda: devices["acme-205-desk"] is DeviceState.UNKNOWN)
        await redis.set(READY, "x")
        await until(lambda: devices == told | {"acme-205-desk": DeviceState.BUSY})


async def test_decisions_begin_without_redis(tmp_path: Path) -> None:
    async with LiveFollower(f"unix://{tmp_path}/none.sock") as following:
        assert following.live.devices == {}


@pytest.mark.parametrize("junk", ["", "[]", "{", '{"devices": 3}', '{"devices": ["x"]}', "\x00\xff"])
async def test_junk_on_the_channel_changes_nothing(redis_server: RedisServer, junk: str) -> None:
    async with redis_server.client() as redis, LiveFollower(redis_server.url) as following:
        await until(following.loaded.is_set)
        await redis.publish(CHANGES, junk)
        await redis.publish(CHANGES, json.dumps({"devices": {"acme-201-desk": "no such state"}}))
        await until(lambda: following.live.devices == {"acme-201-desk": DeviceState.UNKNOWN})
        assert following.loaded.is_set()


def test_call_in_progress_comes_back_from_json() -> None:
    call = LiveCall("1.1", "acme", "+48221234567", "201", datetime.now(UTC))
    assert LiveCall.from_json("1.1", call.to_json()) == call
