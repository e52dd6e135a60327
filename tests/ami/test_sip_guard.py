"""Bans as the AMI service keeps them: over restarts, without Redis, until a command takes them away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from ami.client import AmiClient
from ami.security import sip_guard
from ami.security.asterisk_log import LogMessage
from ami.security.guesses import ALLOWED
from ami.security.sip_guard import SipGuard
from store import live
from store.bans import load_bans, load_guessed, release_ban
from tests.ami.ami_peer import ADDRESS, Action, AmiPeer, accept, ami_peer, response, until
from tests.store.redis_server import RedisServer

GUESSER = "198.51.100.7"


def answer(action: Action) -> bytes | None:
    return response(action, "Response: Success|Message: Module Reloaded") if action["action"] == "Reload" else accept(action)


def wrong(address: str = GUESSER) -> LogMessage:
    return LogMessage("", "NOTICE", "res_pjsip/pjsip_distributor.c",
                      f"Request 'REGISTER' from '<sip:acme-201-desk@192.0.2.1>' failed for '{address}:5060' (callid: 1) - Failed to authenticate")


@asynccontextmanager
async def guarding(peer: AmiPeer, url: str, file: Path, known: tuple[str, ...] | None = ()) -> AsyncIterator[SipGuard]:
    redis = live.connect(url)
    async with AmiClient(ADDRESS, peer.port, "centralka", "secret") as ami:
        guard = SipGuard(ami, redis, file, lambda: known)
        running = asyncio.create_task(guard.run())
        try:
            yield guard
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
            await redis.aclose()


async def test_ban_outlives_a_restart_and_ends_by_command(redis_server: RedisServer, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(sip_guard, "EVERY_S", 0.02)
    file = tmp_path / "banned.conf"
    async with ami_peer(answer) as peer, redis_server.client() as redis:
        async with guarding(peer, redis_server.url, file) as guard:
            for _ in range(ALLOWED):
                guard.note(wrong())
            await until(lambda: file.exists() and file.read_text() == f"deny = {GUESSER}\n", limit_s=50)
            await until(lambda: "Reload" in peer.names, limit_s=50)
            assert (await load_bans(redis))[GUESSER].accounts == ("acme-201-desk",)
        peer.actions.clear()
        file.unlink()
        async with guarding(peer, redis_server.url, file):
            await until(lambda: "Reload" in peer.names and file.read_text() == f"deny = {GUESSER}\n", limit_s=50)
            assert await release_ban(redis, GUESSER)
            await until(lambda: file.read_text() == "", limit_s=50)
            assert not await release_ban(redis, GUESSER)


async def test_guesser_is_banned_while_redis_is_away(redis_server: RedisServer, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(sip_guard, "EVERY_S", 0.02)
    file = tmp_path / "banned.conf"
    async with ami_peer(answer) as peer, guarding(peer, redis_server.url, file) as guard:
        await until(lambda: "Reload" in peer.names, limit_s=50)
        await redis_server.stop()
        for _ in range(ALLOWED):
            guard.note(wrong())
        await until(lambda: file.read_text() == f"deny = {GUESSER}\n", limit_s=50)


async def test_addresses_of_registered_devices_are_reported_and_stay(redis_server: RedisServer, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(sip_guard, "EVERY_S", 0.02)
    file = tmp_path / "banned.conf"
    async with ami_peer(answer) as peer, redis_server.client() as redis, guarding(peer, redis_server.url, file, (GUESSER,)) as guard:
        for _ in range(3 * ALLOWED):
            guard.note(wrong())
        for _ in range(ALLOWED):
            guard.note(wrong("203.0.113.9"))
        await until(lambda: file.exists() and "203.0.113.9" in file.read_text(), limit_s=50)
        assert GUESSER not in file.read_text()
        async with asyncio.timeout(50):
            while not (await load_guessed(redis)).get(GUESSER):  # noqa: ASYNC110 - it waits for another task's write
                await asyncio.sleep(0.01)
