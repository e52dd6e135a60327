"""Networks that a tenant's URL may not reach, because only our own machines can (server-side request forgery).

A name is resolved once and the connection uses that very address, so a name that resolves differently a moment later
(DNS rebinding) has no effect.
"""

from collections.abc import Collection
from ipaddress import IPv4Network, IPv6Address, IPv6Network

from services.resolver import IpAddress, Resolver

Network = IPv4Network | IPv6Network


class AddressRefused(Exception):
    """The address is in a network that is not allowed."""


async def address_of(host: str, resolver: Resolver, allowed: Collection[Network]) -> IpAddress:
    """The address to connect to. Every address of the name must be allowed. Raises AddressRefused and HostUnknown."""
    addresses = await resolver.addresses(host.strip("[]"))
    for address in addresses:
        if not is_allowed(address, allowed):
            raise AddressRefused(str(address))
    return addresses[0]


def is_allowed(address: IpAddress, allowed: Collection[Network]) -> bool:
    meant = unmapped(address)
    return not is_ours(meant) or any(meant in network for network in allowed)


def is_ours(address: IpAddress) -> bool:
    """True if the public network does not route the address: loopback, private, shared, link-local (cloud metadata too),
    multicast or reserved.
    Source: https://www.iana.org/assignments/iana-ipv4-special-registry and its twin for IPv6."""
    meant = unmapped(address)
    if isinstance(meant, IPv6Address) and (meant.is_site_local or meant.sixtofour or meant.teredo):
        return True                    # 6to4 and Teredo carry an IPv4 address, and no call server uses them
    return not meant.is_global or meant.is_multicast or meant.is_reserved or meant.is_unspecified


def unmapped(address: IpAddress) -> IpAddress:
    """The IPv4 address of an IPv4-mapped IPv6 address, else the address itself."""
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address
