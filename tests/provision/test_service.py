"""Who gets a telephone's configuration, and what everybody else finds out: nothing."""

import asyncio
import re
import ssl
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from structlog.testing import capture_logs

from provision import https
from provision.https import MAX_HEAD_BYTES, MAX_OF_ADDRESS
from provision.limiter import ALLOWED
from tests.phones.files import read_yealink
from tests.provision.conftest import ADDRESS, Provisioning

MAC = "805ec0000001"           # acme's anna
Answered = tuple[int, list[tuple[str, str]], bytes]


def all_of(response: httpx.Response) -> Answered:
    return response.status_code, response.headers.multi_items(), response.content


async def nothing(service: Provisioning, peer: str = "127.74.2.1") -> Answered:
    """What somebody gets who asks for something that cannot be there."""
    async with service.client(peer=peer) as client:
        return all_of(await client.get(f"{service.base}/no/such/thing"))


async def test_telephone_with_its_own_address_gets_its_own_account_and_is_remembered(service: Provisioning) -> None:
    async with service.client() as client:
        response = await client.get(f"{service.addresses['acme/anna']}{MAC}.cfg")
    assert response.status_code == 200
    (account,) = read_yealink(response.text).accounts
    assert (account.user, account.password) == ("acme-201-desk", service.secrets.sip["acme-201-desk"])
    fetched = (await service.store.fetched())["acme/anna"]
    assert (fetched.address, fetched.file) == ("127.74.1.1", f"{MAC}.cfg")
    assert fetched.agent.startswith("Yealink SIP-T46U")
    assert datetime.now(UTC) - fetched.at < timedelta(seconds=10)


async def test_same_labels_of_two_tenants_never_meet(service: Provisioning) -> None:
    async with service.client() as client:
        found = {}
        for tenant, mac in (("acme", "805ec0000001"), ("rossi", "805ec0000101")):
            text = (await client.get(f"{service.addresses[f'{tenant}/anna']}{mac}.cfg")).text
            found[tenant] = read_yealink(text).accounts[0].user
            assert {"acme": "rossi", "rossi": "acme"}[tenant] not in text
    assert found == {"acme": "acme-201-desk", "rossi": "rossi-201-desk"}


@pytest.mark.parametrize("path", [
    "/{wrong}/805ec0000001.cfg",                     # another secret of the right length
    "/{acme}/805ec0000101.cfg",                      # the other tenant's telephone below our own secret
    "/{acme}/../{rossi}/805ec0000101.cfg", "/{acme}/..%2f..%2fsecrets.json", "/{acme}/%2e%2e/secrets.json",
    "/{acme}/", "/{acme}", "/{acme}//805ec0000001.cfg", "/{acme}/805ec0000001.cfg/x",
    "/../../etc/passwd", "//etc/passwd", "/secrets.json", "/published/current/phones/acme.json",
    "/805ec0000001.cfg", "/805EC0000001.cfg", "/805ec0ffffff.cfg", "/snomD785-805EC0000002.htm",
    "/{acme}/805ec0000001.cfg%00", "/{acme}/805ec0000001.cfg;x", "/" + "a" * 4000, "/",
])
async def test_whatever_is_wrong_the_answer_is_the_same(service: Provisioning, path: str) -> None:
    own, other = (service.addresses[f"{tenant}/anna"].split("/")[3] for tenant in ("acme", "rossi"))
    sent = path.format(wrong="A" * 43, acme=own, rossi=other)
    assert await raw(service, f"GET {sent} HTTP/1.1\r\nHost: x\r\n\r\n") == await raw(service, "GET /no/such HTTP/1.1\r\nHost: x\r\n\r\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "HEAD", "DELETE", "PROPFIND", "CONNECT"])
async def test_nothing_but_a_get_is_answered(service: Provisioning, method: str) -> None:
    path = service.addresses["acme/anna"].removeprefix(service.base)
    answer = await raw(service, f"{method} {path}{MAC}.cfg HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
    assert b"acme-201" not in answer
    assert answer.startswith(b"HTTP/1.1 404")


async def raw(service: Provisioning, text: str, peer: str = "127.74.1.2") -> bytes:
    """All that comes back, without the moment."""
    reader, writer = await asyncio.open_connection(
        ADDRESS, service.port, ssl=service.trust, server_hostname=ADDRESS, local_addr=(peer, 0))
    try:
        writer.write(text.encode())
        async with asyncio.timeout(100):
            return re.sub(rb"(?i)date: [^\r]*\r\n", b"", await reader.read())
    finally:
        writer.close()


async def test_window_lets_a_telephone_ask_by_its_mac_address_once(service: Provisioning) -> None:
    refused = await nothing(service)
    await service.store.open_window(MAC, datetime.now(UTC) + timedelta(minutes=5))
    async with service.client() as client:
        assert all_of(await client.get(f"{service.base}/y000000000108.cfg")) == refused     # what every Yealink asks for first
        first = await client.get(f"{service.base}/{MAC}.cfg")
        assert read_yealink(first.text).server == f"https://pbx.example.com:8443/{service.addresses['acme/anna'].split('/')[3]}/"
        assert all_of(await client.get(f"{service.base}/{MAC}.cfg")) == refused


async def test_window_that_is_over_and_that_of_another_telephone_open_nothing(service: Provisioning) -> None:
    refused = await nothing(service)
    await service.store.open_window(MAC, datetime.now(UTC) - timedelta(seconds=1))
    await service.store.open_window("805ec0000002", datetime.now(UTC) + timedelta(minutes=5))
    async with service.client() as client:
        assert all_of(await client.get(f"{service.base}/{MAC}.cfg")) == refused
        assert all_of(await client.get(f"{service.base}/805ec0000101.cfg")) == refused


async def test_two_who_ask_in_the_window_at_once_are_not_both_served(service: Provisioning) -> None:
    await service.store.open_window(MAC, datetime.now(UTC) + timedelta(minutes=5))
    async with service.client() as one, service.client(peer="127.74.1.3") as two:
        answers = await asyncio.gather(*(each.get(f"{service.base}/{MAC}.cfg") for each in (one, two, one, two)))
    assert sorted(answer.status_code for answer in answers) == [200, 404, 404, 404]


async def test_who_guesses_is_soon_not_answered_at_all_while_telephones_are_even_behind_the_same_address(service: Provisioning) -> None:
    with capture_logs() as logs:
        async with service.client(peer="127.74.3.1") as guesser:
            for _ in range(ALLOWED):
                assert (await guesser.get(f"{service.base}/{'A' * 43}/{MAC}.cfg")).status_code == 404
            with pytest.raises(httpx.RemoteProtocolError):
                await guesser.get(f"{service.base}/{'A' * 43}/{MAC}.cfg")
            with pytest.raises(httpx.RemoteProtocolError):
                await guesser.get(f"{service.base}/{MAC}.cfg")
            neighbour = guesser                   # behind the same address
            assert (await neighbour.get(f"{service.addresses['acme/anna']}{MAC}.cfg")).status_code == 200
    async with service.client() as phone:
        assert (await phone.get(f"{service.addresses['acme/anna']}{MAC}.cfg")).status_code == 200
    assert [entry["event"] for entry in logs].count("provision_refused") == ALLOWED
    assert {"event": "provision_blocked", "peer": "127.74.3.1", "log_level": "warning"} in logs


async def test_telephone_may_ask_for_any_number_of_files_that_it_does_not_have(service: Provisioning) -> None:
    async with service.client() as phone:
        for _ in range(ALLOWED * 2):
            assert (await phone.get(f"{service.addresses['acme/anna']}y000000000108.cfg")).status_code == 404
        assert (await phone.get(f"{service.addresses['acme/anna']}{MAC}.cfg")).status_code == 200


async def test_no_secret_and_no_password_is_logged(service: Provisioning) -> None:
    with capture_logs() as logs:
        async with service.client() as client:
            await client.get(f"{service.addresses['acme/anna']}{MAC}.cfg")
            await client.get(f"{service.addresses['acme/anna'][:-2]}/{MAC}.cfg")
            await client.get(f"{service.base}/no", headers={"User-Agent": "evil\x1b[2J agent"})
    told = str(logs)
    assert "provision_fetched" in told
    assert "provision_refused" in told
    assert service.addresses["acme/anna"].split("/")[3][:20] not in told
    assert service.secrets.sip["acme-201-desk"] not in told
    assert "\\x1b" not in told


async def test_huge_request_ends_early_and_is_not_kept(service: Provisioning) -> None:
    reader, writer = await asyncio.open_connection(ADDRESS, service.port, ssl=service.trust, server_hostname=ADDRESS)
    began = time.monotonic()
    with pytest.raises(ConnectionError):  # noqa: PT012 - reset or broken, whichever comes first
        for _ in range(1000):
            writer.write(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * MAX_HEAD_BYTES)
            await writer.drain()
            if reader.at_eof():
                raise ConnectionError
    assert time.monotonic() - began < 60


@pytest.fixture
def limits_that_are_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(https, "HANDSHAKE_S", 3.0)
    monkeypatch.setattr(https, "REQUEST_S", 3.0)


@pytest.mark.parametrize("encrypted", [True, False])
async def test_slow_clients_are_cut_off_and_hold_up_nobody(
    limits_that_are_reached: None, service: Provisioning, encrypted: bool,
) -> None:
    secured = {"ssl": service.trust, "server_hostname": ADDRESS} if encrypted else {}
    slow = [
        await asyncio.open_connection(ADDRESS, service.port, local_addr=("127.74.4.1", 0), **secured)
        for _ in range(MAX_OF_ADDRESS)]
    for _, writer in slow:
        writer.write(b"GET / HT" if encrypted else b"\x16\x03")
    async with service.client() as phone:
        assert (await phone.get(f"{service.addresses['acme/anna']}{MAC}.cfg")).status_code == 200
    async with asyncio.timeout(150):
        await asyncio.gather(*(reader.read() for reader, _ in slow), return_exceptions=True)
    for _, writer in slow:
        writer.close()


async def test_one_address_may_not_take_all_connections(service: Provisioning) -> None:
    held = [
        await asyncio.open_connection(ADDRESS, service.port, ssl=service.trust, server_hostname=ADDRESS, local_addr=("127.74.4.2", 0))
        for _ in range(MAX_OF_ADDRESS)]
    assert await raw(service, "GET /no HTTP/1.1\r\nHost: x\r\n\r\n", peer="127.74.4.2") == b""
    assert await raw(service, "GET /no HTTP/1.1\r\nHost: x\r\n\r\n", peer="127.74.4.3") != b""
    for _, writer in held:
        writer.close()


async def test_telephone_with_its_secret_is_served_while_redis_is_away_and_nobody_else_is(service: Provisioning) -> None:
    await service.store.open_window(MAC, datetime.now(UTC) + timedelta(minutes=5))
    await service.redis.stop()
    async with service.client() as client:
        assert (await client.get(f"{service.addresses['acme/anna']}{MAC}.cfg")).status_code == 200
        assert (await client.get(f"{service.base}/{MAC}.cfg")).status_code == 404


async def test_old_tls_is_refused(service: Provisioning) -> None:
    context = service.trust
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        await asyncio.open_connection(ADDRESS, service.port, ssl=context, server_hostname=ADDRESS)
