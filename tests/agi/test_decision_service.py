"""One request of Asterisk's, one decision: what it sends leads to exactly these commands, and nothing unsafe in or out."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote

import pytest
from structlog.testing import capture_logs

from agi import fastagi
from agi.call_servers import CallServers
from agi.channel_text import ChannelResult, path_text, read_event, read_state, start_text, state_text
from agi.decision_service import AgiAnswer, DecisionService
from agi.fastagi import Application, Hold, Query, start_server
from agi.slow_answers import SlowAnswers
from agi.speech import Speech
from agi.understanding import Understanding
from centralka.serve_agi import make_speech
from routing.call.facts import DeviceState
from routing.call.reasons import Why
from routing.call.state import Awaits, Digits, Origin, Started, State, Visit
from routing.call.step import CheckVoicemail, Dial, Play, Read, Voicemail
from routing.nodes.menu import Menu
from routing.platform.platform import Platform
from services.asterisk_text import AgiError, step_text
from services.published_tenants import PublishedTenants
from store import live
from store.answers import RedisAnswers
from store.follower import Live
from store.lines import Lines, lines_key
from tests.routing.test_mobile_access import firm
from tests.services.test_published_tenants import write_revision
from tests.store.redis_server import RedisServer
from tests.tenants_for_tests import acme

SOUNDS = "/srv/x/sounds/acme/"
CALL = "1700000000.1"                                           # whose consultation this channel may be
CALLER = {"caller": "%2B48600100200", "name": "Anna%20(sales)", "call": CALL}      # as URIENCODE() writes them
NAMES = ("tenant", "origin", "dialled", "extension", "state", "digits", "ended", "voicemail")
LIMIT_S = 60
Devices = dict[str, DeviceState]


@pytest.fixture
def devices() -> Devices:
    return {}


@pytest.fixture
async def port(tmp_path: Path, devices: Devices) -> AsyncIterator[int]:
    application = Application(loop=asyncio.get_running_loop())
    application.add_route("step", service_in(tmp_path, devices).step)
    server = await start_server(application, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def service_in(home: Path, devices: Devices) -> DecisionService:
    """Without Redis. Decides by acme's file."""
    write_revision(home, "1", acme=acme())
    answers = RedisAnswers(live.connect(f"unix://{home}/none"))
    slow = SlowAnswers(CallServers(), Speech(make_speech, home / "said"), Understanding(home / "heard"))
    return DecisionService(PublishedTenants(home), Live(devices), answers, slow, PurePosixPath("/srv/x"))


def request(*arguments: str, caller: str = "+48600100200") -> bytes:
    """The handshake as Asterisk 22 writes it, `arguments` in the order of NAMES. Source: res_agi.c, setup_env()."""
    named = dict(zip(NAMES, arguments, strict=False)) | {"left": "", "transferrer": ""} | CALLER
    script = f"step?{'&'.join(f'{name}={value}' for name, value in named.items())}"
    return "\n".join((
        "agi_network: yes", f"agi_network_script: {script}", f"agi_request: agi://127.0.0.1/{script}",
        "agi_channel: PJSIP/acme-201-desk-00000001", "agi_language: en", "agi_type: PJSIP", "agi_uniqueid: 1700000000.7",
        "agi_version: 22.5.0", f"agi_callerid: {caller}", "agi_calleridname: Anna", "agi_callingpres: 0", "agi_callingani2: 0",
        "agi_callington: 0", "agi_callingtns: 0", "agi_dnid: 48221234567", "agi_rdnis: unknown", "agi_context: step",
        "agi_extension: s", "agi_priority: 2", "agi_enhanced: 0.0", "agi_accountcode: acme", "agi_threadid: 1", "", "")).encode()


async def said(
    port: int, sent: bytes, answer: str = "200 result=0\n", *, stays_while: Callable[[], bool] = lambda: False,
) -> list[str]:
    """The commands, which this peer executes one after another until the server's end of stream, as Asterisk does. Then it closes
    the connection, or later."""
    async with asyncio.timeout(LIMIT_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        commands = (await reader.read()).decode().splitlines()
        if commands:
            writer.write((answer * len(commands)).encode())
        while stays_while():      # noqa: ASYNC110 - the log is another's
            await asyncio.sleep(0.01)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        return commands


@pytest.mark.parametrize(("arguments", "path", "state", "step"), [
    (("acme", "trunk", "+48221234567", "", "", "", "", ""),
     "start|.to_did-%2B48221234567~;main|.asks_for_key~", "main/digits/0/0.0", f"Read(DIGITS,{SOUNDS}welcome-0,1,e,1,5)"),
    (("acme", "phone", "300", "203", "", "", "", ""),
     "start|.dials-203-300~;sales|.rings-.who-201~.who-202~~", "sales/dial/0/0.0.0.0.3", "Dial(PJSIP/acme-201-desk&PJSIP/acme-202-desk,20,gitT)"),
    (("acme", "phone", "300", "201", "", "", "", ""),                            # Anna calls her own group
     "start|.dials-201-300~;sales|.is_caller-201~.rings-.who-202~~", "sales/dial/0/0.0.0.0.2", "Dial(PJSIP/acme-202-desk,20,gitT)"),
    (("acme", "phone", "*97", "202", "", "", "", ""),
     "start|.checks_mailbox-202~", "start/voicemail/0/16", "VoiceMailMain(202@acme,s)"),
    (("acme", "trunk", "201", "", "", "", "", ""),
     "start|.unknown_number-201~", "start/played/0/1", f"Gosub(early,s,1({SOUNDS}sys_unknown_number-0))"),
    (("acme", "phone", "20a%0A", "201", "", "", "", ""),
     "start|.unknown_number-~", "start/played/0/1", f"Gosub(early,s,1({SOUNDS}sys_unknown_number-0))"),
    (("acme", "trunk", "%2B48221234567", "", "", "", "", ""),
     "start|.to_did-%2B48221234567~;main|.asks_for_key~", "main/digits/0/0.0", f"Read(DIGITS,{SOUNDS}welcome-0,1,e,1,5)"),
    (("acme", "trunk", "+48221234567", "", "main/digits/0/0.0", "2", "", ""),
     "main|.key-2~.on_to-service~;service|.rings-.who-202~~", "service/dial/1/0.0.0.1.1", "Dial(PJSIP/acme-202-desk,10,gitTc)"),
    (("acme", "trunk", "+48221234567", "", "main/digits/0/1.0", "9", "BUSY", ""),
     "main|.wrong_key-9~.asks_again~", "main/digits/0/1.1", f"Read(DIGITS,{SOUNDS}sys_wrong_key-0&{SOUNDS}welcome-0,1,e,1,5)"),
    (("acme", "trunk", "+48221234567", "", "service/dial/1/0.0.0.1.1", "2", "NOANSWER", ""),
     "service|.dial_ended-noanswer~.rings-.who-201~~", "service/dial/1/0.0.3.2.3", "Dial(PJSIP/acme-201-desk,10,gitT)"),
    (("acme", "trunk", "+48221234567", "", "service/dial/1/0.0.3.2.3", "2", "ANSWER", ""),
     "service|.conversation_over~", "service/nothing/1/", "Hangup(16)"),
    (("acme", "trunk", "+48221234567", "", "mail/played/2/", "2", "NOANSWER", ""),
     "mail|.records-201~", "mail/voicemail/2/", "VoiceMail(201@acme,s)"),
    (("acme", "trunk", "+48221234567", "", "mail/voicemail/2/", "2", "NOANSWER", "SUCCESS"),
     "mail|.mailbox_done~", "mail/nothing/2/", "Hangup(16)"),
    (("acme", "trunk", "+48221234567", "", "mail/voicemail/2/", "2", "NOANSWER", "FAILED"),
     "mail|.mailbox_failed~", "mail/played/2/16", f"Playback({SOUNDS}sys_unavailable-0)"),
    (("acme", "trunk", "+48221234567", "", "gone/digits/3/", "2", "", ""),
     "gone|.node_gone~", "gone/nothing/3/", "Goto(acme-failover,s,1)"),
])
async def test_request_leads_to_exactly_these_commands(port: int, arguments: tuple[str, ...], path: str, state: str, step: str) -> None:
    dialled = quote(unquote(arguments[2]), safe="")
    event = f"step,{path}" if arguments[4] else f"start,%2B48600100200|Anna%20%28sales%29|{dialled};{path}"
    with capture_logs() as logs:
        assert await said(port, request(*arguments)) == [
            "SET AUTOHANGUP 0", f'EXEC CELGenUserEvent "{event}"', f'SET VARIABLE STATE "{state}"', f'SET VARIABLE STEP "{step}"']
    told = [entry for entry in logs if entry["event"] == "step"]
    assert [(entry["tenant"], entry["call"], entry["step"]) for entry in told] == [("acme", CALL, step)]


@pytest.mark.parametrize(("state", "event"), [
    ("", "start,%2B48600100200|Anna%20%28sales%29|%2B48221234567;start|.internal_error~"),
    ("main/digits/0/0.0", "step,main|.internal_error~")])
async def test_fault_of_ours_is_logged_with_its_traceback_and_the_caller_reaches_a_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str, event: str,
) -> None:
    monkeypatch.setattr(Menu, "decide", lambda self, here, memory, event: ("",)[len(memory) + 1])
    service = service_in(tmp_path, {})
    given = dict(zip(NAMES, ("acme", "trunk", "%2B48221234567", "", state, "1", "", ""), strict=True))
    query = Query("1.1", given | {"left": "", "transferrer": ""} | CALLER)
    with capture_logs() as logs:
        assert await service.answer(query, lambda seconds: None) == AgiAnswer(event, state, "Goto(failover)")
    assert [(entry["event"], entry["tenant"], entry["call"], entry.get("exc_info")) for entry in logs] == [
        ("decision_failed", "acme", CALL, True)]


async def test_phone_that_is_in_a_call_now_is_passed_over_now(port: int, devices: Devices) -> None:
    asked = request("acme", "phone", "300", "203", "", "", "", "")
    devices["acme-201-desk"] = DeviceState.IN_USE
    assert (await said(port, asked))[3] == 'SET VARIABLE STEP "Dial(PJSIP/acme-202-desk,20,gitT)"'
    devices["acme-201-desk"] = DeviceState.IDLE
    assert (await said(port, asked))[3] == 'SET VARIABLE STEP "Dial(PJSIP/acme-201-desk&PJSIP/acme-202-desk,20,gitT)"'


@pytest.mark.parametrize(("arguments", "found"), [
    (("acme", "trunk", "1", "", "", "", ""), "no argument 'voicemail'"),
    (("acme", "trunk", "1&tenant=rossi", "", "", "", "", ""), "argument 'tenant' is given twice"),
    ((), "no argument 'tenant'"),
    (("../x", "trunk", "1", "", "", "", "", ""), "tenant: found '../x'"),
    (("rossi", "trunk", "1", "", "", "", "", ""), "tenant 'rossi' is not published"),
    (("acme", "desk", "1", "", "", "", "", ""), "origin: found 'desk', expected one of trunk, phone, transfer"),
    (("acme", "", "1", "", "", "", "", ""), "origin: found ''"),
    (("acme", "phone", "201", "x", "", "", "", ""), "caller's extension: found 'x'"),
    (("acme", "trunk", "1", "", "main", "", "", ""), "state: found 'main'"),
    (("acme", "trunk", "1", "", "main/digits/0/0.0", "1,2", "", ""), "digits: found '1,2'"),
    (("acme", "trunk", "1", "", "mail/nothing/2/", "", "", ""), "state mail: the call goes on after its last step"),
])
async def test_request_that_makes_no_sense_gets_no_command_and_is_told(port: int, arguments: tuple[str, ...], found: str) -> None:
    with capture_logs() as logs:
        assert await said(port, request(*arguments)) == []
    assert [entry["event"] for entry in logs] == ["agi_refused"]
    assert found in logs[0]["found"]


async def test_dialplan_is_told_which_number_it_may_not_call_by_itself(tmp_path: Path, redis_server: RedisServer) -> None:
    """An agent's mobile, a caller who is called back; without Redis it may call every number it could ever."""
    write_revision(tmp_path, "1", acme=acme().model_copy(update={"platform": Platform()}))
    redis = live.connect(redis_server.url)
    slow = SlowAnswers(CallServers(), Speech(make_speech, tmp_path / "said"), Understanding(tmp_path / "heard"))
    service = DecisionService(PublishedTenants(tmp_path), Live({}), RedisAnswers(redis), slow, PurePosixPath("/srv/x"))

    async def refused(payer: str, number: str, channel: str = "1.1") -> list[str]:
        return await service.admit(Query(channel, {"tenant": "acme", "payer": payer, "number": number, "call": "1.1"}), lambda seconds: None)

    try:
        await Lines(redis).stop("acme", "201", "test")
        assert await refused("201", "+48600100200") == ['SET VARIABLE REFUSED "yes"']
        assert await refused("202", "+4930123456") == ['SET VARIABLE REFUSED "yes"'], "nobody has called DE before"
        assert await refused("202", "+48600100200") == []
        assert await refused("", "+48600100201", "1.2") == []
        assert len(await redis.zrange(lines_key("acme"), 0, -1)) == 2
        for wrong in (("20a", "+48600100200"), ("", "600,"), ("", "")):
            with pytest.raises(AgiError):
                await refused(*wrong)
        await redis_server.stop()
        assert await refused("201", "+48600100200") == []
    finally:
        await redis.aclose()


# How the commands are sent


@pytest.fixture
async def serve() -> AsyncIterator[Callable[[list[str]], object]]:
    """Starts a server that answers every request with the same commands."""
    servers: list[asyncio.Server] = []

    async def start(commands: list[str]) -> int:
        async def step(_: Query, __: Hold) -> list[str]:
            return commands

        application = Application(loop=asyncio.get_running_loop())
        application.add_route("step", step)
        servers.append(await start_server(application, "127.0.0.1", 0))
        return int(servers[-1].sockets[0].getsockname()[1])

    yield start
    for server in servers:
        server.close()


@pytest.mark.parametrize("char", ["\n", "\r", "\0", "\t", "\x1f", "\x7f", "\x1b"])
async def test_command_with_a_control_character_is_never_sent(serve, char: str) -> None:  # type: ignore[no-untyped-def]
    for commands in ([f"SET VARIABLE X a{char}b"], ["SET VARIABLE X a", f"SET VARIABLE Y b{char}"]):
        with capture_logs() as logs:
            assert await said(await serve(commands), request()) == []
        assert [entry["event"] for entry in logs] == ["agi_refused"]
        assert "refused to send a control character" in logs[0]["found"]


async def test_commands_end_before_the_answers_begin(serve) -> None:  # type: ignore[no-untyped-def]
    """Asterisk ends the AGI at our end of stream: `said` reads to it before it answers, and would wait for ever."""
    assert await said(await serve(["A", "B"]), request()) == ["A", "B"]


@pytest.mark.parametrize("answer", ["510 Invalid or unknown command\n", "520-Invalid command syntax. Proper usage follows:\n520 End of proper usage.\n"])
async def test_command_that_asterisk_does_not_know_is_told(serve, answer: str) -> None:  # type: ignore[no-untyped-def]
    with capture_logs() as logs:
        await said(await serve(["A"]), request(), answer)
        async with asyncio.timeout(LIMIT_S):
            while not logs:      # noqa: ASYNC110 - the log is another's
                await asyncio.sleep(0.01)
    assert [entry["event"] for entry in logs] == ["agi_refused"]
    assert logs[0]["found"].startswith(f"Asterisk answered '{answer[:3]}")


@pytest.mark.parametrize("answer", ["200 result=1\n", "200 result=-1\n", "HANGUP\n", "511 Command Not Permitted on a dead channel or intercept routine\n", ""])
async def test_answer_of_a_call_that_goes_on_or_has_ended_is_none_to_tell(serve, answer: str) -> None:  # type: ignore[no-untyped-def]
    with capture_logs() as logs:
        await said(await serve(["A"]), request(), answer)
        await asyncio.sleep(0.1)
    assert logs == []


async def test_peer_that_never_closes_is_left_in_time(serve, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(fastagi, "MAX_WAIT_S", 0.5)
    with capture_logs() as logs:
        assert await said(await serve(["A"]), request(), stays_while=lambda: not logs) == ["A"]
    assert [(entry["event"], entry["found"]) for entry in logs] == [("agi_refused", "no end of request or connection within 0.5 s")]


# What may enter and leave at all


HOME = PurePosixPath("/srv/x")
BAD = ["", " ", "a b", "a,b", "a&b", "a)b", "${X}", "a\n", "a\nb", "a\"b", "a'b", "a|b", "a;b", "ą", "٢٠"]


@pytest.mark.parametrize("mailbox", [*BAD, "1", "1234567", "201@rossi", "desk"])
def test_mailbox_of_any_other_form_is_refused(mailbox: str) -> None:
    for step in (Voicemail(mailbox), CheckVoicemail(mailbox)):
        with pytest.raises(AgiError, match=r"\Amailbox: found"):
            step_text(step, acme(), {}, HOME)


@pytest.mark.parametrize("sound", [*BAD, "../x", "a.b", "/etc/x", "A"])
def test_sound_of_any_other_form_is_refused(sound: str) -> None:
    for step in (Play(("welcome",)), Play(("welcome",), early=True), Read(("welcome",), 1, 5)):
        with pytest.raises(AgiError, match=r"\Asound: found"):
            step_text(step, acme(), {"welcome": sound}, HOME)


@pytest.mark.parametrize("home", ["/srv/a b", "/srv/a,b", "/srv/a&b", "/srv/${X}", "/srv/a)", "/srv/ą", "/srv/a\n"])
def test_home_of_any_other_form_is_refused(home: str) -> None:
    with pytest.raises(AgiError, match=r"\Ahome: found"):
        step_text(Play(("welcome",)), acme(), {"welcome": "welcome-0"}, PurePosixPath(home))


@pytest.mark.parametrize("name", [*BAD, "acme/201", "A"])
def test_endpoint_of_any_other_form_is_refused_wherever_it_stands(name: str) -> None:
    for endpoints in ((name,), ("acme-201-desk", name)):
        with pytest.raises(AgiError, match=r"\Aendpoint: found"):
            step_text(Dial(endpoints, 20), acme(), {}, HOME)


@pytest.mark.parametrize("node", [*BAD, "a/b", "Main", "a-b"])
def test_node_of_any_other_form_is_refused(node: str) -> None:
    with pytest.raises(AgiError, match=r"\Anode: found"):
        state_text(State(node, Awaits.PLAYED, 0))


@pytest.mark.parametrize("extension", ["1", "1234567", "20a", "201\n", "${X}", " 201", "٢٠١"])
def test_callers_extension_of_any_other_form_is_refused(extension: str) -> None:
    with pytest.raises(AgiError, match="caller's extension: found"):
        read_event(None, "phone", "201", extension, ChannelResult())
    assert read_event(None, "phone", "201", "1234", ChannelResult()) == Started(Origin.PHONE, "201", "1234")


@pytest.mark.parametrize("digits", ["a", "1 2", "E", "1\n", "1" * 33, "٢"])
def test_digits_of_any_other_form_are_refused(digits: str) -> None:
    state = State("main", Awaits.DIGITS, 0)
    with pytest.raises(AgiError, match="digits: found"):
        read_event(state, "trunk", "1", "", ChannelResult(digits))
    assert read_event(state, "trunk", "1", "", ChannelResult("*0#9AD")) == Digits("*0#9AD")


@pytest.mark.parametrize("origin", ["", "TRUNK", "trunk ", "internal"])
def test_origin_that_nobody_knows_is_refused(origin: str) -> None:
    with pytest.raises(AgiError, match="origin: found"):
        read_event(None, origin, "201", "", ChannelResult())


@pytest.mark.parametrize("text", ["main", "main/digits/0", "main/sleeps/0/", "Main/digits/0/", "main/digits/x/", "main/digits/0/1.", "main/digits/0/a", "main/digits/00000/", "main/digits/0/\n", "a" * 32 + "/digits/0/"])
def test_state_of_any_other_form_is_refused(text: str) -> None:
    with pytest.raises(AgiError, match="state: found"):
        read_state(text)


@pytest.mark.parametrize("text", [*BAD, "a;b", "%0a", "%", "x" * 5000, "\\\"", "(", "a%2"])
def test_what_a_caller_chose_is_carried_encoded_whatever_it_is(text: str) -> None:
    for said in (start_text(text, "", ""), start_text("", text, ""), start_text("", "", text)):
        assert re.fullmatch(r"[A-Za-z0-9%|_.~-]{2,2000}", said)
        assert said.count("|") == 2


def test_reason_is_carried_encoded() -> None:
    visits = (Visit("main", Why.WORDS('a,b;c|d"e\\f$g(h)')), Visit("201", Why.WORDS("ąž")))
    assert path_text(visits) == "main|.words-a%2Cb%3Bc%7Cd%22e%5Cf%24g%28h%29~;201|.words-%C4%85%C5%BE~"


async def test_pin_that_was_keyed_is_taken_back_from_the_channel_and_stands_in_no_log(port: int, tmp_path: Path) -> None:
    write_revision(tmp_path, "2", acme=firm())
    with capture_logs() as logs:
        commands = await said(port, request("acme", "trunk", "48221234567", "", "access/pin/0/0.0", "471147", "", ""))
    assert commands[0] == 'SET VARIABLE DIGITS ""'
    assert len(commands) == 5
    assert "471147" not in f"{commands} {logs}"
