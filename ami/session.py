"""One AMI connection, from connect to close: panoramisk's protocol with the checks and limits it lacks."""

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Any

from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager
from panoramisk.message import Message

MESSAGE_LIMIT = 1 << 20   # bytes; no Asterisk message is near
LINE_LIMIT = 1000         # bytes; Asterisk throws a message away whose line is longer than 1,024
_END = b"\r\n\r\n"
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_UNSAFE = re.compile(r"[\r\n\0]")

HeaderValue = str | int | Sequence[str]
SHUTTING_DOWN = "Asterisk is shutting down"      # the response to a login meanwhile


class AmiError(OSError):
    """AMI gave no response, or an unusable one. A fault in our code: the operator can't fix it."""


class AmiRefused(AmiError):
    """The login was refused: user, secret or address in manager.conf."""


def encode_action(name: str, headers: dict[str, HeaderValue]) -> dict[str, str | list[str]]:
    """The headers of an action; AmiError if one could start a second action."""
    encoded: dict[str, str | list[str]] = {}
    if reserved := {"action", "actionid"} & {key.lower() for key in headers}:
        raise AmiError(f"AMI action {name!r}: {', '.join(sorted(reserved))} is not a header to choose")
    for key, value in {"Action": name, **headers}.items():
        if not _KEY.fullmatch(key):
            raise AmiError(f"AMI action {name!r}: {key!r} is not a header; expected letters, digits, '-' and '_'")
        values = [str(value)] if isinstance(value, str | int) else [str(each) for each in value]
        for each in values:
            if _UNSAFE.search(each):
                raise AmiError(f"AMI action {name!r}: {key} is {each!r}; a line break would start a second action")
            if len(key) + 2 + len(each.encode("utf-8", "surrogatepass")) > LINE_LIMIT:
                raise AmiError(f"AMI action {name!r}: {key} has {len(each)} characters; Asterisk takes {LINE_LIMIT} bytes")
        encoded[key] = values[0] if isinstance(value, str | int) else values
    if not _KEY.fullmatch(name):
        raise AmiError(f"AMI action {name!r} is not a name; expected letters, digits, '-' and '_'")
    try:
        "".join(str(value) for value in encoded.values()).encode()
    except UnicodeEncodeError as error:
        raise AmiError(f"AMI action {name!r}: {error}") from error
    return encoded


class _Protocol(AMIProtocol):  # type: ignore[misc]  # panoramisk has no types
    """panoramisk's protocol, but it buffers bytes until a message is complete, limits its size and never queues an action."""

    version: str | None
    closed: bool
    responses: dict[str, Action]

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.received = bytearray()
        self.why = ""

    def data_received(self, data: bytes) -> None:
        self.received += data
        if self.version is None:
            greeting, newline, rest = bytes(self.received).partition(b"\r\n")
            if not newline and len(greeting) < LINE_LIMIT:
                return
            if not greeting.startswith(b"Asterisk Call Manager/"):
                self.lose(f"the peer greets with {greeting[:60]!r}, not as Asterisk")
                return
            self.version = greeting.decode("ascii", "replace").partition("/")[2]
            self.received = bytearray(rest)
        *messages, unfinished = bytes(self.received).split(_END)
        self.received = bytearray(unfinished)
        for text in messages:
            if self.closed:
                return
            message = Message.from_line(text.decode("utf-8", "replace").strip())
            if message is not None:
                self.handle_message(message)
        if len(unfinished) > MESSAGE_LIMIT:
            self.lose(f"a message without an end, longer than {MESSAGE_LIMIT} bytes")

    def lose(self, why: str) -> None:
        self.why = f": {why}"
        self.transport.abort()
        self.connection_lost(AmiError(why))

    def close(self) -> None:
        actions, self.responses = {id(action): action for action in self.responses.values()}, {}
        for action in actions.values():
            if not action.future.done():
                action.future.set_exception(
                    AmiError(f"the connection ended before {action['action']} was answered{self.why}"))
                action.future.exception()  # nobody may wait for it any more
        if not self.closed:
            self.closed = True
            self.transport.close()


class Session(Manager):  # type: ignore[misc]  # panoramisk has no types
    """One connection. It never reconnects: the client does."""

    pinger: asyncio.TimerHandle | None

    def __init__(self, on_message: Callable[[Message], None]) -> None:
        super().__init__(loop=asyncio.get_running_loop())
        self.on_message = on_message
        self.lost: asyncio.Future[str] = self.loop.create_future()

    async def open(self, address: str, port: int, user: str, secret: str, limit_s: float) -> None:
        """Connect and log in; raises OSError, TimeoutError, AmiError, AmiRefused."""
        headers = encode_action("Login", {"Username": user, "Secret": secret, "Events": "on"})
        async with asyncio.timeout(limit_s):
            made = asyncio.get_running_loop().create_future()
            made.set_result(await self.loop.create_connection(_Protocol, address, port))
            self.connection_made(made)
            answer = await self.send(headers)
        if not answer.success:
            reason = str(answer.message) or "no reason given"
            raise AmiError(reason) if reason == SHUTTING_DOWN else AmiRefused(reason)

    async def send(self, headers: dict[str, str | list[str]], whole_list: bool = False) -> Any:
        """The response, or with `whole_list` the response and the events that follow it."""
        if self.lost.done():
            raise AmiError(self.lost.result())
        action = Action(headers)
        try:
            return await self.send_action(action, as_list=None if whole_list else False)
        finally:
            self.responses.pop(action.id, None)

    def dispatch(self, event: Message) -> list[str]:
        if not event.action_id:  # the late rest of a list nobody waits for any more has one
            self.on_message(event)
        return []

    def ping(self) -> None:
        """Sends no ping: the client sends its own, with a time limit."""

    def connection_lost(self, reason: object) -> None:
        if self.pinger:
            self.pinger.cancel()
            self.pinger = None
        if not self.lost.done():
            self.lost.set_result(str(reason) if isinstance(reason, Exception) and str(reason) else "Asterisk closed it")
