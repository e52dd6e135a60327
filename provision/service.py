"""Provisioning of telephones: a device gets its file by the secret in the URL; by its maker's certificate; or by MAC address
once, in a window that the operator opened.

Every other request gets the same answer, whatever was wrong.
"""

import asyncio
import re
import signal
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import structlog

from confgen.render.phone_files import Server
from provision.https import HttpsServer, Reply, Request, mutual_context, server_context
from provision.limiter import Limiter
from provision.shelf import Device, Shelf
from services import metrics
from store import live
from store.equipment import ConfigurationFetch, EquipmentStore

log = structlog.get_logger()

NOTHING = Reply(404, "text/plain", b"Not found\n")
_SECRET = re.compile(r"/([A-Za-z0-9_-]{43})/([A-Za-z0-9._-]{1,80})")
_CERTIFIED = re.compile(r"/([A-Za-z0-9._-]{1,80})")
_BY_MAC = re.compile(r"/((?:[A-Za-z0-9.]{1,20}[-_]?)?([0-9A-Fa-f]{12})(?:[-_.][A-Za-z0-9._-]{1,40})?)")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")


class ProvisioningService:
    def __init__(self, shelf: Shelf, store: EquipmentStore, server: Server) -> None:
        self._shelf, self._store, self._server = shelf, store, server
        self._limiter = Limiter()

    async def answer(self, request: Request) -> Reply | None:
        """A device with a secret or a certificate is answered, whatever other devices do behind the same address."""
        await self._shelf.refresh()
        if request.method == "GET" and (reply := await self._as_known(request)):
            return reply
        now_s = time.monotonic()
        if self._limiter.is_blocked(request.peer, now_s):
            metrics.PROVISION_REQUESTS.labels("blocked").inc()
            return None
        if request.method == "GET" and (reply := await self._by_mac(request)):
            return reply
        self._limiter.note_wrong(request.peer, now_s)
        metrics.PROVISION_REQUESTS.labels("refused").inc()
        log.warning("provision_refused", peer=request.peer, agent=_shown(request.agent))      # the path may hold a secret
        if self._limiter.is_blocked(request.peer, now_s):
            log.warning("provision_blocked", peer=request.peer)
        return NOTHING

    async def _as_known(self, request: Request) -> Reply | None:
        if (named := _SECRET.fullmatch(request.path)) and (device := self._shelf.find(named[1])):
            return await self._file(device, named[2], request)
        return await self._by_certificate(request) if request.certified else None

    async def _by_mac(self, request: Request) -> Reply | None:
        named = _BY_MAC.fullmatch(request.path)
        return await self._first_boot(named[1], named[2].lower(), request) if named and not request.certified else None

    async def _by_certificate(self, request: Request) -> Reply | None:
        """A device gets its own files and no others, whichever it requests."""
        named = _CERTIFIED.fullmatch(request.path)
        devices = [device for mac in request.certified if (device := self._shelf.by_mac(mac))]
        if not named or len(devices) != 1 or named[1] not in devices[0].files(self._server):
            return None
        return await self._file(devices[0], named[1], request)

    async def _file(self, device: Device, name: str, request: Request) -> Reply:
        """A device may request files that it does not have, as most do for files of their maker: that is not an attack."""
        text = device.files(self._server).get(name)
        metrics.PROVISION_REQUESTS.labels("missing" if text is None else "served").inc()
        if text is None:
            return NOTHING
        log.info("provision_fetched", tenant=device.tenant.tenant, device=device.label, file=name, peer=request.peer)
        try:
            fetch = ConfigurationFetch(datetime.now(UTC), request.peer, _shown(request.agent), name)
            await self._store.note(device.name, fetch)
        except live.AWAY as error:
            log.warning("provision_not_noted", device=device.name, problem=str(error))
        return Reply(200, "text/xml" if text.startswith("<?xml") else "text/plain", text.encode())

    async def _first_boot(self, name: str, mac: str, request: Request) -> Reply | None:
        device = self._shelf.by_mac(mac)
        try:
            is_open = await self._store.is_open(mac, datetime.now(UTC))       # asked for an unknown one, too: it takes as long
            if not is_open or device is None or name not in device.files(self._server):
                return None
            if not await self._store.close_window(mac):
                return None
        except live.AWAY as error:
            log.warning("provision_no_first_boot", problem=str(error))
            return None
        log.warning("provision_first_boot", tenant=device.tenant.tenant, device=device.label, peer=request.peer)
        return await self._file(device, name, request)


def _shown(text: str) -> str:
    return _UNPRINTABLE.sub("?", text)[:120]


async def serve(
    *, home: Path, address: str, port: int, certificate: Path, key: Path, redis_url: str, server: Server, mutual_port: int,
    authorities: Path | None,
) -> None:
    """Run until SIGTERM or SIGINT. `authorities`: of the devices' certificates; with them it listens at `mutual_port`, too.
    Raises OSError where it cannot listen or a certificate cannot be used."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with live.connect(redis_url) as redis, AsyncExitStack() as listening:
        https = HttpsServer(ProvisioningService(Shelf(home), EquipmentStore(redis), server).answer)
        ways = [(port, server_context(str(certificate), str(key)))]
        if authorities:
            ways.append((mutual_port, mutual_context(str(certificate), str(key), str(authorities))))
        for at, context in ways:
            await listening.enter_async_context(await https.listen(address, at, context))
        ports = [str(at) for at, _ in ways]
        log.info("provision_started", at=f"{address}:{','.join(ports)}", certificate=str(certificate))
        await stop.wait()
    log.info("provision_stopped")
