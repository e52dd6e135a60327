"""The FastAGI server: one short request and one reply a connection. panoramisk's server, with a limit for each wait.

panoramisk 1.4 reads its handshake without any limit, loops for ever when the peer closes early, swallows cancellation and
does not wait for the closing; this subclass replaces that one method and keeps the routes and `Request`.
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import structlog
from panoramisk import fast_agi

from services import metrics
from services.asterisk_text import AgiError

MAX_HANDSHAKE_BYTES = 65_536      # the widest honest one is some 2 kB; caller IDs of 4 kB pass
CALLERS_OWN = b"\nagi_callerid: "   # Asterisk's first variable that a caller chose; ours stand before it
MAX_WAIT_S = 2.0                  # for each of: the whole handshake, the peer's closing; Asterisk itself gives up after 2 s
# Asterisk writes some 25 lines one by one, and each would wake us. The kernel wakes us when that many bytes have arrived, or at
# the end of stream: socket(7), SO_RCVLOWAT. The first 11 lines have more, at the least, and the kernel acknowledges 16 at once;
# past that Asterisk, which leaves Nagle's algorithm on, would wait 40 ms for us to read.
WAKE_BYTES = 250
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
BACKLOG = 4096                    # asked for; the kernel caps it at net.core.somaxconn

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Query:
    """A request of the dialplan: the channel's unique id, and the arguments behind the script's name."""

    uniqueid: str
    arguments: Mapping[str, str]

    def argument(self, name: str) -> str:
        """Raises AgiError where it is missing."""
        try:
            return self.arguments[name]
        except KeyError:
            raise AgiError(f"no argument {name!r}") from None


# Extends the time limit of an answer, in seconds from now; the call ends if no answer has come by then.
Hold = Callable[[int], None]
Answer = Callable[[Query, Hold], Awaitable[list[str]]]


class Application(fast_agi.Application):  # type: ignore[misc]
    """Routes map a script's name to a coroutine: it gets the query and a function to extend the time limit, and returns AGI
    commands.

    Reading stops where the caller's own text begins: a number may contain a line feed and so forge any line after it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self._requests: set[asyncio.Task[None]] = set()

    async def drain(self, limit_s: float) -> None:
        """Waits until all requests that have begun are answered. Closes and counts slower ones: the dialplan retries.
        Server.wait_closed() does not wait for them before Python 3.12.1. Source: https://github.com/python/cpython/issues/79033"""
        if not self._requests:
            return
        _, cut = await asyncio.wait(self._requests, timeout=limit_s)
        for request in cut:
            request.cancel()
        if cut:
            metrics.AGI_REQUESTS_CUT.inc(len(cut))
            log.error("agi_requests_cut", requests=len(cut), limit_s=limit_s)
            await asyncio.wait(cut)

    async def handler(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():        # each connection has one of its own
            self._requests.add(task)
            task.add_done_callback(self._requests.discard)
        peer = writer.get_extra_info("peername")
        metrics.AGI_REQUESTS_IN_PROGRESS.inc()
        try:
            async with asyncio.timeout(MAX_WAIT_S):
                script, query = read_query(await read_ours(reader, writer))
            answer: Answer | None = self._route.get(script)
            if answer is None:
                raise AgiError(f"no route for {script[:80]!r}")
            request = fast_agi.Request(self, {}, reader, writer, self.default_encoding)

            def hold(seconds: int) -> None:
                writer.write(f"SET AUTOHANGUP {seconds}\n".encode())

            await reply(request, await answer(query, hold))
        except asyncio.IncompleteReadError as error:
            metrics.AGI_REQUESTS_FAILED.labels("peer_left").inc()
            log.info("agi_peer_left", peer=peer, bytes=len(error.partial))
        except TimeoutError:
            metrics.AGI_REQUESTS_FAILED.labels("too_slow").inc()
            log.warning("agi_refused", peer=peer, found=f"no end of request or connection within {MAX_WAIT_S} s")
        except AgiError as error:
            metrics.AGI_REQUESTS_FAILED.labels("malformed").inc()
            log.warning("agi_refused", peer=peer, found=str(error))
        except ConnectionError as error:
            metrics.AGI_REQUESTS_FAILED.labels("peer_left").inc()
            log.info("agi_peer_left", peer=peer, error=str(error))
        except Exception:
            metrics.AGI_REQUESTS_FAILED.labels("exception").inc()
            log.exception("agi_failed", peer=peer)    # the outermost loop: the dialplan gets no step and fails over
        finally:
            metrics.AGI_REQUESTS_IN_PROGRESS.dec()
            writer.close()


async def read_ours(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """The handshake's lines before the caller's own. Raises IncompleteReadError when the peer closes before."""
    said = await reader.read(MAX_HANDSHAKE_BYTES)
    if CALLERS_OWN not in said:
        set_wake_bytes(writer.get_extra_info("socket"), 1)        # the rest may be less than WAKE_BYTES
    while CALLERS_OWN not in said:
        if len(said) >= MAX_HANDSHAKE_BYTES:
            raise AgiError(f"over {MAX_HANDSHAKE_BYTES} bytes of handshake")
        chunk = await reader.read(MAX_HANDSHAKE_BYTES)
        if not chunk:
            raise asyncio.IncompleteReadError(said, None)
        said += chunk
    return said.partition(CALLERS_OWN)[0]


def read_query(handshake: bytes) -> tuple[str, Query]:
    """The script's name and the query, of 'step?tenant=acme&origin=trunk'. If a variable occurs twice, the first counts;
    values are as the dialplan encoded them. Raises AgiError."""
    headers: dict[str, str] = {}
    for line in handshake.decode("utf-8", "replace").split("\n"):
        key, colon, value = line.partition(": ")
        if colon:
            headers.setdefault(key, value)
    script, _, text = headers.get("agi_network_script", "").partition("?")
    return script, Query(headers.get("agi_uniqueid", ""), read_arguments(text))


def read_arguments(text: str) -> dict[str, str]:
    """The arguments of 'tenant=acme&origin=trunk'. Raises AgiError if a name occurs twice: a value contains a separator."""
    arguments: dict[str, str] = {}
    for part in text.split("&"):
        name, _, value = part.partition("=")
        if name in arguments:
            raise AgiError(f"argument {name[:80]!r} is given twice")
        arguments[name] = value
    return arguments


async def reply(request: fast_agi.Request, commands: list[str]) -> None:
    """Sends all commands at once, sends end of stream, and reads Asterisk's replies until it closes the connection.

    One round trip: Asterisk runs the commands one after another out of its buffer and ends the AGI at our end of stream.
    """
    for command in commands:
        if CONTROL.search(command):
            raise AgiError(f"refused to send a control character: {command[:80]!r}")
    request.writer.write("".join(f"{command}\n" for command in commands).encode())
    request.writer.write_eof()
    # The rest of the handshake and the reply to each command can wait: one wake-up, at the end of stream, is enough.
    set_wake_bytes(request.writer.get_extra_info("socket"), MAX_HANDSHAKE_BYTES)
    said = b""
    async with asyncio.timeout(MAX_WAIT_S):
        while chunk := await request.reader.read(MAX_HANDSHAKE_BYTES):
            said = (said + chunk)[-MAX_HANDSHAKE_BYTES:]
    for line in said.decode("utf-8", "replace").splitlines():
        if line.startswith(("510 ", "520")):
            raise AgiError(f"Asterisk answered {line[:120]!r}")


async def start_server(application: Application, address: str, port: int) -> asyncio.Server:
    listening = socket.create_server((address, port), backlog=BACKLOG)
    set_wake_bytes(listening, WAKE_BYTES)                          # each accepted connection has it too
    return await asyncio.start_server(application.handler, sock=listening, limit=MAX_HANDSHAKE_BYTES, backlog=BACKLOG)


def set_wake_bytes(connection: socket.socket, count: int) -> None:
    """Sets SO_RCVLOWAT: fewer than `count` bytes (at most half the socket's buffer) wake the reader only at end of stream."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, count)
