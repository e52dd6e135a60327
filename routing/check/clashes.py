"""Clashes: values that only one tenant may have, such as numbers and addresses. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from routing.check.equipment_check import macs_of
from routing.nodes.mobile_access import MobileAccess
from routing.numbering.value_types import Extension, Name, mac_shown
from routing.platform.platform import Platform
from routing.platform.trunks import Carrier, Trunk, addresses, networks, servers
from routing.tenant.tenant import Tenant
from yaml_models.document import Document
from yaml_models.errors import Problem

Claim = tuple[tuple[str, ...], str]      # its path in the tenant's file, and the value


def claims(tenant: Tenant) -> Iterator[Claim]:
    """Values that belong to one tenant each: a slug, a public number, a trunk's address, a telephone."""
    yield ("tenant",), f"tenant {tenant.tenant}"
    for did in tenant.numbers:
        yield ("numbers", did), f"number {did}"
    for name, field, address in addresses(tenant.trunks):
        yield ("trunks", name, field), _trunk_address(address)
    for section, label, each in tenant.equipment():
        for where, mac in macs_of(each):
            yield (section, label, *where), f"MAC {mac_shown(mac)}"


def avoided(tenant: Tenant) -> Iterator[Claim]:
    """Registration servers: another trunk identified by such an address would take their calls, so nobody may claim it."""
    for name, field, server in servers(tenant.trunks):
        yield ("trunks", name, field), _trunk_address(server)


def clashes(read: Sequence[tuple[Document, Tenant]]) -> Iterable[Problem]:
    owners: dict[str, str] = {}
    registered: dict[str, str] = {}          # addresses that carriers of the platform avoid
    for _, tenant in read:
        carriers = tenant.platform.carriers
        owners |= {_trunk_address(address): f"the platform's carrier {name}" for name, _, address in addresses(carriers)}
        registered |= {_trunk_address(server): f"the platform's carrier {name}" for name, _, server in servers(carriers)}
    for document, tenant in read:
        for path, claim in claims(tenant):
            if owner := owners.get(claim, registered.get(claim)):
                yield document.problem(path, f"{claim} already belongs to {owner}")
            elif path[0] == "trunks" and any(addresses(tenant.platform.carriers)) and not _is_ip(claim.rpartition(" ")[2]):
                # A name may resolve to a carrier's address, and would take all tenants' calls from it.
                yield document.problem(path, f"{claim} is a name, expected an IP address beside the platform's carriers")
            else:
                owners[claim] = document.place(path)
    yield from _overlaps(read)
    for document, tenant in read:
        for path, claim in avoided(tenant):
            if claim in owners:
                yield document.problem(path, f"{claim} already belongs to {owners[claim]}")


def _overlaps(read: Sequence[tuple[Document, Tenant]]) -> Iterator[Problem]:
    """Networks of `calls_from` that hold an address of another trunk: calls from there would be the other's."""
    taken: list[tuple[IPv4Network | IPv6Network, tuple[str, str], str]] = []      # with tenant and trunk, and how to name them
    for carriers in {id(tenant.platform): tenant.platform.carriers for _, tenant in read}.values():
        taken += [(network, ("", path[0]), f"the platform's carrier {path[0]}") for path, network in _networks(carriers)]
    for document, tenant in read:
        for path, network in _networks(tenant.trunks):
            where, trunk = ("trunks", *path), (tenant.tenant, path[0])
            for other, owner, name in taken:
                is_other = owner != trunk and other.version == network.version and other.overlaps(network)
                if is_other and ("calls_from" in path or other.prefixlen < other.max_prefixlen):
                    yield document.problem(where, f"{network} overlaps {other}, which belongs to {name}")
            taken.append((network, trunk, document.place(where)))


def _networks(ways: Mapping[Name, Trunk | Carrier]) -> Iterator[tuple[tuple[str, ...], IPv4Network | IPv6Network]]:
    """Those that are no host names."""
    for path, text in networks(ways):
        with suppress(ValueError):
            yield path, ip_network(text)


def carrier_clashes(document: Document, platform: Platform) -> Iterable[Problem]:
    """No two carriers have the same address."""
    owners: dict[str, str] = {}
    for name, field, address in addresses(platform.carriers):
        if address in owners:
            yield document.problem(("carriers", name, field), f"{address} already belongs to the carrier {owners[address]}")
        owners.setdefault(address, name)
    for name, field, server in servers(platform.carriers):
        if server in owners:
            yield document.problem(("carriers", name, field), f"{server} already belongs to the carrier {owners[server]}")


def mobile_problems(document: Document, accesses: dict[Name, MobileAccess], mobiles: dict[Extension, str]) -> Iterator[Problem]:
    """Users of mobile access without a mobile, or with another user's mobile. `mobiles` are by the users who have one."""
    for name, access in accesses.items():
        seen: dict[str, Extension] = {}
        for i, user in enumerate(access.users):
            mobile = mobiles.get(user, "")
            if not mobile:
                yield document.problem(("mobile_accesses", name, "users", str(i)), f"user {user} has no mobile")
            elif mobile in seen:
                text = f"the mobile of {user} is that of {seen[mobile]} too, expected one for each"
                yield document.problem(("mobile_accesses", name, "users", str(i)), text)
            seen[mobile] = user


def _is_ip(address: str) -> bool:
    try:
        ip_address(address)
    except ValueError:
        return False
    return True


def _trunk_address(address: str) -> str:
    return f"trunk address {address}"


def are_compatible(claimed: Iterable[str], avoided_by_some: Iterable[str]) -> bool:
    """True if no value is claimed twice, and none that is to be avoided."""
    seen = set[str]()
    for claim in claimed:
        if claim in seen:
            return False
        seen.add(claim)
    return seen.isdisjoint(avoided_by_some)
