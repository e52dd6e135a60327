"""baresip (1.0.0, Debian's baresip-core) as a phone: registers, calls, answers, presses keys, speaks and hears.

It is driven over ctrl_tcp: JSON in netstrings. The microphone is a WAV file (aufile); what is heard is what the
decoder hands to the speaker, kept by the sndfile filter. The speaker itself is an aubridge that leads nowhere.
"""

import asyncio
import json
import os
import re
from asyncio.subprocess import DEVNULL, Process
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

import numpy as np

from sipp import Address
from tests.agents.audio import Samples, read_wav, tone, write_wav

_CONTROL_PORT = 4444
_COMMAND_LIMIT = 255  # ctrl_tcp.c cuts a longer command without a word
# baresip's media sockets listen at every address of the machine. By default they take any port from 1024 on, now and then
# one that another phone is about to take at its own address. These are neither Asterisk's nor the kernel's free choice.
_RTP_PORTS = "20000-29999"
_SPEECH_S = 60

_CONFIG = """\
poll_method epoll
sip_listen {host}:{port}
net_interface {host}
rtp_ports {rtp}
call_local_timeout 120
call_max_calls 4
audio_source aufile,{directory}/microphone.wav
audio_player aubridge,nobody
audio_alert aubridge,nobody
ausrc_format s16
auplay_format s16
auenc_format s16
audec_format s16
jitter_buffer_delay 1-5
module_path /usr/lib/baresip/modules
module g711.so
module srtp.so
module sndfile.so
module aufile.so
module aubridge.so
module_tmp uuid.so
module_tmp account.so
module_app contact.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen {host}:{control}
snd_path {directory}
statmode_default off
ringback_disabled yes
menu_bell no
"""


class PhoneFailed(AssertionError):
    """The phone saw something else than the test expected; the text holds its events and the end of its log."""


@dataclass(frozen=True, slots=True)
class Event:
    """As baresip names it: REGISTER_OK, CALL_INCOMING, CALL_ESTABLISHED, CALL_CLOSED; `detail` holds the reason."""

    kind: str
    peer: str
    detail: str
    call: str = ""               # the Call-ID


class Phone:
    """A running baresip. What it does, it does to its newest call, or to the one it was told to take up."""

    def __init__(self, host: str, directory: Path, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.host = host
        self.events: list[Event] = []
        self._unseen: deque[Event] = deque()
        self._answers: dict[str, asyncio.Future[str]] = {}
        self._news = asyncio.Event()
        self._directory = directory
        self._reader, self._writer = reader, writer
        self._gone = False

    async def register(
        self, user: str, password: str, server: Address, *, answers: bool = False, within_s: float = 5, secure: bool = False,
        srtp: bool = False,
    ) -> None:
        """Adds the account. PhoneFailed if refused. `secure`: over TLS, and with SRTP or not at all; `srtp`: that alone.

        It `answers` by itself, and then reports no CALL_INCOMING, or waits for accept().
        """
        way, media = ";transport=tls" if secure else "", ";mediaenc=srtp-mand" if secure or srtp else ""
        account = f"<sip:{user}@{server.host}:{server.port}{way}>;auth_user={user};auth_pass={password}{media}"
        mode = "auto" if answers else "manual"
        await self._command("uanew", f"{account};audio_codecs=pcma;answermode={mode};regint=600")
        await self.until("REGISTER_OK", unless="REGISTER_FAIL", within_s=within_s)

    async def use(self, user: str, server: Address, *, answers: bool = False) -> None:
        """Adds an identity that registers nowhere and has no password."""
        mode = "auto" if answers else "manual"
        address = f"<sip:{user}@{server.host}:{server.port}>"
        await self._command("uanew", f"{address};audio_codecs=pcma;answermode={mode};regint=0")

    async def dial(self, number: str, server: Address, *, secure: bool = False) -> None:
        while list(self._directory.glob(f"dump-{datetime.now():%Y-%m-%d-%H-%M-%S}-*")):  # noqa: ASYNC110 - in its words
            await asyncio.sleep(0.05)       # it names what each call hears by the second: two of one would be one
        await self._command("dial", f"sip:{number}@{server.host}:{server.port}{';transport=tls' if secure else ''}")

    async def accept(self) -> None:
        await self._command("accept")

    async def transfer(self, number: str, server: Address) -> None:
        """Blind transfer of the current call, by REFER."""
        await self._command("transfer", f"sip:{number}@{server}")

    async def transfer_to_dialog(self, number: str, server: Address, call: str) -> None:
        """Attended transfer of the current call to the phone's other call, by REFER with Replaces (RFC 3891)."""
        dialog = await self._dialog(call)
        await self._command("transfer", f"sip:{number}@{server}?Replaces={quote(dialog, safe='')}")

    async def take_up(self, line: int) -> None:
        """From now on this call is the current one; the first is 1."""
        await self._command("line", str(line))

    async def _dialog(self, call: str) -> str:
        """What Replaces names: Call-ID and the tags, the server's first, as they stand in a response to the INVITE."""
        is_incoming = any(event.call == call and event.kind == "CALL_INCOMING" for event in self.events)
        async with asyncio.timeout(10):
            while True:
                for response in re.split("SIP/2.0 (?:1|200)", self.log())[1:]:
                    headers = dict(line.split(": ", 1) for line in response.partition("\n\n")[0].splitlines() if ": " in line)
                    caller, called = (headers.get(name, "").partition(";tag=")[2] for name in ("From", "To"))
                    if headers.get("Call-ID") == call and headers.get("CSeq", "").endswith("INVITE") and called:
                        own, servers = (called, caller) if is_incoming else (caller, called)
                        return f"{call};to-tag={servers};from-tag={own}"
                await asyncio.sleep(0.05)  # a file tells nobody that it grew

    def newest_call(self) -> str:
        """Its Call-ID."""
        return next(event.call for event in reversed(self.events) if event.kind == "CALL_ESTABLISHED")

    def shown(self) -> str:
        """Whom the phone was told last that it talks with: the user part of P-Asserted-Identity (RFC 3325)."""
        return (re.findall(r"^P-Asserted-Identity: .*sip:([^@]+)@", self.log(), re.M) or [""])[-1]

    def log(self) -> str:
        """What the program has told so far, each SIP message among it."""
        return (self._directory / "output.log").read_text(errors="replace")

    async def hold(self) -> None:
        await self._command("hold")

    async def resume(self) -> None:
        await self._command("resume")

    async def hang_up(self) -> None:
        await self._command("hangup")

    async def quit(self) -> None:
        """Unregisters and ends the program."""
        await self._command("quit")

    async def press(self, keys: str) -> None:
        """Sends the keys as RFC 4733 events, some 150 ms each; returns before they are all sent."""
        await self._command("sndcode", keys)

    async def say(self, sound: Samples) -> None:
        """From now on the microphone hears this, and then nothing for a while."""
        file = self._directory / f"said-{len(list(self._directory.glob('said-*')))}.wav"
        write_wav(file, np.concatenate([sound, np.zeros(20 * 8000, dtype=np.int16)]))
        await self._command("ausrc", f"aufile,{file}")

    async def until(self, kind: str, *, unless: str = "CALL_CLOSED", within_s: float = 10) -> Event:
        """The next such event that no earlier call of this returned. PhoneFailed if `unless` comes first."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    while self._unseen:
                        event = self._unseen.popleft()
                        if event.kind == kind:
                            return event
                        if event.kind == unless:
                            raise PhoneFailed(self._story(f"expected {kind}, found {unless} ({event.detail})"))
                    if self._gone:
                        raise PhoneFailed(self._story(f"expected {kind}, found that baresip has ended"))
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise PhoneFailed(self._story(f"expected {kind}, nothing within {within_s} s")) from None

    def heard(self) -> Samples:
        """All that was heard so far, call after call; none of silence that was never sent."""
        pieces = [read_wav(path) for path in sorted(self._directory.glob("dump-*-dec.wav"))]
        return np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.int16)

    async def hear(self, seconds: float, *, within_s: float = 10) -> Samples:
        """Waits until that much more has been heard, and returns just that."""
        before = len(self.heard())
        wanted = int(seconds * 8000)
        try:
            async with asyncio.timeout(within_s):
                while len(heard := self.heard()[before:]) < wanted:  # noqa: ASYNC110 - a file tells nobody that it grew
                    await asyncio.sleep(0.02)
        except TimeoutError:
            got = len(self.heard()) - before
            raise PhoneFailed(self._story(f"expected {wanted} samples, heard {got} within {within_s} s")) from None
        return heard[:wanted]

    async def _command(self, command: str, parameters: str | None = None) -> str:
        if len(f"{command} {parameters or ''}") > _COMMAND_LIMIT:
            raise ValueError(f"baresip takes commands of {_COMMAND_LIMIT} characters, found a longer {command}")
        token = f"{command}-{len(self._answers)}"
        message: dict[str, str] = {"command": command, "token": token}
        if parameters is not None:
            message["params"] = parameters
        answer = self._answers[token] = asyncio.get_running_loop().create_future()
        encoded = json.dumps(message).encode()
        self._writer.write(b"%d:%s," % (len(encoded), encoded))
        await self._writer.drain()
        return await asyncio.wait_for(answer, 5)

    async def read_events(self) -> None:
        """Runs as long as the phone does."""
        try:
            while True:
                size = int((await self._reader.readuntil(b":"))[:-1])
                message: dict[str, Any] = json.loads((await self._reader.readexactly(size + 1))[:-1])
                if message.get("response"):
                    self._answer(message)
                else:
                    peer, detail = str(message.get("peeruri", "")), str(message.get("param", ""))
                    event = Event(str(message["type"]), peer, detail, str(message.get("id", "")))
                    self.events.append(event)
                    self._unseen.append(event)
                    self._news.set()
        except (asyncio.IncompleteReadError, ConnectionError):
            self._gone = True
            self._news.set()

    def _answer(self, message: dict[str, Any]) -> None:
        answer = self._answers.get(str(message.get("token")))
        if answer is None or answer.done():
            return
        if message["ok"]:
            answer.set_result(str(message["data"]))
        else:
            answer.set_exception(PhoneFailed(self._story(f"baresip refused: {message['data']}")))

    def _story(self, summary: str) -> str:
        events = "\n".join(f"  {event.kind} {event.peer} {event.detail}" for event in self.events)
        return f"phone {self.host}: {summary}\nevents:\n{events}\nlog:\n{self.log()[-2000:]}"


@asynccontextmanager
async def phone(host: str, *, port: int = 5060, speaks: Samples | None = None) -> AsyncIterator[Phone]:
    """A baresip at this loopback address, which no other phone uses. `speaks`: up to what it says, from the answer
    on; a minute of 440 Hz if not given. Unregisters when the block is left, and is killed if it doesn't end."""
    with TemporaryDirectory(prefix="baresip-") as name:
        directory = Path(name)
        write_wav(directory / "microphone.wav", tone(440, _SPEECH_S) if speaks is None else speaks)
        config = _CONFIG.format(host=host, port=port, control=_CONTROL_PORT, rtp=_RTP_PORTS, directory=directory)
        (directory / "config").write_text(config)
        for empty in ("accounts", "contacts"):
            (directory / empty).touch()
        with (directory / "output.log").open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                "stdbuf", "-oL", "baresip", "-s", "-4", "-f", str(directory), stdin=DEVNULL, stdout=output, stderr=output,
                env={**os.environ, "TERM": "dumb"},
            )  # fmt: skip
        try:
            reader, writer = await _connected(host, process, directory)
            agent = Phone(host, directory, reader, writer)
            reading = asyncio.create_task(agent.read_events())
            try:
                yield agent
            finally:
                with suppress(PhoneFailed, OSError, TimeoutError):
                    await agent.quit()
                    await asyncio.wait_for(process.wait(), 3)
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
                writer.close()
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _connected(host: str, process: Process, directory: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """The control connection, as soon as baresip takes one; it takes one only, so nothing else may probe the port."""
    async with asyncio.timeout(10):
        while process.returncode is None:
            with suppress(ConnectionRefusedError):
                return await asyncio.open_connection(host, _CONTROL_PORT)
            await asyncio.sleep(0.01)
    raise PhoneFailed(f"phone {host}: baresip ended\n{(directory / 'output.log').read_text(errors='replace')}")
