"""The FastAGI server: one short request, one reply, closed. panoramisk's, with its waiting guarded.

panoramisk 1.4 reads its handshake without any limit, loops for ever when the peer closes early, swallows cancellation and
does not wait for the closing; this subclass replaces that one method and keeps the routes and `Request`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog
from panoramisk import fast_agi

from agi.step_text import AgiError

MAX_HANDSHAKE_BYTES = 65_536      # the widest honest one is some 2 kB; caller IDs of 4 kB pass
MAX_WAIT_S = 2.0                  # for each of: the whole handshake, the peer's closing; Asterisk itself gives up after 2 s
BACKLOG = 4096                    # asked for; the kernel caps it at net.core.somaxconn

log = structlog.get_logger()
Answer = Callable[[Mapping[str, str]], Awaitable[list[str]]]


class Application(fast_agi.Application):  # type: ignore[misc]
    """Routes map a script's name to a coroutine: the AGI variables in, the AGI commands out."""

    async def handler(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")
        try:
            async with asyncio.timeout(MAX_WAIT_S):
                headers = parse_headers(await reader.readuntil(b"\n\n"))
            answer: Answer | None = self._route.get(headers.get("agi_network_script", ""))
            if answer is None:
                raise AgiError(f"no route for {headers.get('agi_network_script', '')[:80]!r}")
            request = fast_agi.Request(self, headers, reader, writer, self.default_encoding)
            await reply(request, await answer(headers))
        except asyncio.IncompleteReadError as error:
            log.info("agi_peer_left", peer=peer, bytes=len(error.partial))
        except asyncio.LimitOverrunError:
            log.warning("agi_refused", peer=peer, found=f"over {MAX_HANDSHAKE_BYTES} bytes of handshake")
        except TimeoutError:
            log.warning("agi_refused", peer=peer, found=f"no end of request or connection within {MAX_WAIT_S} s")
        except AgiError as error:
            log.warning("agi_refused", peer=peer, found=str(error))
        except ConnectionError as error:
            log.info("agi_peer_left", peer=peer, error=str(error))
        except Exception:
            log.exception("agi_failed", peer=peer)    # the outermost loop: the dialplan gets no step and fails over
        finally:
            writer.close()


class WholeRequests(asyncio.StreamReaderProtocol):
    """Hands the handshake over in one piece, and then the answers.

    Asterisk writes each line of the handshake on its own: waking the handler some 25 times cost more than the decision.
    """

    def __init__(self, handler: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> None:
        super().__init__(asyncio.StreamReader(limit=MAX_HANDSHAKE_BYTES), handler)
        self._held = bytearray()
        self._is_begun = False      # the handshake has been handed over

    def data_received(self, data: bytes) -> None:
        tail = max(0, len(self._held) - 1)
        self._held += data
        is_whole = not self._is_begun and self._held.find(b"\n\n", tail) >= 0
        if is_whole or len(self._held) > MAX_HANDSHAKE_BYTES:
            self._hand_over()

    def eof_received(self) -> bool | None:
        self._hand_over()
        return super().eof_received()

    def _hand_over(self) -> None:
        self._is_begun = True
        super().data_received(bytes(self._held))
        self._held.clear()


def parse_headers(handshake: bytes) -> dict[str, str]:
    """The AGI variables of one handshake. A variable that stands twice is refused: a line was smuggled in."""
    headers: dict[str, str] = {}
    for line in handshake.decode("utf-8", "replace").split("\n"):
        key, colon, value = line.partition(": ")
        if not colon or not key.startswith("agi_"):
            if line.strip():
                raise AgiError(f"found the line {line[:80]!r}, expected 'agi_name: value'")
            continue
        if key in headers:
            raise AgiError(f"found {key[:40]!r} twice in one request")
        headers[key] = value
    return headers


async def reply(request: fast_agi.Request, commands: list[str]) -> None:
    """Sends all commands at once, says that no more will come, and reads what Asterisk says until it closes.

    One round trip: Asterisk runs the commands one after another out of its buffer and ends the AGI at our end of stream.
    """
    for command in commands:
        if any(ord(char) < 32 or ord(char) == 127 for char in command):
            raise AgiError(f"refused to send a control character: {command[:80]!r}")
    request.writer.write("".join(f"{command}\n" for command in commands).encode())
    request.writer.write_eof()
    async with asyncio.timeout(MAX_WAIT_S):
        answers = await request.reader.read(4096)
        while chunk := await request.reader.read(4096):
            answers += chunk
    for line in answers.decode("utf-8", "replace").splitlines():
        if not line.startswith(("200 ", "HANGUP", "511")):      # 511: the caller has gone
            raise AgiError(f"Asterisk answered {line[:120]!r}")


async def start_server(application: Application, address: str, port: int) -> asyncio.Server:
    return await asyncio.get_running_loop().create_server(
        lambda: WholeRequests(application.handler), address, port, backlog=BACKLOG, reuse_address=True)
