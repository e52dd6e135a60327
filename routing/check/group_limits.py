"""Group limits: everything that may ring together must fit into one Dial() step, as Asterisk reads it. Pure."""

from collections.abc import Iterable

from routing.hunt.hunting import Seat
from routing.hunt.ring_rules import CallKind
from routing.nodes.group import Forwards, Group
from routing.tenant.tenant import Tenant
from yaml_models.document import Document
from yaml_models.errors import Problem

MAX_DIAL_CHARACTERS = 7000     # Asterisk reads an AGI line, and an application's arguments, of at most 8191
SOON, LATE = "&PJSIP/", "&Local/110-@later"
NUMBER = "+480000000000000"    # the longest possible
CONFIRMS = f"&Local/110-1-{NUMBER}-{NUMBER}-{NUMBER}-999999-@-confirm/n"


def too_many(document: Document, tenant: Tenant) -> Iterable[Problem]:
    places = [(("failover", "ring"), sum(_devices(tenant, extension, SOON) for extension in tenant.failover.ring))]
    places += [(("groups", name), _group(tenant, group, tenant.seats_of(name))) for name, group in tenant.groups.items()]
    for path, length in places:
        if length > MAX_DIAL_CHARACTERS:
            text = f"too many phones and numbers to ring: their names make {length} characters, at most {MAX_DIAL_CHARACTERS}"
            yield document.problem(path, text)


def _group(tenant: Tenant, group: Group, seats: Iterable[Seat]) -> int:
    around = LATE if group.delays_s or any(user.rings for user in tenant.users.values()) else SOON
    own = {seat.member: _leg(tenant) if seat.is_outside else _user(tenant, seat.member, around) for seat in seats}
    if group.forwards is Forwards.IGNORE:
        return sum(own.values())
    # Each may forward to any user, and none rings twice; or to an external number.
    users = {extension: _user(tenant, extension, around) for extension in tenant.users}
    longest = max(*users.values(), _leg(tenant))
    return min(len(own) * longest, sum(users.values()) + len(own) * _leg(tenant))


def _user(tenant: Tenant, extension: str, around: str) -> int:
    if extension not in tenant.users:
        return 0                    # reported by another rule
    mobile = tenant.ways_of(extension, CallKind.GROUP).mobile
    return _devices(tenant, extension, around) + (_leg(tenant) if mobile else 0)


def _devices(tenant: Tenant, extension: str, around: str) -> int:
    if extension not in tenant.users:
        return 0                    # reported by another rule
    return sum(len(around) + len(endpoint) for endpoint in tenant.endpoints_of(extension))


def _leg(tenant: Tenant) -> int:
    """The length of an external number, by the trunk with the longest name."""
    trunks = (len(tenant.trunk_endpoint(trunk)) for trunk in tenant.trunks)
    return len(CONFIRMS) + len(tenant.tenant) + max(trunks, default=0)
