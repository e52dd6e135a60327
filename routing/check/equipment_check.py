"""The check of equipment against the tenant and the models. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from typing import assert_never

from routing.hours.timezones import is_timezone
from routing.numbering.endpoint import read_device
from routing.tenant.equipment import (
    Blf,
    DectSystem,
    Equipment,
    Gateway,
    ParkKey,
    PauseKey,
    Phone,
    PhoneKey,
    SpeedDial,
    SwitchKey,
    devices_of,
)
from routing.tenant.phone_models import DECT, GATEWAYS, PHONES
from routing.tenant.tenant import Tenant
from yaml_models.document import Document
from yaml_models.errors import Problem

Path = tuple[str, ...]
MAX_ANALOGUE_PORTS = 2      # of a site


def equipment_problems(document: Document, tenant: Tenant) -> Iterable[Problem]:
    """All problems of one tenant's equipment."""
    labels: dict[str, str] = {}
    used: dict[str, str] = {}
    for section, label, each in tenant.equipment():
        path = (section, label)
        if label in labels:
            yield document.problem(path, f"{label!r} is also one of {labels[label]}; everything needs its own label")
        labels[label] = section
        if each.timezone and not is_timezone(each.timezone):
            yield document.problem((*path, "timezone"), f"found {each.timezone!r}, expected a time zone such as Europe/Warsaw")
        for where, device in devices_of(each):
            if device in used:
                text = f"{device} is already a line of {used[device]}; a device is one telephone"
                yield document.problem((*path, *where), text)
            used.setdefault(device, label)
        match each:
            case Phone():
                yield from _phone(document, tenant, path, each)
            case DectSystem():
                yield from _dect(document, path, each)
            case Gateway():
                yield from _gateway(document, tenant, path, each)
    yield from _ports_of_sites(document, tenant)
    yield from _too_many(document, tenant)


def site_of(tenant: Tenant, each: Equipment) -> str:
    """The site where it stands, '' for none."""
    user = tenant.users.get(read_device(devices_of(each)[0][1]).extension)
    return each.site or (user.site if user and user.site else "")


def macs_of(each: Equipment) -> list[tuple[Path, str]]:
    """Its MAC addresses: the one with which it requests its configuration, and those of its further bases."""
    bases = each.bases if isinstance(each, DectSystem) else {}
    return [(("mac",), each.mac), *((("bases", name), mac) for name, mac in bases.items())]


def _phone(document: Document, tenant: Tenant, path: Path, phone: Phone) -> Iterable[Problem]:
    model = PHONES[phone.model]
    if len(phone.lines) > model.lines:
        yield document.problem((*path, "lines"), f"found {len(phone.lines)} lines, a {model.name} has {model.lines}")
    if phone.keys and len(phone.lines) + len(phone.keys) > model.keys:
        left = max(0, model.keys - len(phone.lines))
        text = f"found {len(phone.keys)} keys, a {model.name} has {model.keys}, {left} of them beside its lines"
        yield document.problem((*path, "keys"), text)
    for i, key in enumerate(phone.keys):
        if found := _wrong_key(tenant, phone, key):
            field, text = found
            yield document.problem((*path, "keys", str(i), field), text)


def _wrong_key(tenant: Tenant, phone: Phone, key: PhoneKey) -> tuple[str, str] | None:
    """The wrong field of the key, and the problem."""
    match key:
        case SwitchKey(switch=name) if name in tenant.switches and name not in tenant.codes.switches:
            return "switch", f"the key dials the switch's code, and codes.switches has none for {name!r}"
        case PauseKey() if not tenant.codes.pause:
            return "kind", "the key dials the code pause, which is switched off"
        case PauseKey() if phone.user not in tenant.agents:
            return "kind", f"user {phone.user} is in no queue to pause in"
        case Blf() | SpeedDial() | ParkKey() | SwitchKey() | PauseKey():
            return None
        case other:
            assert_never(other)


def _dect(document: Document, path: Path, dect: DectSystem) -> Iterable[Problem]:
    model = DECT[dect.model]
    for field, found, most in (("bases", len(dect.bases), model.bases), ("handsets", len(dect.handsets), model.handsets)):
        if found > most:
            yield document.problem((*path, field), f"found {found} {field}, a {model.name} has at most {most}")
    ipuis = [handset.ipui for handset in dect.handsets.values() if handset.ipui]
    for name, handset in dect.handsets.items():
        if handset.ipui and ipuis.count(handset.ipui) > 1:
            yield document.problem((*path, "handsets", name, "ipui"), f"{handset.ipui} stands twice; each handset has its own")


def _gateway(document: Document, tenant: Tenant, path: Path, gateway: Gateway) -> Iterable[Problem]:
    model = GATEWAYS[gateway.model]
    if len(gateway.ports) > model.ports:
        yield document.problem((*path, "ports"), f"found {len(gateway.ports)} ports, a {model.name} has {model.ports}")
    for i, port in enumerate(gateway.ports):
        user = tenant.users.get(read_device(port.device).extension)
        if user and user.voicemail:
            text = f"a {port.use.replace('_', ' ')} leaves and hears no messages, expected voicemail: no for its user"
            yield document.problem((*path, "ports", str(i), "device"), text)
        if user and len(user.devices) > 1:
            text = f"found {len(user.devices)} devices of its user; a {port.use.replace('_', ' ')} needs a user of its own"
            yield document.problem((*path, "ports", str(i), "device"), text)


def _ports_of_sites(document: Document, tenant: Tenant) -> Iterable[Problem]:
    ports: dict[str, int] = defaultdict(int)
    for label, gateway in tenant.gateways.items():
        site = site_of(tenant, gateway)
        ports[site] += len(gateway.ports)
        if ports[site] > MAX_ANALOGUE_PORTS:
            where = f"at site {site!r}" if site else "of no site"
            text = f"found {ports[site]} analogue ports {where}, expected at most {MAX_ANALOGUE_PORTS} a site"
            yield document.problem(("gateways", label, "ports"), text)


def _too_many(document: Document, tenant: Tenant) -> Iterable[Problem]:
    """No more telephones than extensions: handsets and ports count as telephones, a telephone with several lines as one."""
    counted = {
        section: sum(len(devices_of(each)) if not isinstance(each, Phone) else 1 for each in getattr(tenant, section).values())
        for section in ("phones", "dect", "gateways") if getattr(tenant, section)}
    total = sum(counted.values())
    if total > len(tenant.users) and not tenant.more_equipment:
        last = max(counted, key=lambda section: document.line_of((section,)))
        text = f"found {total} telephones for {len(tenant.users)} extensions; if meant, say more_equipment: yes"
        yield document.problem((last,), text)
