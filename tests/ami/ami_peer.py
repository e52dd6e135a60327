"""A socket server that plays recorded bytes of Asterisk's manager interface."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

ADDRESS = "127.79.0.2"
RECORDED = (Path(__file__).parent / "recordings" / "ami.bin").read_bytes()
GREETING = b"Asterisk Call Manager/11.0.0\r\n"
# The events of a recorded session: two calls, one of them blindly transferred; device states.
EVENTS = [part + b"\r\n\r\n" for part in RECORDED.split(b"\r\n\r\n")
          if part.startswith(b"Event: ") and b"\nActionID" not in part]

Action = dict[str, str]
Answer = Callable[[Action], bytes | None]


def response(action: Action, text: str) -> bytes:
    """A response or an event of a list, as `text` with '|' between the lines."""
    head, *rest = text.split("|")
    return "\r\n".join([head, f"ActionID: {action['actionid']}", *rest, "", ""]).encode()


def accept(action: Action) -> bytes | None:
    """Login, pings and two lists, one of them empty."""
    match action["action"]:
        case "Login":
            return response(action, "Response: Success|Message: Authentication accepted")
        case "Ping":
            return response(action, "Response: Success|Ping: Pong")
        case "DeviceStateList":
            return (response(action, "Response: Success|EventList: start|Message: Device State Changes will follow")
                    + response(action, "Event: DeviceStateChange|Device: PJSIP/acme-201-desk|State: NOT_INUSE")
                    + response(action, "Event: DeviceStateListComplete|EventList: Complete|ListItems: 1"))
        case "PJSIPShowEndpoints":
            return (response(action, "Response: Success|EventList: start|Message: A listing of Endpoints follows")
                    + response(action, "Event: EndpointListComplete|EventList: Complete|ListItems: 0"))
    return None


class AmiPeer:
    def __init__(self, answer: Answer) -> None:
        self.answer, self.greeting = answer, GREETING
        self.actions: list[Action] = []
        self.logins = 0
        self.port = 0
        self._writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        writer.write(self.greeting)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                text = (await reader.readuntil(b"\r\n\r\n")).decode()
                action = {key.lower(): value for key, _, value in (line.partition(": ") for line in text.split("\r\n"))}
                self.actions.append(action)
                answer = self.answer(action)
                if answer is not None:
                    writer.write(answer)
                    self.logins += action["action"] == "Login"

    def send(self, data: bytes) -> None:
        self._writers[-1].write(data)

    def drop(self) -> None:
        self._writers.pop().transport.abort()

    @property
    def names(self) -> list[str]:
        return [action["action"] for action in self.actions]


@asynccontextmanager
async def ami_peer(answer: Answer = accept) -> AsyncIterator[AmiPeer]:
    peer = AmiPeer(answer)
    server = await asyncio.start_server(peer.serve, ADDRESS, 0)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        while peer._writers:
            peer.drop()


async def until(condition: Callable[[], object], limit_s: float = 60) -> None:
    async with asyncio.timeout(limit_s):
        while not condition():  # noqa: ASYNC110 - conditions of other processes too
            await asyncio.sleep(0.005)
