"""Device states and calls in progress, from AMI events through a real Redis."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from agi import ami_client, live_writer
from agi.ami_client import AmiClient
from agi.live_view import LiveView
from agi.live_writer import LiveWriter
from routing.facts import DeviceState
from store import live
from store.live import DEVICES, READY, DeviceFollower, LiveCall, calls_in_progress
from tests.agi.ami_peer import ADDRESS, EVENTS, Action, AmiPeer, accept, ami_peer, response, until
from tests.store.redis_server import RedisServer

T = TypeVar("T")


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ami_client, "FIRST_DELAY_S", 0.01)
    monkeypatch.setattr(live, "FIRST_DELAY_S", 0.01)
    monkeypatch.setattr(live_writer, "FIRST_DELAY_S", 0.01)
    monkeypatch.setattr(live_writer, "TICK_S", 0.05)


@pytest.fixture
async def redis_server(tmp_path: Path) -> AsyncIterator[RedisServer]:
    server = RedisServer(tmp_path)
    await server.start()
    yield server
    await server.stop()


@asynccontextmanager
async def watched(peer: AmiPeer, redis_url: str) -> AsyncIterator[LiveView]:
    redis = live.connect(redis_url)
    async with AmiClient(ADDRESS, peer.port, "centralka", "secret") as ami:
        writer = LiveWriter(redis, ami.connected.is_set)
        view = LiveView(ami, writer)
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(view.run()), tasks.create_task(writer.run(view.everything))]
            yield view
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
    async with asyncio.timeout(10):
        while not holds(await ask(server)):  # noqa: ASYNC110 - it waits for another process
            await asyncio.sleep(0.01)


def event(name: str, **headers: str) -> bytes:
    return "\r\n".join([f"Event: {name}", *(f"{key}: {value}" for key, value in headers.items()), "", ""]).encode()


def channel(name: str, uniqueid: str, linkedid: str, event_name: str = "Newchannel", state: str = "Ring") -> bytes:
    return event(event_name, Channel=name, Uniqueid=uniqueid, Linkedid=linkedid, ChannelStateDesc=state, CallerIDNum="201",
                 Exten="202", AccountCode="acme", Tenantid="acme")


async def test_device_state_reaches_the_decision_service(redis_server: RedisServer) -> None:
    async with ami_peer() as peer, watched(peer, redis_server.url) as view, DeviceFollower(redis_server.url) as follower:
        await until(lambda: follower.devices == {"acme-201-desk": DeviceState.IDLE})
        words = {"INUSE": DeviceState.IN_USE, "RINGING": DeviceState.RINGING, "INVALID": DeviceState.UNAVAILABLE}
        for word, state in words.items():
            peer.send(event("DeviceStateChange", Device="PJSIP/acme-201-desk", State=word))
            await until(lambda expected=state: follower.devices["acme-201-desk"] is expected)  # type: ignore[misc]
        peer.send(event("DeviceStateChange", Device="Local/201@x", State="INUSE"))
        assert set(view.devices) == {"acme-201-desk"}


async def test_recorded_session_leaves_only_the_call_that_has_not_ended(redis_server: RedisServer) -> None:
    async with ami_peer() as peer, watched(peer, redis_server.url) as view:
        await until(view.current.is_set)
        peer.send(b"".join(EVENTS))
        await eventually(calls_in, redis_server, lambda calls: [call.linkedid for call in calls] == ["1795461761.10"])
        (call,) = await calls_in(redis_server)
        assert (call.tenant, call.caller, call.dialled) == ("acme", "sipp", "202")
        peer.send(b"".join(event("Hangup", Uniqueid=uniqueid) for uniqueid in ("1795461761.10", "1795461761.11")))
        await eventually(calls_in, redis_server, lambda calls: calls == [])


async def test_call_that_hung_up_while_the_snapshot_was_taken_is_no_ghost(redis_server: RedisServer) -> None:
    def answer(action: Action) -> bytes | None:
        if action["action"] != "CoreShowChannels":
            return accept(action)
        return (response(action, "Response: Success|EventList: start|Message: Channels will follow")
                + response(action, "Event: CoreShowChannel|Channel: PJSIP/acme-201-desk-00000001|Uniqueid: 1.1|Linkedid: 1.1"
                                   "|Duration: 00:01:02|ChannelStateDesc: Up|Tenantid: acme")
                + response(action, "Event: CoreShowChannelsComplete|EventList: Complete|ListItems: 1")
                + event("Hangup", Uniqueid="1.1") + channel("PJSIP/acme-202-desk-00000002", "2.1", "2.1"))

    async with ami_peer(answer) as peer, watched(peer, redis_server.url) as view:
        await until(view.current.is_set)
        assert view.linkedids() == {"2.1"}


async def test_transfer_that_joins_two_calls_leaves_one(redis_server: RedisServer) -> None:
    async with ami_peer() as peer, watched(peer, redis_server.url) as view:
        await until(view.current.is_set)
        peer.send(channel("PJSIP/acme-201-desk-00000001", "1.1", "1.1") + channel("PJSIP/acme-202-desk-00000002", "2.1", "2.1"))
        await until(lambda: view.linkedids() == {"1.1", "2.1"})
        peer.send(channel("PJSIP/acme-202-desk-00000002", "2.1", "1.1", "BridgeEnter", "Up"))
        await until(lambda: view.linkedids() == {"1.1"})
        await eventually(calls_in, redis_server, lambda calls: [len(call.channels) for call in calls] == [2])


async def test_everything_is_written_again_after_redis_came_back_empty(redis_server: RedisServer) -> None:
    async with ami_peer() as peer, watched(peer, redis_server.url) as view:
        await eventually(devices_in, redis_server, lambda devices: devices == {"acme-201-desk": "idle"})
        await redis_server.stop()
        peer.send(event("DeviceStateChange", Device="PJSIP/acme-202-desk", State="BUSY"))
        await until(lambda: len(view.devices) == 2)
        await redis_server.start()
        both = {"acme-201-desk": "idle", "acme-202-desk": "busy"}
        await eventually(devices_in, redis_server, lambda devices: devices == both)
        async with redis_server.client() as redis:
            await redis.flushall()
        await eventually(devices_in, redis_server, lambda devices: len(devices) == 2)


async def test_snapshot_replaces_what_asterisk_forgot(redis_server: RedisServer) -> None:
    async with ami_peer() as peer, watched(peer, redis_server.url) as view:
        await until(view.current.is_set)
        peer.send(channel("PJSIP/acme-201-desk-00000001", "1.1", "1.1"))
        await eventually(calls_in, redis_server, lambda calls: len(calls) == 1)
        peer.drop()
        await until(lambda: peer.logins == 2)
        await eventually(calls_in, redis_server, lambda calls: calls == [])


async def test_last_known_states_stay_while_asterisk_is_away_and_the_sign_of_life_does_not(redis_server: RedisServer) -> None:
    async with redis_server.client() as redis:
        await redis.hset(DEVICES, "acme-201-desk", "busy")
    async with ami_peer(lambda action: None) as peer, watched(peer, redis_server.url):
        async with redis_server.client() as redis:
            await until(lambda: peer.actions)
            async with asyncio.timeout(10):
                while not await redis.exists(live.WRITER):  # noqa: ASYNC110 - it waits for another process
                    await asyncio.sleep(0.01)
            assert not await redis.exists(READY)
        assert await devices_in(redis_server) == {"acme-201-desk": "busy"}
