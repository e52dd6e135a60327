"""References: names in a tenant's file must exist (elements, users, prompts, musics, numbers, trunks, switches). Pure."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import assert_never

from routing.nodes.node import Uses
from routing.numbering.endpoint import UserDevice, read_device
from routing.numbering.value_types import Name
from routing.platform.trunks import CarrierTrunk, RegistrationTrunk
from routing.tenant.equipment import Blf, Equipment, ParkKey, PauseKey, Phone, SpeedDial, SwitchKey, devices_of
from routing.tenant.tenant import Tenant
from yaml_models.document import Document, Path
from yaml_models.errors import Problem
from yaml_models.suggestion import did_you_mean, expected_one_of


class Means(Enum):
    """The kind of thing that a name refers to."""

    NODE = auto()          # an element or a user
    PROMPT = auto()
    INTERNAL = auto()      # an internal number, whatever it reaches
    USER = auto()
    MAILBOX = auto()
    GROUP = auto()
    MUSIC = auto()
    TRUNK = auto()
    CARRIER = auto()       # of the platform
    SITE = auto()
    DEVICE = auto()        # such as 201-desk
    SLOT = auto()          # of a parking lot
    SWITCH = auto()
    OWN = auto()           # one of the tenant's numbers
    SHOWN = auto()         # the same, and shown to external parties


@dataclass(frozen=True, slots=True)
class Reference:
    """A name in the file, its place, and the kind of thing that it refers to."""

    path: Path
    means: Means
    name: str


def dangling_references(document: Document, tenant: Tenant, hidden: Collection[str] = ()) -> Iterable[Problem]:
    """Names that the file uses but does not define. `hidden` may be names in its unreadable parts."""
    prompts = tenant.all_prompts()
    for reference in _references(tenant):
        if not _is_among(hidden, tenant, reference) and (text := _what_is_wrong(tenant, prompts, reference)):
            yield document.problem(reference.path, text)
    for path, uses in _naming(tenant):
        for field, section, key in uses.settings:
            known = getattr(tenant, section)
            if key not in known and key not in hidden:
                yield document.problem((*path, *field.split(".")), f"no {key!r} in {section}{did_you_mean(key, known)}")
        for field, switch, position in uses.positions:
            positions = tenant.switches[switch].positions if switch in tenant.switches else (position,)
            if position not in positions and position not in hidden:
                text = f"switch {switch} has no position {position!r}, expected one of {', '.join(positions)}"
                yield document.problem((*path, *field.split(".")), text)


def _is_among(hidden: Collection[str], tenant: Tenant, reference: Reference) -> bool:
    if reference.means is Means.DEVICE:
        device = read_device(reference.name)
        return (device.name if device.extension in tenant.users else device.extension) in hidden
    return reference.name in hidden


def _what_is_wrong(tenant: Tenant, prompts: Collection[Name], reference: Reference) -> str:
    """The problem of the reference, '' if the name exists."""
    name = reference.name
    match reference.means:
        case Means.NODE:
            return _unless(name, tenant.nodes, "user with extension" if name.isdigit() else "element named")
        case Means.PROMPT:
            return _unless(name, prompts, "prompt named")
        case Means.INTERNAL:
            return _unless(name, tenant.internal_numbers, "internal number")
        case Means.USER:
            return _unless(name, tenant.users, "user with extension")
        case Means.MAILBOX if name in tenant.users:
            return "" if tenant.users[name].voicemail else f"user {name} has no voicemail"
        case Means.MAILBOX:
            return _unless(name, tenant.users, "user with extension")
        case Means.GROUP:
            return "" if name in tenant.groups else _unless(name, {**tenant.groups, **tenant.users}, "group or user named")
        case Means.MUSIC:
            return _unless(name, tenant.musics, "music named")
        case Means.TRUNK:
            return _unless(name, tenant.trunks, "trunk named")
        case Means.CARRIER:
            known = tenant.platform.carriers
            expected = expected_one_of(known, "platform.yaml has none")
            return "" if name in known else f"no carrier named {name!r}, {expected}{did_you_mean(name, known)}"
        case Means.SITE:
            expected = expected_one_of(tenant.sites, "there are none")
            return "" if name in tenant.sites else f"no site named {name!r}, {expected}"
        case Means.DEVICE:
            return _unless_device(tenant, read_device(name))
        case Means.SLOT if any(name in lot.slots for lot in tenant.lots):
            return ""
        case Means.SLOT:
            expected = expected_one_of([str(lot) for lot in tenant.lots], "there are no parkings")
            return f"no parking slot {name!r}, {expected}"
        case Means.SWITCH:
            expected = expected_one_of(tenant.switches, "there are none")
            return "" if name in tenant.switches else f"no switch named {name!r}, {expected}"
        case Means.OWN | Means.SHOWN as means if name not in tenant.numbers:
            other = ", and it can show no other" if means is Means.SHOWN else ""
            return f"{name} is not one of the tenant's numbers{other}{did_you_mean(name, tenant.numbers)}"
        case Means.OWN | Means.SHOWN:
            return ""
        case other:
            assert_never(other)


def _unless(name: str, known: Collection[str], kind: str) -> str:
    return "" if name in known else f"no {kind} {name!r}{did_you_mean(name, known)}"


def _unless_device(tenant: Tenant, device: UserDevice) -> str:
    if device.extension not in tenant.users:
        return _unless(device.extension, tenant.users, "user with extension")
    devices = tenant.users[device.extension].devices
    if device.name in devices:
        return ""
    return f"user {device.extension} has no device {device.name!r}, expected one of {', '.join(devices)}"


def _references(tenant: Tenant) -> Iterator[Reference]:
    for did, number in tenant.numbers.items():
        yield Reference(("numbers", did, "to"), Means.NODE, number.to)
    for name, trunk in tenant.trunks.items():
        if isinstance(trunk, RegistrationTrunk):
            yield Reference(("trunks", name, "number"), Means.OWN, trunk.number)
        if isinstance(trunk, CarrierTrunk):
            yield Reference(("trunks", name, "carrier"), Means.CARRIER, trunk.carrier)
    for i, route in enumerate(tenant.routes):
        yield from _each(("routes", str(i), "trunks"), Means.TRUNK, route.trunks)
    for name, site in tenant.sites.items():
        yield Reference(("sites", name, "number"), Means.SHOWN, site.number)
    yield from _each(("failover", "ring"), Means.USER, tenant.failover.ring)
    if tenant.failover.voicemail:
        yield Reference(("failover", "voicemail"), Means.MAILBOX, tenant.failover.voicemail)
    yield Reference(("blacklist", "prompt"), Means.PROMPT, tenant.blacklist.prompt)
    for extension, user in tenant.users.items():
        if user.site:
            yield Reference(("users", extension, "site"), Means.SITE, user.site)
    for path, uses in _naming(tenant):
        yield from _used(path, uses)
    for section, label, equipment in tenant.equipment():
        yield from _of_equipment((section, label), equipment)
    if tenant.hold_music:
        yield Reference(("hold_music",), Means.MUSIC, tenant.hold_music)
    for name, members in tenant.pickup_groups.items():
        yield from _each(("pickup_groups", name), Means.USER, members)
    for name, music in tenant.musics.items():
        yield from _each(("musics", name, "prompts"), Means.PROMPT, music.prompts)


def _naming(tenant: Tenant) -> Iterator[tuple[Path, Uses]]:
    """References of elements, users and the hours of external calls, each by rules of its own."""
    for extension, user in tenant.users.items():
        yield ("users", extension), user.uses()
    for section, name, element in tenant.elements():
        yield (section, name), element.uses()
    if closed := tenant.closed_outside:
        yield ("closed_outside",), Uses(settings=tuple(closed.settings()), positions=tuple(
            (f"switches.{switch}", switch, position) for switch, position in closed.switches.items()))


def _used(path: Path, uses: Uses) -> Iterator[Reference]:
    pairs = [
        (Means.NODE, uses.targets), (Means.PROMPT, uses.prompts), (Means.INTERNAL, uses.numbers), (Means.GROUP, uses.groups),
        (Means.MUSIC, uses.musics), (Means.TRUNK, uses.trunks), (Means.SHOWN, uses.shown)]
    for means, named in pairs:
        for field, name in named:
            yield Reference((*path, *field.split(".")), means, name)
    for field, extension in uses.users:
        means = Means.MAILBOX if field == "mailbox" else Means.USER
        yield Reference((*path, *field.split(".")), means, extension)


def _of_equipment(path: Path, each: Equipment) -> Iterator[Reference]:
    if each.site:
        yield Reference((*path, "site"), Means.SITE, each.site)
    for where, device in devices_of(each):
        yield Reference((*path, *where), Means.DEVICE, device)
    for i, key in enumerate(each.keys if isinstance(each, Phone) else ()):
        match key:
            case Blf(extension=extension):
                yield Reference((*path, "keys", str(i), "extension"), Means.USER, extension)
            case ParkKey(slot=slot):
                yield Reference((*path, "keys", str(i), "slot"), Means.SLOT, slot)
            case SwitchKey(switch=switch):
                yield Reference((*path, "keys", str(i), "switch"), Means.SWITCH, switch)
            case SpeedDial() | PauseKey():
                pass
            case other:
                assert_never(other)


def _each(path: Path, means: Means, names: Iterable[str]) -> Iterator[Reference]:
    return (Reference((*path, str(i)), means, name) for i, name in enumerate(names))
