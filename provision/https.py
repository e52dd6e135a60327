"""The HTTPS server: one request, one answer, closed. h11 reads HTTP; every wait, size and number of connections is limited."""

import asyncio
import re
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import h11
import structlog

from routing.numbering.value_types import plain_mac
from services import metrics

log = structlog.get_logger()

MAX_HEAD_BYTES = 8192
HANDSHAKE_S = 5.0
REQUEST_S = 5.0            # until the whole head has arrived; a phone sends it at once
ANSWER_S = 30.0            # until it has been taken
MAX_CONNECTIONS = 1000
MAX_OF_ADDRESS = 50        # a whole office behind one address boots at once


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str              # without what follows a '?'
    agent: str
    peer: str              # IP address
    certified: frozenset[str] = frozenset()      # the MAC addresses in its certificate, where one was asked for


@dataclass(frozen=True, slots=True)
class Reply:
    """None instead of a reply closes the connection without one."""

    status: int
    kind: str
    body: bytes


Answer = Callable[[Request], Awaitable[Reply | None]]


class HttpsServer:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._open: Counter[str] = Counter()

    async def listen(self, address: str, port: int, context: ssl.SSLContext) -> asyncio.Server:
        return await asyncio.start_server(
            self._serve, address, port, ssl=context, ssl_handshake_timeout=HANDSHAKE_S, ssl_shutdown_timeout=HANDSHAKE_S,
            limit=MAX_HEAD_BYTES)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = str(writer.get_extra_info("peername")[0])
        self._open[peer] += 1
        try:
            if self._open[peer] <= MAX_OF_ADDRESS and self._open.total() <= MAX_CONNECTIONS:
                await self._exchange(reader, writer, peer)
            else:
                metrics.PROVISION_CONNECTIONS_REFUSED.labels("too_many").inc()
                log.warning("provision_too_many_connections", peer=peer)
        except TimeoutError:
            metrics.PROVISION_CONNECTIONS_REFUSED.labels("too_slow").inc()
            log.info("provision_too_slow", peer=peer)
        except h11.RemoteProtocolError as error:
            metrics.PROVISION_CONNECTIONS_REFUSED.labels("malformed").inc()
            log.info("provision_not_http", peer=peer, found=str(error))
        except OSError as error:
            metrics.PROVISION_CONNECTIONS_REFUSED.labels("peer_left").inc()
            log.info("provision_peer_left", peer=peer, error=str(error))
        except Exception:
            metrics.PROVISION_CONNECTIONS_REFUSED.labels("exception").inc()
            log.exception("provision_failed", peer=peer)       # the outermost loop: this peer gets nothing, others go on
        finally:
            self._open[peer] -= 1
            self._open += Counter()                            # drops those that are at zero
            if writer.transport.get_write_buffer_size():
                writer.transport.abort()                       # a close would wait for a peer that reads nothing
            else:
                writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: str) -> None:
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD_BYTES)
        async with asyncio.timeout(REQUEST_S):
            while (event := connection.next_event()) is h11.NEED_DATA:
                connection.receive_data(await reader.read(MAX_HEAD_BYTES))
        if not isinstance(event, h11.Request):
            return                                             # it connected, sent nothing and disconnected
        headers = dict(event.headers)
        path = event.target.decode("ascii", "replace").partition("?")[0]
        agent = headers.get(b"user-agent", b"").decode("ascii", "replace")
        certified = _macs_in(writer.get_extra_info("peercert"))
        reply = await self._answer(Request(event.method.decode(), path, agent, peer, certified))
        if reply is None:
            return
        fields = [
            ("Content-Type", reply.kind), ("Content-Length", str(len(reply.body))), ("Cache-Control", "no-store"),
            ("Connection", "close")]
        for part in (h11.Response(status_code=reply.status, headers=fields), h11.Data(data=reply.body), h11.EndOfMessage()):
            writer.write(connection.send(part) or b"")
        async with asyncio.timeout(ANSWER_S):
            await writer.drain()
            writer.close()
            await writer.wait_closed()


def server_context(certificate: str, key: str) -> ssl.SSLContext:
    """TLS 1.2 and later. Raises OSError for files that cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:         # ssl.SSLError is one
        raise OSError(f"the certificate {certificate} with the key {key}: found {error}, expected two PEM files") from error
    return context


def mutual_context(certificate: str, key: str, authorities: str) -> ssl.SSLContext:
    """As above, and only for clients with a certificate of one of these authorities (PEM)."""
    context = server_context(certificate, key)
    try:
        context.load_verify_locations(cafile=authorities)
    except OSError as error:
        raise OSError(f"the device authorities {authorities}: found {error}, expected a PEM file of certificates") from error
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def _macs_in(certificate: Mapping[str, Any] | None) -> frozenset[str]:
    """Where makers put the MAC address: most of them as the common name, Cisco as another part of the subject (MPP
    Administration Guide, 'Multiplatform Phone CA Client Root Certificate')."""
    subject = (certificate or {}).get("subject", ())
    plain = (str(plain_mac(value)) for part in subject for _, value in part)
    return frozenset(text for text in plain if re.fullmatch("[0-9a-f]{12}", text))
