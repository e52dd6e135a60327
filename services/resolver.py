"""Resolver: the addresses of a host, by DNS and /etc/hosts, without a thread for each question.

The event loop's own getaddrinfo() takes one of uvloop's four threads until the system gives up: four names of one tenant whose
name server is silent would keep everybody else waiting. c-ares handles any number of queries at the same time.
"""

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from weakref import WeakKeyDictionary

import aiodns

IpAddress = IPv4Address | IPv6Address

TRY_S: Final = 1.0           # of one question to one name server
TRIES: Final = 2
LIMIT_S: Final = 4.0         # of all questions about one host


class HostUnknown(Exception):
    """There is no address of that name, or no name server says so in time."""


class Resolver:
    """`servers` are IP addresses of name servers, which listen at `port`; without any those of /etc/resolv.conf count."""

    def __init__(self, servers: Sequence[str] = (), port: int = 53) -> None:
        self._servers, self._port = servers, port
        self._of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, aiodns.DNSResolver] = WeakKeyDictionary()

    async def addresses(self, host: str) -> list[IpAddress]:
        """At least one, the best one first (RFC 6724). Raises HostUnknown, within LIMIT_S."""
        try:
            name = host.encode("idna").decode()
            if name == "localhost" or is_address(name):
                local = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)      # /etc/hosts says it
                found = dict.fromkeys(str(entry[4][0]) for entry in local)
            else:
                async with asyncio.timeout(LIMIT_S):
                    answer = await self._here().getaddrinfo(name, type=socket.SOCK_STREAM)
                found = dict.fromkeys(node.addr[0].decode() for node in answer.nodes)
        except (aiodns.error.DNSError, OSError, TimeoutError, UnicodeError):
            raise HostUnknown(host) from None
        if not found:
            raise HostUnknown(host)
        return [ip_address(address) for address in found]

    async def close(self) -> None:
        """Ends the queries that no task waits for any more. Call it in each event loop that has made queries."""
        if resolver := self._of_loops.pop(asyncio.get_running_loop(), None):
            await resolver.close()

    def _here(self) -> aiodns.DNSResolver:
        loop = asyncio.get_running_loop()
        found = self._of_loops.get(loop)
        if found is None:
            found = self._of_loops[loop] = aiodns.DNSResolver(
                self._servers or None, loop, timeout=TRY_S, tries=TRIES, udp_port=self._port, tcp_port=self._port)
        return found


def is_address(name: str) -> bool:
    """It is an IP address, in any way that connect() understands, such as '0x7f.1': no name server is asked for it."""
    try:
        socket.getaddrinfo(name, None, flags=socket.AI_NUMERICHOST)
    except OSError:
        return False
    return True
