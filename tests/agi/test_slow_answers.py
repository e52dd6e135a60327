"""A decision that asks a tenant's service: the call is told to wait, the real service is asked, its text becomes a sound."""

import asyncio
import os
import re
import subprocess
import sys
import time
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path, PurePosixPath

import pytest

from agi import speech
from agi.call_servers import CallServers, ServerRequest
from agi.decision_service import DecisionService
from agi.fastagi import Application, start_server
from agi.slow_answers import AFTERWARDS_S, SlowAnswers
from agi.speech import Speech
from agi.understanding import Understanding
from centralka.serve_agi import make_speech
from routing.call.call_server import CallServerReply
from services.published_tenants import PublishedTenants
from store import live
from store.answers import RedisAnswers
from store.follower import Live
from tests.agi.service import answers, serving
from tests.agi.test_decision_service import request, said
from tests.services.test_published_tenants import write_revision
from tests.tenants_for_tests import acme

LOOPBACK = (ip_network("127.0.0.0/8"),)
REPOSITORY = Path(__file__).parent.parent.parent


def service_that_asks(home: Path, url: str, more: str = "") -> DecisionService:
    server = f"call_servers:\n  crm: {{url: '{url}', next: sales, failed: mail{more}}}\n"
    write_revision(home, "1", acme=acme(("voicemails:", f"{server}voicemails:"), ("{to: main}", "{to: crm}")))
    slow = SlowAnswers(CallServers(LOOPBACK), Speech(make_speech, home / "said"), Understanding(home / "heard"))
    answers = RedisAnswers(live.connect(f"unix://{home}/none"))
    return DecisionService(PublishedTenants(home), Live(), answers, slow, PurePosixPath("/srv/x"))


@asynccontextmanager
async def deciding(home: Path, url: str) -> AsyncIterator[int]:
    application = Application(loop=asyncio.get_running_loop())
    application.add_route("step", service_that_asks(home, url).step)
    server = await start_server(application, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


ASKED = request("acme", "trunk", "+48221234567", "", "", "77", "", "")


async def test_call_is_told_to_wait_and_then_goes_where_the_service_says(tmp_path: Path) -> None:
    async with serving(answers({"go_to": "203"})) as service, deciding(tmp_path, service.url()) as port:
        commands = await said(port, ASKED)
    assert commands[:2] == ["SET AUTOHANGUP 8", "SET AUTOHANGUP 0"], "2 x 1 s to connect, 2 s for the answer, 4 s for us"
    assert commands[-1] == 'SET VARIABLE STEP "Dial(PJSIP/acme-203-desk,20,gitT)"'
    assert b'"digits":"77"' in service.received[0].body
    assert b'"caller":"+48600100200","caller_extension":"","dialled":"+48221234567"' in service.received[0].body


async def test_text_becomes_a_sound_that_the_call_is_sent_to(tmp_path: Path) -> None:
    async with serving(answers({"text": "Dzień dobry"})) as service, deciding(tmp_path, service.url()) as port:
        commands = await said(port, ASKED)
        assert commands[:3] == ["SET AUTOHANGUP 8", f"SET AUTOHANGUP {speech.LIMIT_S + AFTERWARDS_S:.0f}", "SET AUTOHANGUP 0"]
        [file] = (tmp_path / "said" / "acme").iterdir()
        assert commands[-1] == f'SET VARIABLE STEP "Playback(/srv/x/said/acme/{file.stem})"'
        assert commands[-2] == 'SET VARIABLE STATE "sales/entered/1/"'
        after = await said(port, request("acme", "trunk", "+48221234567", "", "sales/entered/1/", "77", "", ""))
        assert after[-1] == 'SET VARIABLE STEP "Dial(PJSIP/acme-201-desk&PJSIP/acme-202-desk,20,gitT)"'
    with wave.open(str(file)) as sound:
        assert sound.getframerate() == 8000
        assert sound.getnframes() > 3000


async def test_service_that_is_away_sends_the_call_to_failed(tmp_path: Path) -> None:
    async with serving(b"") as service:
        pass
    async with deciding(tmp_path, service.url()) as port:
        commands = await said(port, ASKED)
    assert "crm|.server_failed-no_connection~.on_to-mail~" in commands[2]


# Speech


async def test_text_that_was_said_is_not_made_again_and_each_tenant_has_its_own(tmp_path: Path) -> None:
    made: list[Path] = []

    async def make(name: str, text: str, language: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.wav").write_text(text)
        made.append(folder)

    speaking = Speech(make, tmp_path)
    names = await asyncio.gather(*(speaking.sound_of("acme", "Hej", "pl") for _ in range(5)))
    assert set(names) == {await speaking.sound_of("rossi", "Hej", "pl")}
    assert made == [tmp_path / "acme", tmp_path / "rossi"]
    assert await speaking.sound_of("acme", "Hej", "en") != names[0]


async def test_speech_that_takes_too_long_or_fails_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech, "LIMIT_S", 0.1)

    async def slow(*_: object) -> None:
        await asyncio.sleep(3600)

    async def broken(*_: object) -> None:
        raise OSError("espeak-ng ended with 1")

    assert await Speech(slow, tmp_path).sound_of("acme", "Hej", "pl") == ""
    assert await Speech(broken, tmp_path).sound_of("acme", "Hej", "pl") == ""


def test_what_was_not_said_for_a_day_and_what_is_too_much_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech, "KEPT", 3)
    for i in range(5):
        (tmp_path / f"{i}.wav").touch()
        os.utime(tmp_path / f"{i}.wav", (0, 100_000 - i * 30_000))
    speech.forget(tmp_path, 100_000)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["0.wav", "1.wav", "2.wav"]
    speech.forget(tmp_path, 100_000 + 60_000)
    assert [file.name for file in tmp_path.iterdir()] == ["0.wav"]


# The documentation


async def test_service_of_the_documentation_works(tmp_path: Path) -> None:
    text = (REPOSITORY / "docs" / "call-server.md").read_text()
    [program] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (tmp_path / "service.py").write_text(program)
    async with serving(b"") as free:
        pass
    process = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "service.py", str(free.port)], cwd=tmp_path, env={"CENTRALKA_SECRET": "geheim"}, stderr=subprocess.DEVNULL)
    try:
        def asked(digits: str, secret: str) -> ServerRequest:
            return ServerRequest("acme", "crm", free.url(), secret, {"call": "1.1", "digits": digits}, int(time.time()), 1, 2)

        async with asyncio.timeout(60):
            while True:
                try:
                    (await asyncio.open_connection("127.0.0.1", free.port))[1].close()
                    break
                except ConnectionError:
                    await asyncio.sleep(0.05)
        servers = CallServers(LOOPBACK)
        assert await servers.ask(asked("12345678", "geheim")) == CallServerReply(show={"customer": "Kowalska, contract 17"}, go_to="sales")
        assert await servers.ask(asked("1", "geheim")) == CallServerReply(text="Nie znamy tego numeru klienta.")
        assert "status 403" in str(await servers.ask(asked("1", "another")))
    finally:
        process.kill()
        process.wait()
