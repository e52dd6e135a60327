"""What belongs to one tenant and cannot be another's, too. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from routing.document import Document
from routing.equipment_check import macs_of
from routing.errors import Problem
from routing.names import mac_shown
from routing.tenant import Tenant
from routing.trunks import AddressTrunk, RegistrationTrunk

Claim = tuple[tuple[str, ...], str]      # where the tenant's file says so, and what it is


def claims(tenant: Tenant) -> Iterator[Claim]:
    """A slug, a public number, a trunk's address and a telephone belong to one tenant each."""
    yield ("tenant",), f"tenant {tenant.tenant}"
    for did in tenant.numbers:
        yield ("numbers", did), f"number {did}"
    for name, trunk in tenant.trunks.items():
        if isinstance(trunk, AddressTrunk):
            yield ("trunks", name, "address"), f"trunk address {trunk.address.lower()}"
    for section, label, each in tenant.equipment():
        for where, mac in macs_of(each):
            yield (section, label, *where), f"MAC {mac_shown(mac)}"


def avoided(tenant: Tenant) -> Iterator[Claim]:
    """A server that some register at would be taken for the trunk that is known by this address, so nobody may claim that."""
    for name, trunk in tenant.trunks.items():
        if isinstance(trunk, RegistrationTrunk):
            yield ("trunks", name, "server"), f"trunk address {trunk.server.lower()}"


def clashes(read: Sequence[tuple[Document, Tenant]]) -> Iterable[Problem]:
    owners: dict[str, str] = {}
    for document, tenant in read:
        for path, claim in claims(tenant):
            if claim in owners:
                yield document.problem(path, f"{claim} already belongs to {owners[claim]}")
            else:
                owners[claim] = document.place(path)
    for document, tenant in read:
        for path, claim in avoided(tenant):
            if claim in owners:
                yield document.problem(path, f"{claim} already belongs to {owners[claim]}")


def are_compatible(claimed: Iterable[str], avoided_by_some: Iterable[str]) -> bool:
    """Whether nothing is claimed twice, and nothing that is to be avoided."""
    seen = set[str]()
    for claim in claimed:
        if claim in seen:
            return False
        seen.add(claim)
    return seen.isdisjoint(avoided_by_some)
