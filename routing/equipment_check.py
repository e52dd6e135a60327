"""Whether what stands on the desks fits the tenant and the models. Pure."""

from collections import Counter
from collections.abc import Iterable

from routing.document import Document
from routing.equipment import Blf, Equipment, Phone
from routing.errors import Problem
from routing.models import PHONES
from routing.tenant import Tenant
from routing.timezones import is_timezone

Path = tuple[str, ...]


def equipment_problems(document: Document, tenant: Tenant) -> Iterable[Problem]:
    """Everything wrong with one tenant's equipment."""
    used: dict[str, str] = {}
    for section, label, each in tenant.equipment():
        path = (section, label)
        if each.timezone and not is_timezone(each.timezone):
            yield document.problem((*path, "timezone"), f"found {each.timezone!r}, expected a time zone such as Europe/Warsaw")
        for where, device in devices_of(each):
            yield from _device(document, tenant, (*path, *where), device, used)
        yield from _phone(document, tenant, path, each)
    yield from _too_many(document, tenant)


def devices_of(each: Equipment) -> list[tuple[Path, str]]:
    """The users' devices that it is, and where the file says so."""
    return [(("lines", str(i)), device) for i, device in enumerate(each.lines)]


def macs_of(each: Equipment) -> list[tuple[Path, str]]:
    """The MAC addresses that it asks for its configuration by."""
    return [(("mac",), each.mac)]


def _device(document: Document, tenant: Tenant, path: Path, device: str, used: dict[str, str]) -> Iterable[Problem]:
    extension, _, name = device.partition("-")
    user = tenant.users.get(extension)
    if user is None:
        yield document.problem(path, f"no user with extension {extension!r}")
    elif name not in user.devices:
        yield document.problem(path, f"user {extension} has no device {name!r}, expected one of {', '.join(user.devices)}")
    if device in used:
        yield document.problem(path, f"{device} is already a line of {used[device]}; a device is one telephone")
    used.setdefault(device, path[1])


def _phone(document: Document, tenant: Tenant, path: Path, phone: Phone) -> Iterable[Problem]:
    model = PHONES[phone.model]
    if len(phone.lines) > model.lines:
        yield document.problem((*path, "lines"), f"found {len(phone.lines)} lines, a {model.name} has {model.lines}")
    if phone.keys and len(phone.lines) + len(phone.keys) > model.keys:
        left = max(0, model.keys - len(phone.lines))
        text = f"found {len(phone.keys)} keys, a {model.name} has {model.keys}, {left} of them beside its lines"
        yield document.problem((*path, "keys"), text)
    for i, key in enumerate(phone.keys):
        if isinstance(key, Blf) and key.extension not in tenant.users:
            yield document.problem((*path, "keys", str(i), "extension"), f"no user with extension {key.extension!r}")


def _too_many(document: Document, tenant: Tenant) -> Iterable[Problem]:
    """Not more telephones than extensions."""
    counted = Counter(section for section, _, each in tenant.equipment() for _ in devices_of(each)[:1])
    total = sum(counted.values())
    if total > len(tenant.users) and not tenant.more_equipment:
        last = max(counted, key=lambda section: document.line_of((section,)))
        text = f"found {total} telephones for {len(tenant.users)} extensions; if meant, say more_equipment: yes"
        yield document.problem((last,), text)
