"""HTTPS requests to a URL that a tenant chose: never into our own network, limited in time and size."""

import ssl
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from services.own_network import Network, address_of
from services.resolver import Resolver

AGENT: Final = "Centralka"


class TooLarge(Exception):
    """More was sent than may be read."""


@dataclass(frozen=True, slots=True)
class Reach:
    """The services that can be reached: `allowed` networks are our own that requests may reach; `tls` has the trusted CAs."""

    allowed: Collection[Network]
    tls: ssl.SSLContext
    resolver: Resolver


def reach_of(allowed: Collection[Network] = (), ca_file: Path | None = None, resolver: Resolver | None = None) -> Reach:
    """`ca_file` holds certificates that are trusted besides the public ones."""
    tls = httpx.create_ssl_context(trust_env=False)
    if ca_file:
        tls.load_verify_locations(ca_file)
    return Reach(allowed, tls, resolver or Resolver())


@asynccontextmanager
async def asked(
    reach: Reach, method: str, url: str, headers: Mapping[str, str], *, limit_s: float, content: bytes | None = None,
    extensions: Mapping[str, Any] | None = None,
) -> AsyncIterator[httpx.Response]:
    """Connects to the address that was checked, with the host name of the URL; follows no redirection.
    Raises AddressRefused, HostUnknown and httpx.HTTPError."""
    meant = httpx.URL(url)
    address = await address_of(meant.host, reach.resolver, reach.allowed)
    async with (
        httpx.AsyncClient(verify=reach.tls, timeout=limit_s, trust_env=False, follow_redirects=False) as client,
        client.stream(
            method, meant.copy_with(host=str(address)), content=content,
            headers={"Host": meant.netloc.decode(), "Accept-Encoding": "identity", "User-Agent": AGENT, **headers},
            extensions={"sni_hostname": meant.host, **(extensions or {})}) as response,
    ):
        yield response


async def body_of(response: httpx.Response, most: int) -> bytes:
    """Raises TooLarge beyond `most` bytes."""
    read = b""
    async for chunk in response.aiter_raw():
        read += chunk
        if len(read) > most:
            raise TooLarge
    return read


def is_of_tls(error: BaseException) -> bool:
    """True if TLS failed: httpx reports it as a connection error, with the TLS error as its cause."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
