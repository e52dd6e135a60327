"""Device states from AMI events and calls in progress, through a real Redis."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from ami import client as ami_client
from ami.client import AmiClient
from ami.view import live_writer
from ami.view.live_view import LiveView
from ami.view.live_writer import LiveWriter
from routing.call.facts import DeviceState
from store import follower as store_follower
from store import live
from store.follower import LiveFollower
from store.live import CALLS, DEVICES, READY, LiveCall, calls_in_progress
from tests.ami.ami_peer import ADDRESS, Action, AmiPeer, accept, ami_peer, until
from tests.store.redis_server import RedisServer

T = TypeVar("T")


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ami_client, "DELAY_S", 0.01)
    monkeypatch.setattr(store_follower, "FIRST_DELAY_S", 0.01)
    monkeypatch.setattr(live_writer, "FIRST_DELAY_S", 0.01)
    monkeypatch.setattr(live_writer, "TICK_S", 0.05)


@asynccontextmanager
async def watched(peer: AmiPeer, redis_url: str) -> AsyncIterator[tuple[LiveView, LiveWriter]]:
    redis = live.connect(redis_url)
    async with AmiClient(ADDRESS, peer.port, "centralka", "secret") as ami:
        writer = LiveWriter(redis, ami.connected.is_set)
        view = LiveView(ami, writer.devices)
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(view.run()), tasks.create_task(writer.run())]
            yield view, writer
            for task in running:
                task.cancel()
    await redis.aclose()


async def devices_in(server: RedisServer) -> dict[str, str]:
    async with server.client() as redis:
        return {str(endpoint): str(state) for endpoint, state in (await redis.hgetall(DEVICES)).items()}


async def calls_in(server: RedisServer) -> list[LiveCall]:
    async with server.client() as redis:
        return await calls_in_progress(redis)


async def eventually(ask: Callable[[RedisServer], Awaitable[T]], server: RedisServer, holds: Callable[[T], object]) -> None:
    async with asyncio.timeout(60):
        while not holds(await ask(server)):  # noqa: ASYNC110 - it waits for another process
            await asyncio.sleep(0.01)


def event(name: str, **headers: str) -> bytes:
    return "\r\n".join([f"Event: {name}", *(f"{key}: {value}" for key, value in headers.items()), "", ""]).encode()


async def test_device_state_reaches_the_decision_service(redis_server: RedisServer) -> None:
    async with ami_peer() as peer, watched(peer, redis_server.url) as (_, writer), LiveFollower(redis_server.url) as follower:
        await until(lambda: follower.live.devices == {"acme-201-desk": DeviceState.IDLE})
        words = {"INUSE": DeviceState.IN_USE, "RINGING": DeviceState.RINGING, "INVALID": DeviceState.UNAVAILABLE}
        for word, state in words.items():
            peer.send(event("DeviceStateChange", Device="PJSIP/acme-201-desk", State=word))
            await until(lambda expected=state: follower.live.devices["acme-201-desk"] is expected)  # type: ignore[misc]
        peer.send(event("DeviceStateChange", Device="Local/201@x", State="INUSE"))
        peer.send(event("DeviceStateChange", Device="PJSIP/acme-202-desk", State="INUSE"))
        await until(lambda: set(writer.devices.values) == {"acme-201-desk", "acme-202-desk"})


CALL = LiveCall("1.1", "acme", "+48221234567", "201", datetime(2026, 11, 23, tzinfo=UTC))


async def test_call_in_progress_is_told_and_ends(redis_server: RedisServer) -> None:
    async with ami_peer() as peer, watched(peer, redis_server.url) as (_, writer):
        async with redis_server.client() as redis:
            await redis.hset(CALLS, "0.1", CALL.to_json())           # of the service before this one
        writer.calls.put(CALL.linkedid, CALL.to_json())
        await eventually(devices_in, redis_server, lambda devices: devices == {"acme-201-desk": "idle"})
        assert [call.linkedid for call in await calls_in(redis_server)] == ["0.1"]
        writer.calls.rewrite()
        await eventually(calls_in, redis_server, lambda calls: calls == [CALL])
        writer.calls.put(CALL.linkedid, None)
        await eventually(calls_in, redis_server, lambda calls: calls == [])
        assert await devices_in(redis_server) == {"acme-201-desk": "idle"}


async def test_events_with_text_of_a_caller_are_nobodys_business(redis_server: RedisServer) -> None:
    async with ami_peer() as peer, watched(peer, redis_server.url) as (_, writer):
        await until(lambda: writer.devices.values)
        assert not set(peer.names) & {"CoreShowChannels", "Status"}
    conf = (Path(__file__).parent.parent.parent / "templates" / "manager.conf.j2").read_text()
    assert re.findall(r"for event in \((.*)\)", conf) == ['"FullyBooted", "Shutdown", "DeviceStateChange", "Registry"']


async def test_boot_of_asterisk_is_known_after_each_login(redis_server: RedisServer) -> None:
    def answer(action: Action) -> bytes | None:
        text = accept(action)
        if action["action"] == "Login" and text is not None:
            text += event("FullyBooted", Privilege="system,all", Uptime="3600", LastReload="1", Status="Fully Booted")
        return text

    async with ami_peer(answer) as peer, watched(peer, redis_server.url) as (view, writer):
        await until(lambda: writer.devices.values)
        assert view.booted_at is not None
        assert abs(datetime.now(UTC) - timedelta(hours=1) - view.booted_at) < timedelta(seconds=10)


async def test_everything_is_written_again_after_redis_came_back_empty(redis_server: RedisServer) -> None:
    async with ami_peer() as peer, watched(peer, redis_server.url) as (_, writer):
        writer.calls.put(CALL.linkedid, CALL.to_json())
        writer.calls.rewrite()
        await eventually(devices_in, redis_server, lambda devices: devices == {"acme-201-desk": "idle"})
        await redis_server.stop()
        peer.send(event("DeviceStateChange", Device="PJSIP/acme-202-desk", State="BUSY"))
        await until(lambda: len(writer.devices.values) == 2)
        await redis_server.start()
        both = {"acme-201-desk": "idle", "acme-202-desk": "busy"}
        await eventually(devices_in, redis_server, lambda devices: devices == both)
        async with redis_server.client() as redis:
            await redis.flushall()
        await eventually(devices_in, redis_server, lambda devices: len(devices) == 2)
        await eventually(calls_in, redis_server, lambda calls: calls == [CALL])


async def test_snapshot_replaces_what_asterisk_forgot(redis_server: RedisServer) -> None:
    async with ami_peer() as peer, watched(peer, redis_server.url) as (_, writer):
        await until(lambda: writer.devices.values)
        peer.send(event("DeviceStateChange", Device="PJSIP/acme-202-desk", State="INUSE"))
        await eventually(devices_in, redis_server, lambda devices: len(devices) == 2)
        peer.drop()
        await until(lambda: peer.logins == 2)
        await eventually(devices_in, redis_server, lambda devices: devices == {"acme-201-desk": "idle"})


async def test_last_known_states_stay_while_asterisk_is_away_and_the_sign_of_life_does_not(redis_server: RedisServer) -> None:
    async with redis_server.client() as redis:
        await redis.hset(DEVICES, "acme-201-desk", "busy")
    async with ami_peer(lambda action: None) as peer, watched(peer, redis_server.url):
        async with redis_server.client() as redis:
            await until(lambda: peer.actions)
            async with asyncio.timeout(60):
                while not await redis.exists(live.WRITER):  # noqa: ASYNC110 - it waits for another process
                    await asyncio.sleep(0.01)
            assert not await redis.exists(READY)
        assert await devices_in(redis_server) == {"acme-201-desk": "busy"}
