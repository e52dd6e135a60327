"""HTTPS requests to tenants' call servers. Each failure is returned as an answer, and each wait has a time limit."""

import asyncio
import hashlib
import hmac
import json
import time
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import structlog

from agi.breaker import Breaker
from routing.call.call_server import MAX_ANSWER_BYTES, CallServerReply, Failed, Failure, read_reply
from services.own_network import AddressRefused, Network
from services.resolver import HostUnknown, Resolver
from services.web_request import Reach, TooLarge, asked, body_of, is_of_tls, reach_of

log = structlog.get_logger()

TRIES: Final = 2                # to connect
AT_ONCE: Final = 50             # requests of one tenant
MAX_SERVERS: Final = 10_000     # whose failures are remembered
# Errors that mean that the server is unavailable, rather than that its answer is wrong.
AWAY: Final = frozenset({
    Failure.UNKNOWN_HOST, Failure.NO_CONNECTION, Failure.TLS, Failure.NO_ANSWER, Failure.CLOSED, Failure.STATUS})


@dataclass(frozen=True, slots=True)
class ServerRequest:
    """One question. `body` is sent as JSON; `moment_s` is Unix time."""

    tenant: str
    server: str
    url: str
    secret: str
    body: Mapping[str, str]
    moment_s: int
    connect_s: float
    answer_s: float


def longest_s(connect_s: float, answer_s: float) -> float:
    """The longest time that one request may take."""
    return TRIES * connect_s + answer_s


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """HMAC-SHA256 over timestamp, full stop and body, in hexadecimal digits."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


class CallServers:
    """`allowed`: networks of our own that requests may reach; `ca_file`: certificates trusted besides the public ones."""

    def __init__(
        self, allowed: Collection[Network] = (), ca_file: Path | None = None, resolver: Resolver | None = None,
    ) -> None:
        self._reach = reach_of(allowed, ca_file, resolver)
        self._free: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE))      # by tenant
        self._breakers: dict[tuple[str, str], Breaker] = {}

    async def ask(self, request: ServerRequest) -> CallServerReply | Failed:
        """The answer, in `longest_s` at most. One tenant's failures do not suspend others' requests to the same address."""
        key = (request.tenant, request.url)
        breaker = self._breakers.get(key, Breaker())
        began_s = time.monotonic()
        if breaker.is_suspended(began_s):
            return Failed(Failure.SUSPENDED)
        self._breakers[key] = breaker.trying(began_s)
        answer = await self._try(request)
        if isinstance(answer, Failed) and answer.failure in AWAY:
            self._remember(key, self._breakers.get(key, breaker).failed(time.monotonic()))
        else:
            self._breakers.pop(key, None)
        log.info(
            "call_server", tenant=request.tenant, call=request.body["call"], server=request.server,
            answer=answer.failure if isinstance(answer, Failed) else "followed",
            detail=answer.detail if isinstance(answer, Failed) else "",
            took_ms=round((time.monotonic() - began_s) * 1000))
        return answer

    def _remember(self, key: tuple[str, str], breaker: Breaker) -> None:
        if len(self._breakers) >= MAX_SERVERS:
            self._breakers.clear()
        self._breakers[key] = breaker

    async def _try(self, request: ServerRequest) -> CallServerReply | Failed:
        failed = Failed(Failure.NO_CONNECTION)
        for _ in range(TRIES):
            answer = await _Attempt(request, self._reach, self._free[request.tenant]).answer()
            if not isinstance(answer, Failed) or answer.failure is not Failure.NO_CONNECTION:
                return answer
            failed = answer
        return failed


class _Attempt:
    """One connection, one request, one answer."""

    def __init__(self, request: ServerRequest, reach: Reach, free: asyncio.Semaphore) -> None:
        self._request, self._free = request, free
        self._reach = reach
        self._is_connected = False

    async def answer(self) -> CallServerReply | Failed:
        try:
            async with asyncio.timeout(self._request.connect_s) as limit, self._free:
                return await self._post(limit)
        except TimeoutError:
            return Failed(Failure.NO_ANSWER if self._is_connected else Failure.NO_CONNECTION)
        except AddressRefused as refused:
            return Failed(Failure.REFUSED_ADDRESS, str(refused))
        except HostUnknown:
            return Failed(Failure.UNKNOWN_HOST)
        except httpx.ConnectError as error:
            return Failed(Failure.TLS if is_of_tls(error) else Failure.NO_CONNECTION)
        except httpx.HTTPError as error:
            return Failed(Failure.TLS if is_of_tls(error) else Failure.CLOSED)

    async def _post(self, limit: asyncio.Timeout) -> CallServerReply | Failed:
        async def when(event: str, _: object) -> None:
            if event == "http11.send_request_headers.started":
                self._is_connected = True
                limit.reschedule(asyncio.get_running_loop().time() + self._request.answer_s)

        body = json.dumps(self._request.body, ensure_ascii=False, separators=(",", ":")).encode()
        timestamp = str(self._request.moment_s)
        headers = {
            "Content-Type": "application/json", "Accept": "application/json", "Centralka-Timestamp": timestamp,
            "Centralka-Signature": signature(self._request.secret, timestamp, body),
        }
        limit_s = longest_s(self._request.connect_s, self._request.answer_s)
        async with asked(
            self._reach, "POST", self._request.url, headers, limit_s=limit_s, content=body, extensions={"trace": when},
        ) as response:
            if response.status_code != httpx.codes.OK:
                return Failed(Failure.STATUS, f"status {response.status_code}")
            try:
                return read_reply(await body_of(response, MAX_ANSWER_BYTES))
            except TooLarge:
                return Failed(Failure.TOO_LARGE)
