"""What belongs to one tenant and cannot be another's, too. Pure."""

from collections.abc import Iterable, Sequence

from routing.document import Document
from routing.equipment_check import macs_of
from routing.errors import Problem
from routing.tenant import AddressTrunk, RegistrationTrunk, Tenant


def clashes(read: Sequence[tuple[Document, Tenant]]) -> Iterable[Problem]:
    """A slug, a public number, a trunk's address and a telephone belong to one tenant each."""
    owners: dict[str, str] = {}
    for document, tenant in read:
        claims: list[tuple[tuple[str, ...], str]] = [(("tenant",), f"tenant {tenant.tenant}")]
        claims += [(("numbers", did), f"number {did}") for did in tenant.numbers]
        claims += [
            (("trunks", name, "address"), f"trunk address {trunk.address.lower()}")
            for name, trunk in tenant.trunks.items() if isinstance(trunk, AddressTrunk)
        ]
        claims += [
            ((section, label, *where), f"MAC {mac}")
            for section, label, each in tenant.equipment() for where, mac in macs_of(each)
        ]
        for path, claim in claims:
            if claim in owners:
                yield document.problem(path, f"{claim} already belongs to {owners[claim]}")
            else:
                owners[claim] = document.file
    # A server that some register at would be taken for the trunk that is known by this address.
    for document, tenant in read:
        for name, trunk in tenant.trunks.items():
            if isinstance(trunk, RegistrationTrunk) and f"trunk address {trunk.server.lower()}" in owners:
                owner = owners[f"trunk address {trunk.server.lower()}"]
                yield document.problem(("trunks", name, "server"), f"{trunk.server} is the address of a trunk in {owner}")
