"""Clashes: values that only one tenant may have, such as numbers and addresses. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_address

from routing.check.equipment_check import macs_of
from routing.nodes.mobile_access import MobileAccess
from routing.numbering.value_types import Extension, Name, mac_shown
from routing.platform.platform import Platform
from routing.platform.trunks import addresses, servers
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
    for document, tenant in read:
        for path, claim in avoided(tenant):
            if claim in owners:
                yield document.problem(path, f"{claim} already belongs to {owners[claim]}")


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
