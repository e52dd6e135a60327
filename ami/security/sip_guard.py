"""Bans of addresses that guess SIP passwords: Asterisk refuses their requests (403) before it looks for an account.

The ban is a named ACL, which res_pjsip_acl applies to each request. Asterisk reads it from a file that needs no privilege, and
quickly: it reloads no other SIP object. Redis keeps the bans across restarts; a command removes them there.
"""

import asyncio
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NoReturn

import structlog
from redis.asyncio import Redis

from ami.client import AmiClient
from ami.periodic_task import take_turns
from ami.security.asterisk_log import LogMessage
from ami.security.guesses import MOST_BANS, Guesses, guess_of, in_force, network_of, new_ban
from services import metrics
from store.bans import REMEMBERED, Ban, load_bans, put_bans, put_guessed

log = structlog.get_logger()

EVERY_S: Final = 1.0
MODULE: Final = "acl"                 # which Asterisk's Reload action reads again


class SipGuard:
    """`file`: the file that asterisk-conf/acl.conf includes. `known`: the addresses where devices are registered; while it is
    None nothing is counted."""

    def __init__(self, ami: AmiClient, redis: Redis, file: Path, known: Callable[[], Collection[str] | None]) -> None:
        self._ami, self._redis, self._file, self._known = ami, redis, file, known
        self._guesses = Guesses()
        self._bans: dict[str, Ban] = {}
        self._unsaved: dict[str, Ban | None] = {}
        self._notable: dict[str, int] = {}
        self._enforced: list[str] | None = None
        self._is_loaded = False               # until then the previous process's file stays
        self._connection = 0
        self._wake = asyncio.Event()
        metrics.SIP_BANS.set_function(lambda: len(self._enforced or ()))

    def note(self, message: LogMessage) -> None:
        """Count the message of a refused request."""
        guess = guess_of(message.text)
        if guess is None or self._known() is None:
            return
        metrics.SIP_WRONG_PASSWORDS.inc()
        now = datetime.now(UTC)
        for address in self._guesses.note(guess, self._known_networks(), time.monotonic()):
            if (before := self._bans.get(address)) is None or before.until <= now:
                ban = new_ban(before, self._guesses.accounts_at(address), now)
                self._bans[address] = self._unsaved[address] = ban
                self._guesses.forget(address)
                metrics.SIP_BANS_BEGUN.inc()
                log.warning("sip_address_banned", address=address, until=ban.until.isoformat(), times=ban.times,
                            accounts=",".join(ban.accounts))
                self._wake.set()

    async def run(self) -> NoReturn:
        await take_turns(self._turn, every_s=0, failed="sip_bans_not_kept")

    async def _turn(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(EVERY_S):
                await self._wake.wait()
        self._wake.clear()
        self._drop_old()
        try:
            await self._share()
        finally:
            await self._enforce()             # without Redis, too

    def _drop_old(self) -> None:
        now = datetime.now(UTC)
        for address in [each for each, ban in self._bans.items() if ban.until + REMEMBERED <= now]:
            self._drop(address)
        for address in sorted(self._bans, key=lambda each: self._bans[each].until)[:-2 * MOST_BANS]:
            self._drop(address)

    def _drop(self, address: str) -> None:
        del self._bans[address]
        self._unsaved[address] = None

    async def _share(self) -> None:
        """Writes new bans to Redis, and forgets those that a command removed there. Raises what `store.live.AWAY` lists."""
        while self._unsaved:
            address, ban = next(iter(self._unsaved.items()))
            await put_bans(self._redis, {address: ban})
            if self._unsaved.get(address) is ban:
                del self._unsaved[address]
        kept = await load_bans(self._redis)
        self._is_loaded = True
        for address in self._bans.keys() - kept.keys() - self._unsaved.keys():
            self._guesses.forget(address)
            del self._bans[address]
            log.info("sip_ban_released", address=address)
        self._bans |= {address: ban for address, ban in kept.items() if address not in self._unsaved}
        notable = self._guesses.notable(self._known_networks(), time.monotonic())
        if notable != self._notable:
            await put_guessed(self._redis, notable)
            self._notable = notable

    async def _enforce(self) -> None:
        """Raises OSError and AmiError."""
        addresses = in_force(self._bans, self._known_networks(), datetime.now(UTC))
        if not self._is_loaded or (addresses == self._enforced and self._ami.connections == self._connection):
            return
        written = self._file.with_name(self._file.name + ".new")
        written.write_text("".join(f"deny = {address}\n" for address in addresses))
        written.chmod(0o640)
        written.replace(self._file)
        number = self._ami.connections
        if self._ami.connected.is_set():
            await self._ami.action("Reload", Module=MODULE)
            self._enforced, self._connection = addresses, number

    def _known_networks(self) -> set[str]:
        return {network_of(address) for address in self._known() or ()}
