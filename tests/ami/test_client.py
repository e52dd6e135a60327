"""The AMI client against hostile, slow and vanishing peers, on a real socket."""

import asyncio
import io
import re
from collections.abc import Iterator

import pytest
from asterisk.manager import ManagerMsg
from hypothesis import given
from hypothesis import strategies as st
from panoramisk.actions import Action as AmiAction

from ami import client as ami_client
from ami.client import AmiClient, AmiError
from ami.session import encode_action
from tests.ami.ami_peer import ADDRESS, EVENTS, Action, accept, ami_peer, response, until


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ami_client, "DELAY_S", 0.01)
    monkeypatch.setattr(ami_client, "REFUSED_DELAY_S", 0.02)


def client(port: int) -> AmiClient:
    return AmiClient(ADDRESS, port, "centralka", "secret")


words = st.text() | st.sampled_from(["Ping", "action", "Channel", "x\r\nAction: Originate", "\x85", "\u2028"])


@given(words, words, words)
def test_no_name_key_or_value_becomes_a_second_action(name: str, key: str, value: str) -> None:
    try:
        headers = encode_action(name, {key: value})
    except AmiError:
        return

    async def written() -> str:
        return str(AmiAction(headers))

    text = asyncio.run(written())
    assert len(re.findall(r"[\r\n]+", text)) == len(headers) + 1  # one line a header, ActionID too
    assert not set("\r\n\0") & set("".join([*headers, *map(str, headers.values())]))


@pytest.mark.parametrize(("key", "value"), [
    ("Channel", "x\r\nAction: Originate"), ("Channel", "x\n"), ("Channel", "x\r"), ("Channel", "x\0"),
    ("Channel", ["a", "b\n"]),
    ("Cha nnel", "x"), ("Channel:", "x"), ("", "x"), ("ActionID", "x"), ("action", "Originate"), ("Channel", "x" * 1000), ("Channel", "\ud800")])
def test_unsafe_header_is_refused(key: str, value: str) -> None:
    with pytest.raises(AmiError, match="AMI action 'Status'"):
        encode_action("Status", {key: value})


async def test_refused_login_says_who_where_and_why() -> None:
    def refuse(action: Action) -> bytes:
        return response(action, "Response: Error|Message: Authentication failed")

    async with ami_peer(refuse) as peer, client(peer.port) as ami:
        expected = f"AMI login refused for user 'centralka' at {ADDRESS}:{peer.port}: Authentication failed"
        with pytest.raises(AmiError, match=re.escape(expected)):
            await ami.command("core show version")
        peer.answer = accept
        await until(ami.connected.is_set)  # it kept trying


async def test_login_while_asterisk_goes_down_is_tried_again_as_soon_as_after_any_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ami_client, "REFUSED_DELAY_S", 1000)

    def refuse(action: Action) -> bytes:
        return response(action, "Response: Error|Message: Asterisk is shutting down")

    async with ami_peer(refuse) as peer, client(peer.port) as ami:
        with pytest.raises(AmiError, match="Asterisk is shutting down"):
            await ami.ready()
        peer.answer = accept
        await until(ami.connected.is_set)


async def test_nobody_listening_is_told_at_once() -> None:
    async with client(1) as ami:
        with pytest.raises(AmiError, match=rf"AMI connection to {ADDRESS}:1 failed"):
            await ami.ready()


async def test_lost_connection_fails_the_action_under_way_and_does_not_send_it_again() -> None:
    async with ami_peer() as peer, client(peer.port) as ami:
        await ami.ready()
        originate = asyncio.create_task(ami.action("Originate", Channel="Local/1@x"))
        await until(lambda: "Originate" in peer.names)
        peer.drop()
        with pytest.raises(AmiError, match="before Originate was answered"):
            await originate
        await ami.connection_after(1)
        await ami.action("Ping")
        peer.send(b"Event: FullyBooted\r\n\r\n")
        await ami.action("Ping")
        assert peer.names.count("Originate") == 1


async def test_unanswered_action_ends_after_its_time() -> None:
    async with ami_peer() as peer, client(peer.port) as ami:
        with pytest.raises(AmiError, match=r"AMI action Status got no answer .* within 0.05 s"):
            await ami.action("Status", limit_s=0.05)
        await ami.action("Ping")


async def test_connection_that_drops_in_the_middle_of_an_event_is_harmless() -> None:
    async with ami_peer() as peer, client(peer.port) as ami:
        heard: list[str] = []
        ami.on_event("Newchannel", lambda event: heard.append(event.uniqueid))
        await ami.ready()
        peer.send(b"Event: Newchannel\r\nUniqueid: 1.1\r\n\r\nEvent: Newchannel\r\nUniqueid: 1.")
        await until(lambda: heard)
        peer.drop()
        await until(lambda: peer.logins == 2)
        peer.send(b"Event: Newchannel\r\nUniqueid: 2.1\r\n\r\n")
        await until(lambda: len(heard) == 2)
        assert heard == ["1.1", "2.1"]


@pytest.mark.parametrize("flood", [b"Event: X\r\nA: " + b"x" * (2 << 20), b"\r\n" + b"A: b\r\n" * (1 << 19)])
async def test_message_without_an_end_ends_the_connection(flood: bytes) -> None:
    async with ami_peer() as peer, client(peer.port) as ami:
        await ami.ready()
        peer.send(flood)
        await ami.connection_after(1)
        await ami.action("Ping")


async def test_peer_that_is_not_asterisk_is_refused() -> None:
    async with ami_peer() as peer:
        peer.greeting = b"SSH-2.0-OpenSSH_9.2\r\n"
        async with client(peer.port) as ami:
            with pytest.raises(AmiError, match="greets with"):
                await ami.ready()
            peer.greeting = b"Asterisk Call Manager/11.0.0\r\n"
            await until(ami.connected.is_set)


async def test_silent_peer_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ami_client, "PING_EVERY_S", 0.02)
    monkeypatch.setattr(ami_client, "LOGIN_LIMIT_S", 0.05)

    async with ami_peer(lambda action: accept(action) if action["action"] == "Login" else None) as peer:
        async with client(peer.port) as ami:
            await until(lambda: peer.logins >= 2)
        assert not ami.connected.is_set()


async def test_callback_that_fails_does_not_end_the_connection() -> None:
    async with ami_peer() as peer, client(peer.port) as ami:
        heard: list[str] = []
        ami.on_event("Hangup", lambda event: heard.append(str(int(event.cause))))
        await ami.ready()
        peer.send(b"Event: Hangup\r\nCause: ?\r\n\r\nEvent: Hangup\r\nCause: 16\r\n\r\n")
        await until(lambda: heard == ["16"])
        assert peer.logins == 1


async def test_list_is_its_items_and_an_empty_one_is_no_error() -> None:
    def answer(action: Action) -> bytes | None:
        if action["action"] == "PJSIPShowContacts":
            return response(action, "Response: Error|Message: No Contacts found|")
        return accept(action)

    async with ami_peer(answer) as peer, client(peer.port) as ami:
        assert [item.device for item in await ami.listing("DeviceStateList")] == ["PJSIP/acme-201-desk"]
        assert await ami.listing("PJSIPShowEndpoints") == []
        assert await ami.listing("PJSIPShowContacts") == []


async def test_command_gives_its_output_and_a_failed_one_raises_it() -> None:
    def answer(action: Action) -> bytes | None:
        match action.get("command"):
            case "core show channels":
                return response(action, "Response: Success|Message: Command output follows|Output: 0 on|Output: |Output: end")
            case "nonsense":
                return response(action, "Response: Error|Message: Command output follows|Output: No such command 'nonsense'")
        return accept(action)

    async with ami_peer(answer) as peer, client(peer.port) as ami:
        assert await ami.command("core show channels") == "0 on\n\nend"
        with pytest.raises(AmiError, match="No such command 'nonsense'"):
            await ami.command("nonsense")


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start:start + size] for start in range(0, len(data), size))


@pytest.mark.parametrize("size", [1, 7, 1460, 1 << 20])
async def test_events_are_read_as_pyst2_reads_them_however_they_are_cut(size: int) -> None:
    events = [*EVENTS, "Event: Newchannel\r\nCallerIDName: Zażółć 'gęślą' ; jaźń\r\nUniqueid: 9.9\r\n\r\n".encode()]
    oracle = [ManagerMsg(io.StringIO(event.decode(), newline="").readlines()[:-1]).headers for event in events]
    heard: list[dict[str, str]] = []
    async with ami_peer() as peer, client(peer.port) as ami:
        for name in {headers["Event"] for headers in oracle}:
            ami.on_event(name, lambda event: heard.append({key: value for key, value in event.items() if key != "content"}))
        await ami.ready()
        for piece in pieces(b"".join(events), size):
            peer.send(piece)
        await until(lambda: len(heard) == len(oracle))
    assert [{key: value.strip() for key, value in headers.items()} for headers in heard] == oracle
