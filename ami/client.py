"""The AMI client: it reconnects by itself, and every action ends with a response or an error."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import structlog
from panoramisk.message import Message

from ami.session import AmiError, AmiRefused, HeaderValue, Session, encode_action

log = structlog.get_logger()

# Until the login Asterisk does not know which agents of queues pause, so none is long: it is on this machine.
DELAY_S, REFUSED_DELAY_S = 0.25, 30.0
LOGIN_LIMIT_S, ACTION_LIMIT_S, PING_EVERY_S = 5.0, 10.0, 10.0

__all__ = ["AmiClient", "AmiError", "AmiRefused", "Message"]


class AmiClient:
    """`async with AmiClient(...) as ami` connects in the background and again after each loss.

    An action in progress when the connection is lost fails with AmiError; it is never sent twice.
    """

    def __init__(self, address: str, port: int, user: str, secret: str) -> None:
        self.connected = asyncio.Event()
        self.connections = 0             # number of successful logins; after a new one a new snapshot is needed
        self._address, self._port, self._user, self._secret = address, port, user, secret
        self._callbacks: dict[str, list[Callable[[Message], None]]] = defaultdict(list)
        self._session: Session | None = None
        self._problem: str | None = None
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    @property
    def where(self) -> str:
        return f"{self._address}:{self._port}"

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._stay_connected(), name=f"AMI {self.where}")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def on_event(self, name: str, callback: Callable[[Message], None]) -> None:
        """Call `callback` with each event of that name, in order, as it is read. It must not wait."""
        self._callbacks[name.lower()].append(callback)

    async def ready(self, limit_s: float = LOGIN_LIMIT_S) -> None:
        """Return once logged in; AmiError as soon as an attempt has failed, or after `limit_s`."""
        try:
            async with asyncio.timeout(limit_s), self._changed:
                await self._changed.wait_for(lambda: self.connected.is_set() or self._problem)
        except TimeoutError:
            raise AmiError(f"no AMI login at {self.where} within {limit_s:g} s") from None
        if not self.connected.is_set():
            raise AmiError(self._problem)

    def drop(self, why: str) -> None:
        """Ends the connection at once, with all that has arrived and was not read; another one is made."""
        if self._session is not None:
            self._session.protocol.lose(why)

    async def connection_after(self, number: int) -> int:
        """Wait for a connection newer than `number` and return its number."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.connected.is_set() and self.connections > number)
        return self.connections

    async def lost(self, number: int) -> None:
        """Wait until connection `number` is lost."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.connections != number or not self.connected.is_set())

    async def action(self, name: str, limit_s: float = ACTION_LIMIT_S, **headers: HeaderValue) -> Message:
        """Send one action and return its response. AmiError when it is refused, unanswered or can't be sent."""
        return await self._send(name, headers, limit_s, whole_list=False)

    async def listing(self, name: str, limit_s: float = ACTION_LIMIT_S, **headers: HeaderValue) -> list[Message]:
        """Send an action that answers with a list; its items, without the first response and the closing event."""
        answer = await self._send(name, headers, limit_s, whole_list=True)
        if not isinstance(answer, list):
            return []
        return [item for item in answer[1:] if item.eventlist.lower() != "complete"]

    async def command(self, text: str, limit_s: float = ACTION_LIMIT_S) -> str:
        """The output of the Asterisk CLI command `text`; AmiError when the command fails."""
        answer = await self.action("Command", limit_s, Command=text)
        return _output(answer)

    async def _send(self, name: str, headers: dict[str, HeaderValue], limit_s: float, whole_list: bool) -> Any:
        encoded = encode_action(name, headers)
        try:
            async with asyncio.timeout(limit_s):
                await self.ready(limit_s)
                if self._session is None:
                    raise AmiError(f"AMI at {self.where} is not connected")
                answer = await self._session.send(encoded, whole_list)
        except TimeoutError:
            raise AmiError(f"AMI action {name} got no answer from {self.where} within {limit_s:g} s") from None
        if isinstance(answer, list) or answer.success:
            return answer
        if whole_list and answer.message.startswith("No ") and answer.message.endswith("found"):
            return []  # the PJSIP lists report this way that they are empty
        raise AmiError(f"AMI action {name} at {self.where}: {_output(answer) or answer.message or 'refused'}")

    async def _stay_connected(self) -> None:
        reported = ""
        while True:
            session = Session(self._dispatch)
            wait_s = DELAY_S * random.uniform(0.5, 1.5)  # noqa: S311
            try:
                await session.open(self._address, self._port, self._user, self._secret, LOGIN_LIMIT_S)
                await self._report(session, None)
                log.info("ami_connected", address=self.where, user=self._user)
                problem = f"AMI connection to {self.where} lost: {await self._watch(session)}"
            except AmiRefused as error:
                problem = f"AMI login refused for user {self._user!r} at {self.where}: {error}"
                wait_s = REFUSED_DELAY_S * random.uniform(0.8, 1.2)  # noqa: S311
            except TimeoutError:
                problem = f"no AMI login at {self.where} within {LOGIN_LIMIT_S:g} s"
            except OSError as error:
                problem = f"AMI connection to {self.where} failed: {error}"
            except Exception as error:  # the outermost loop of the service: whatever it was, connect again
                log.exception("ami_connection_failed", address=self.where)
                problem = f"AMI connection to {self.where} failed: {error!r}"
            finally:
                session.close()
                self.connected.clear()
                self._session = None
            if problem != reported:
                log.warning("ami_not_connected", address=self.where, problem=problem)
            reported = problem
            await self._report(None, problem)
            await asyncio.sleep(wait_s)

    async def _report(self, session: Session | None, problem: str | None) -> None:
        async with self._changed:
            self._session, self._problem = session, problem
            if session is not None:
                self.connections += 1
                self.connected.set()
            self._changed.notify_all()

    async def _watch(self, session: Session) -> str:
        """Ping until the connection is lost or stops answering; say why it ended."""
        while True:
            done, _ = await asyncio.wait([session.lost], timeout=PING_EVERY_S)
            if done:
                return session.lost.result()
            try:
                async with asyncio.timeout(LOGIN_LIMIT_S):
                    await session.send(encode_action("Ping", {}))
            except TimeoutError:
                return f"no answer to a ping within {LOGIN_LIMIT_S:g} s"
            except AmiError as error:
                return str(error)

    def _dispatch(self, event: Message) -> None:
        for callback in self._callbacks.get(event.event.lower(), ()):
            try:
                callback(event)
            except Exception:  # one event that can't be understood must not end the connection
                log.exception("ami_event_refused", event_name=event.event)


def _output(answer: Message) -> str:
    output = answer.output
    return "\n".join(output) if isinstance(output, list) else str(output)
