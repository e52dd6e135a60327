"""What Asterisk is told to switch, once something changes: members of queues that pause, lamps."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from ami.client import AmiClient
from ami.view.in_step import InStep
from routing.call.facts import Personal
from routing.tenant.tenant import Tenant
from services.published_tenants import PublishedTenants
from store import switches
from store.follower import LiveFollower
from store.personal import change
from tests.ami.ami_peer import ADDRESS, Action, AmiPeer, accept, ami_peer, response, until
from tests.ami.test_lamps import TENANT
from tests.ami.test_queue_agents import QUEUES
from tests.store.redis_server import RedisServer
from tests.tenants_for_tests import acme


def publish(home: Path, number: int, **tenants: Tenant) -> None:
    folder = home / "published" / "revisions" / str(number) / "tenants"
    folder.mkdir(parents=True)
    for slug, tenant in tenants.items():
        (folder / f"{slug}.json").write_text(json.dumps({"tenant": tenant.model_dump(mode="json"), "sounds": {}}, indent=1))
    link = home / "published" / "new"
    link.symlink_to(f"revisions/{number}")
    link.rename(home / "published" / "decided")


def device(queue: str, extension: str, state: str) -> str:
    return f"Event: DeviceStateChange|Device: Queue:acme-{queue}_pause_Local/{extension}@acme-agent/n|State: {state}"


def answers(*paused: tuple[str, str], refuses: set[str] | None = None) -> Callable[[Action], bytes | None]:
    """An Asterisk in which these members are paused, and that has no such queue as those in `refuses`."""

    def answer(action: Action) -> bytes | None:
        match action["action"]:
            case "DeviceStateList":
                states = b"".join(response(action, device(queue, extension, "INUSE")) for queue, extension in paused)
                return (response(action, "Response: Success|EventList: start|Message: Device State Changes will follow") + states
                        + response(action, "Event: DeviceStateListComplete|EventList: Complete|ListItems: 1"))
            case "QueuePause" if action["queue"] in (refuses or ()):
                return response(action, "Response: Error|Message: Interface not found")
            case "Setvar":
                return response(action, "Response: Success|Message: Variable Set")
            case "QueuePause":
                return response(action, "Response: Success|Message: Interface paused successfully")
        return accept(action)

    return answer


@asynccontextmanager
async def kept(home: Path, peer: AmiPeer, redis_url: str) -> AsyncIterator[None]:
    async with LiveFollower(redis_url) as follower, AmiClient(ADDRESS, peer.port, "centralka", "secret") as ami:
        running = asyncio.create_task(InStep(ami, PublishedTenants(home), follower).run())
        yield
        running.cancel()


def told(peer: AmiPeer) -> list[tuple[str, str, str]]:
    return [(action["queue"], action["interface"].removesuffix("@acme-agent/n").removeprefix("Local/"), action["paused"])
            for action in peer.actions if action["action"] == "QueuePause"]


def lit(peer: AmiPeer) -> list[tuple[str, str]]:
    return [(action["variable"], action["value"]) for action in peer.actions if action["action"] == "Setvar"]


async def set_by(server: RedisServer, extension: str, **fields: object) -> None:
    async with server.client() as redis:
        await change(redis, "acme", extension, lambda _: Personal(**fields))      # type: ignore[arg-type]


async def test_only_what_asterisk_has_otherwise_is_told_and_only_when_something_changes(
    tmp_path: Path, redis_server: RedisServer,
) -> None:
    publish(tmp_path, 1, acme=acme(QUEUES), plain=acme())
    await set_by(redis_server, "202", paused=True)
    async with ami_peer(answers(("line", "201"), ("line", "202"))) as peer, kept(tmp_path, peer, redis_server.url):
        at_login = {("acme-line", "201", "false"), ("acme-other-ordered", "202", "true")}
        await until(lambda: set(told(peer)) == at_login)
        await set_by(redis_server, "201", do_not_disturb=True)
        await until(lambda: len(told(peer)) == 3)
        assert told(peer)[2] == ("acme-line", "201", "true")
        peer.send(device("line", "201", "NOT_INUSE").replace("|", "\r\n").encode() + b"\r\n\r\n")      # it was made anew
        await until(lambda: len(told(peer)) == 4)
        assert told(peer)[3] == ("acme-line", "201", "true")
        publish(tmp_path, 2, acme=acme(QUEUES, ('{members: ["201", "202"]', '{members: ["201", "202", "203"]')), plain=acme())
        await set_by(redis_server, "203", logged_out=True)
        await until(lambda: len(told(peer)) == 5)
        assert told(peer)[4] == ("acme-line", "203", "true")


async def test_member_that_asterisk_does_not_have_yet_is_told_later_and_keeps_nobody_waiting(
    tmp_path: Path, redis_server: RedisServer,
) -> None:
    publish(tmp_path, 1, acme=acme(QUEUES))
    await set_by(redis_server, "202", paused=True)
    missing = {"acme-line"}
    async with ami_peer(answers(refuses=missing)) as peer, kept(tmp_path, peer, redis_server.url):
        await until(lambda: told(peer).count(("acme-line", "202", "true")) >= 2)
        assert told(peer).count(("acme-other-ordered", "202", "true")) == 1
        missing.clear()
        so_far = len(told(peer))
        await until(lambda: len(told(peer)) > so_far)
        await set_by(redis_server, "201", paused=True)
        await until(lambda: told(peer)[so_far:] == [("acme-line", "202", "true"), ("acme-line", "201", "true")])


async def test_next_asterisk_is_told_anew(tmp_path: Path, redis_server: RedisServer) -> None:
    publish(tmp_path, 1, acme=acme(QUEUES))
    await set_by(redis_server, "201", paused_in=frozenset({"line"}))
    async with ami_peer(answers()) as peer, kept(tmp_path, peer, redis_server.url):
        await until(lambda: told(peer) == [("acme-line", "201", "true")])
        peer.drop()
        await until(lambda: told(peer) == [("acme-line", "201", "true")] * 2)


async def test_lamp_is_told_when_its_switch_moves_and_one_that_is_out_is_never_told(tmp_path: Path, redis_server: RedisServer) -> None:
    publish(tmp_path, 1, acme=TENANT)
    lamp = "DEVICE_STATE(Custom:acme-switch-mode)"
    async with ami_peer(answers()) as peer, kept(tmp_path, peer, redis_server.url), redis_server.client() as redis:
        for position, state in (("night", "INUSE"), ("day", "NOT_INUSE")):
            await switches.put(redis, "acme", "mode", position)
            await until(lambda said=(lamp, state): lit(peer)[-1:] == [said])
        assert lit(peer) == [(lamp, "INUSE"), (lamp, "NOT_INUSE")]
        await set_by(redis_server, "201", do_not_disturb=True)
        await until(lambda: lit(peer)[2:] == [("DEVICE_STATE(Custom:acme-away-201)", "INUSE")])


async def test_lamp_that_asterisk_kept_lit_goes_out(tmp_path: Path, redis_server: RedisServer) -> None:
    def asterisk(action: Action) -> bytes | None:
        if action["action"] != "DeviceStateList":
            return answers()(action)
        state = response(action, "Event: DeviceStateChange|Device: Custom:acme-switch-mode|State: INUSE")
        return response(action, "Response: Success|EventList: start|Message: Device State Changes will follow") + state + response(
            action, "Event: DeviceStateListComplete|EventList: Complete|ListItems: 1")

    publish(tmp_path, 1, acme=TENANT)
    async with ami_peer(asterisk) as peer, kept(tmp_path, peer, redis_server.url):
        await until(lambda: lit(peer) == [("DEVICE_STATE(Custom:acme-switch-mode)", "NOT_INUSE")])
