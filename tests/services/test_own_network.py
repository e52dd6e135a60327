"""No call server's address, however it is spelt or found, leads into our own network."""

from ipaddress import ip_address, ip_network

import pytest

from agi.call_servers import CallServers
from routing.call.call_server import Failed, Failure
from services.own_network import is_allowed, is_ours
from services.resolver import IpAddress, Resolver
from tests.agi.asking import SALES, request
from tests.agi.service import GO_TO_SALES, serving


@pytest.mark.parametrize("address", [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1",
    "169.254.169.254", "169.254.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::", "fe80::1", "fe80::1%lo",
    "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1", "::ffff:0:127.0.0.1"])
def test_address_that_only_our_own_network_reaches_is_refused(address: str) -> None:
    assert is_ours(ip_address(address))
    assert not is_allowed(ip_address(address), ())


@pytest.mark.parametrize("address", ["8.8.8.8", "193.0.6.139", "172.15.0.1", "172.32.0.1", "100.128.0.1", "2a00:1450::1", "::ffff:8.8.8.8"])
def test_public_address_is_not_refused(address: str) -> None:
    assert is_allowed(ip_address(address), ())


def test_operator_allows_networks_and_no_more() -> None:
    networks = (ip_network("10.1.0.0/16"), ip_network("fd00::/8"))
    assert is_allowed(ip_address("10.1.2.3"), networks)
    assert is_allowed(ip_address("::ffff:10.1.2.3"), networks)
    assert is_allowed(ip_address("fd00::1"), networks)
    assert not is_allowed(ip_address("10.2.0.1"), networks)
    assert not is_allowed(ip_address("127.0.0.1"), networks)


@pytest.mark.parametrize(("host", "found"), [
    ("127.0.0.1", "127.0.0.1"), ("localhost", "127.0.0.1"), ("[::ffff:127.0.0.1]", "::ffff:127.0.0.1"), ("2130706433", "127.0.0.1"),
    ("0x7f.1", "127.0.0.1"), ("0", "0.0.0.0"), ("127.1", "127.0.0.1")])
async def test_no_spelling_of_our_own_address_is_connected(host: str, found: str) -> None:
    async with serving(GO_TO_SALES) as service:
        answer = await CallServers().ask(request(f"https://{host}:{service.port}/"))
        assert isinstance(answer, Failed)
        assert answer.failure is Failure.REFUSED_ADDRESS
        assert answer.detail in (found, "::1", found.replace("::ffff:127.0.0.1", "::ffff:7f00:1"))
        assert service.connections == 0


async def test_name_that_has_one_refused_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    asked_for: list[str] = []

    async def two(_: Resolver, host: str) -> list[IpAddress]:
        asked_for.append(host)
        return [ip_address("8.8.8.8"), ip_address("10.0.0.1")]

    monkeypatch.setattr(Resolver, "addresses", two)
    assert await CallServers().ask(request("https://mixed.example/")) == Failed(Failure.REFUSED_ADDRESS, "10.0.0.1")
    assert asked_for == ["mixed.example"]


async def test_name_is_looked_up_once_and_that_address_is_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that means our own network a moment later would lead the connection there."""
    lookups: list[str] = []

    async def rebinding(_: Resolver, host: str) -> list[IpAddress]:
        assert host == "rebinding.example"
        lookups.append("127.0.0.1" if not lookups else "127.0.0.2")
        return [ip_address(lookups[-1])]

    monkeypatch.setattr(Resolver, "addresses", rebinding)
    async with serving(GO_TO_SALES) as service:
        allowed = CallServers((ip_network("127.0.0.1"),))
        assert await allowed.ask(request(f"http://rebinding.example:{service.port}/")) == SALES
        assert service.received[0].headers["host"] == f"rebinding.example:{service.port}"
    assert lookups == ["127.0.0.1"]
