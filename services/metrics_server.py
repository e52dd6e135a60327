"""Metrics over HTTP: `GET /metrics`, one request a connection. It never raises and never ends a service.

The address may be taken, by another instance of the same service: then it waits until that one has ended.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final, NoReturn

import h11
import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry

from services.metrics import exposition

log = structlog.get_logger()

MAX_HEAD_BYTES: Final = 8192
MAX_CONNECTIONS: Final = 8
LIMIT_S: Final = 5.0          # for a request and its answer
RETRY_S: Final = 5.0


@asynccontextmanager
async def metrics_served(registry: CollectorRegistry, address: str, port: int) -> AsyncIterator[None]:
    """A server of the metrics, for as long as the block runs. Port 0 serves nothing."""
    serving = asyncio.create_task(MetricsServer(registry).run(address, port), name="metrics") if port else None
    try:
        yield
    finally:
        if serving is not None:
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving


class MetricsServer:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._open = 0

    async def run(self, address: str, port: int) -> NoReturn:
        """Serves until it is cancelled."""
        is_logged = False
        while True:
            try:
                async with await asyncio.start_server(self._serve, address, port, limit=MAX_HEAD_BYTES):
                    log.info("metrics_ready", address=address, port=port)
                    await asyncio.Event().wait()
            except OSError as error:
                if not is_logged:
                    log.warning("metrics_not_served", address=address, port=port, problem=str(error))
                is_logged = True
            await asyncio.sleep(RETRY_S)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            if self._open <= MAX_CONNECTIONS:
                async with asyncio.timeout(LIMIT_S):
                    await self._answer(reader, writer)
        except (TimeoutError, OSError, h11.RemoteProtocolError) as error:
            log.info("metrics_refused", problem=str(error) or type(error).__name__)
        except Exception:          # the outermost loop: the service goes on
            log.exception("metrics_failed")
        finally:
            self._open -= 1
            if writer.transport.get_write_buffer_size():
                writer.transport.abort()         # the peer reads nothing
            else:
                writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD_BYTES)
        while (event := connection.next_event()) is h11.NEED_DATA:
            connection.receive_data(await reader.read(MAX_HEAD_BYTES))
        if not isinstance(event, h11.Request):
            return
        status, kind, body = 404, "text/plain", b"Not found: the metrics are at /metrics\n"
        if event.method == b"GET" and event.target.partition(b"?")[0] == b"/metrics":
            # In a thread: a decision that comes in meanwhile does not wait for the text of a thousand tenants.
            status, kind, body = 200, CONTENT_TYPE_LATEST, await asyncio.to_thread(exposition, self._registry)
        headers = [("Content-Type", kind), ("Content-Length", str(len(body))), ("Connection", "close")]
        for part in (h11.Response(status_code=status, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
            writer.write(connection.send(part) or b"")
        await writer.drain()
        writer.write_eof()
        with suppress(OSError):
            await reader.read()
