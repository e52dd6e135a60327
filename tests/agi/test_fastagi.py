"""The FastAGI server on a real socket, against peers that are honest, slow, gone or hostile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from agi import fastagi
from agi.fastagi import MAX_HANDSHAKE_BYTES, WAKE_BYTES, Application, Hold, Query, start_server

LIMIT_S = 60
GOOD = b"""\
agi_network: yes
agi_network_script: step?tenant=acme&x=y
agi_request: agi://127.0.0.1:4573/step?tenant=acme&x=y
agi_channel: PJSIP/acme-trunk-carrier-000001f4
agi_language: en
agi_type: PJSIP
agi_uniqueid: 1.1
agi_version: 22.10.1
agi_callerid: +48600100200
agi_calleridname: unknown
agi_dnid: 1

"""


@pytest.fixture
async def port() -> AsyncIterator[int]:
    application = Application(loop=asyncio.get_running_loop())

    async def step(query: Query, _: Hold) -> list[str]:
        match query.arguments["tenant"]:
            case "raise":
                raise RuntimeError("a mistake of ours")
            case "inject":
                return ['SET VARIABLE STEP "x"\nEXEC System reboot']
            case _:
                return ['SET VARIABLE STATE "a"', 'SET VARIABLE STEP "b"']

    application.add_route("step", step)
    server = await start_server(application, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def said(port: int, sent: bytes, *, ends: bool = False, answers: bytes = b"200 result=1\n200 result=1\n") -> bytes:
    """What the server says to a peer that sends this, until the server closes."""
    async with asyncio.timeout(LIMIT_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        if ends:
            writer.write_eof()
        heard = await reader.read()
        if heard:
            writer.write(answers)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        return heard


async def test_request_is_answered_with_all_commands_at_once_and_closed(port: int) -> None:
    assert await said(port, GOOD) == b'SET VARIABLE STATE "a"\nSET VARIABLE STEP "b"\n'


@pytest.mark.parametrize(("sent", "ends"), [
    (b"", True),                                                        # closes before a word
    (b"agi_network_script: step\n", True),                              # closes before the blank line
    (b"agi_network_script: step\n", False),                             # never ends
    (b"", False),                                                       # never speaks
    (b"agi_network_script: " + b"x" * (MAX_HANDSHAKE_BYTES + 10), False),   # one endless line
    (b"agi_a: b\n" * 20_000, False),                                    # endless lines
    (GOOD.replace(b"step", b"other"), False),                           # no such route
    (b"GET / HTTP/1.1\r\nHost: x\r\n\n", False),                        # another protocol
    (b"\x00\xff\xfe\n\n", False),                                       # no text at all
    (GOOD.replace(b"agi_callerid", b"agi_nobody"), False),              # no caller where one must stand
    (GOOD.replace(b"acme&", b"acme&tenant=rossi&"), False),             # an argument twice
    (GOOD.replace(b"acme", b"raise"), False),
    (GOOD.replace(b"acme", b"inject"), False),
])
async def test_peer_gets_nothing_and_is_let_go_in_time(
    port: int, sent: bytes, ends: bool, monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as limits, suppress(ConnectionError):
        limits.setattr(fastagi, "MAX_WAIT_S", 0.3)
        assert await said(port, sent, ends=ends) == b""
    assert await said(port, GOOD) != b"", "and the server goes on"


@pytest.mark.parametrize("cut", [1, 17, 100, WAKE_BYTES, WAKE_BYTES + 1, GOOD.index(b"agi_callerid") + 14])
async def test_request_that_comes_in_two_pieces_is_answered(port: int, cut: int) -> None:
    async with asyncio.timeout(LIMIT_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GOOD[:cut])
        await writer.drain()
        await asyncio.sleep(0.02)           # long enough for the server to have read the first piece, were it woken by it
        writer.write(GOOD[cut:])
        assert await reader.read() == b'SET VARIABLE STATE "a"\nSET VARIABLE STEP "b"\n'
        writer.close()


async def test_hundred_peers_that_never_end_keep_nobody_else_waiting(port: int) -> None:
    writers = [(await asyncio.open_connection("127.0.0.1", port))[1] for _ in range(100)]
    assert await said(port, GOOD) != b""
    for writer in writers:
        writer.close()


@pytest.mark.parametrize("number", [
    b"1\nagi_network_script: step?tenant=raise\n\n", b"1\nagi_uniqueid: 2.2\n", b"x" * 4000, b"\"',$;" * 1000, b"\xff\x00", b"510 no\n"])
async def test_whatever_stands_in_the_callers_number_nothing_of_it_is_read(port: int, number: bytes) -> None:
    assert await said(port, GOOD.replace(b"+48600100200", number)) == b'SET VARIABLE STATE "a"\nSET VARIABLE STEP "b"\n'


def test_query_is_what_stands_before_the_caller() -> None:
    assert fastagi.read_query(GOOD.split(b"agi_callerid")[0]) == ("step", Query("1.1", {"tenant": "acme", "x": "y"}))
