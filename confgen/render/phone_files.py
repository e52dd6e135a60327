"""Provisioning files of devices. Pure: a tenant's equipment, its secrets and the addresses in, {name: text} out."""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import assert_never

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from confgen.render.carrier_password import UnsafeValue
from confgen.render.daylight import read_zone
from confgen.render.encoder import TEMPLATES, encode
from confgen.render.phone_keys import buttons_of
from routing.numbering.endpoint import read_device
from routing.numbering.value_types import Name
from routing.speech.phrases import Language
from routing.tenant.equipment import DectSystem, Equipment, Gateway, Phone, devices_of
from routing.tenant.phone_models import DECT, GATEWAYS, PHONES, DectModel, GatewayModel, PhoneModel, Vendor
from routing.tenant.tenant import Tenant

Files = dict[str, str]      # as a device names them -> text

LANGUAGES: dict[Vendor, dict[Language, str]] = {
    Vendor.YEALINK: {"en": "English", "it": "Italian", "pl": "Polish"},
    Vendor.SNOM: {"en": "English", "it": "Italiano", "pl": "Polski"},
    Vendor.GRANDSTREAM: {"en": "en", "it": "it", "pl": "pl"},
    Vendor.CISCO: {"en": "English", "it": "Italian", "pl": "Polish"},
    Vendor.POLY: {"en": "English_United_Kingdom", "it": "Italian_Italy", "pl": "Polish_Poland"},
    Vendor.GIGASET: {},       # each handset has its own, chosen there
    Vendor.PATTON: {},        # has no display
}
"""What each maker calls the languages of the display."""
TONES: dict[str, dict[Vendor, str]] = {
    "IT": {Vendor.YEALINK: "Italy", Vendor.SNOM: "ITA", Vendor.GIGASET: "Italy"},
    # None has Poland's; Germany's are of 425 Hz, too.
    "PL": {Vendor.YEALINK: "Germany", Vendor.SNOM: "GER", Vendor.GIGASET: "Germany"},
}
"""The tones of a country; where none stand here, they are as the maker sets them."""
SECURE = frozenset({Vendor.YEALINK, Vendor.SNOM, Vendor.GRANDSTREAM, Vendor.POLY})
"""Makers whose devices are configured for TLS and SRTP if the instance uses them."""


@dataclass(frozen=True, slots=True)
class Server:
    """Our addresses for devices: SIP, and `base`, the address of the provisioning service, such as https://pbx.example.com:8443.
    `tls_port`: 0 where SIP is not spoken over TLS."""

    host: str
    udp_port: int
    base: str
    tls_port: int = 0


@dataclass(frozen=True, slots=True)
class Credentials:
    """The secrets of one tenant's devices. `sip`: passwords by endpoint name; `address`: the secret part of each device's own
    address, by label; `admin`: the password of its own pages."""

    sip: Mapping[str, str] = field(repr=False)
    address: Mapping[Name, str] = field(repr=False)
    admin: Mapping[Name, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Line:
    """One SIP account of a device."""

    number: int                # from 1
    user: str
    password: str = field(repr=False)
    extension: str
    name: str
    voicemail: str             # number of the user's own mailbox, '' without one


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the directory."""

    name: str
    number: str


@dataclass(frozen=True, slots=True)
class HandsetPlace:
    """A handset's place in a DECT system: its line, the maker's name for it, and the code that registers a handset there."""

    line: Line
    slot: str
    code: str = field(repr=False)


def model_of(each: Equipment) -> PhoneModel | DectModel | GatewayModel:
    match each:
        case Phone():
            return PHONES[each.model]
        case DectSystem():
            return DECT[each.model]
        case Gateway():
            return GATEWAYS[each.model]


def files_of(tenant: Tenant, label: Name, each: Equipment, credentials: Credentials, server: Server) -> Files:
    """All files that this device may request."""
    model = model_of(each)
    mac, upper = each.mac, each.mac.upper()
    values = _values(tenant, label, each, credentials, server)
    match model.vendor:
        case Vendor.YEALINK:
            return {f"{mac}.cfg": _fill("yealink.cfg", values), "directory.xml": _fill("yealink-directory.xml", values)}
        case Vendor.SNOM:
            text, plain = _fill("snom.xml", values), model.name.replace(" ", "").replace("Snom", "snom")
            return dict.fromkeys((f"{mac}.xml", f"{upper}.xml", f"{plain}-{upper}.xml", f"{plain}-{upper}.htm"), text)
        case Vendor.GRANDSTREAM if isinstance(each, Gateway):
            return {f"cfg{mac}.xml": _fill("grandstream-ht.xml", values)}
        case Vendor.GRANDSTREAM:
            directory = _fill("grandstream-directory.xml", values)
            return {f"cfg{mac}.xml": _fill("grandstream-gxp.xml", values), "phonebook.xml": directory}
        case Vendor.CISCO:
            return {f"{mac}.xml": _fill("cisco.xml", values), "directory.xml": _fill("cisco-directory.xml", values)}
        case Vendor.POLY:
            return {
                f"{mac}.cfg": _fill("poly.xml", values), f"account-{mac}.cfg": _fill("poly-account.xml", values),
                f"{mac}-directory.xml": _fill("poly-directory.xml", values)}
        case Vendor.GIGASET:
            text, directory = _fill("gigaset.xml", values), _fill("gigaset-directory.xml", values)
            return {f"{upper}.xml": text, f"{mac}.xml": text, "directory.xml": directory}
        case Vendor.PATTON:
            return dict.fromkeys((f"{upper}.cfg", f"{mac}.cfg"), _fill("patton.cfg", values))
        case other:
            assert_never(other)


# Behind the address of its own folder: makers whose devices want that of a file have a word for their MAC address.
_FILE_IN_ADDRESS = {
    Vendor.YEALINK: "/", Vendor.SNOM: "/{mac}.xml", Vendor.GRANDSTREAM: "", Vendor.CISCO: "/$MA.xml", Vendor.POLY: "/",
    Vendor.GIGASET: "/%MACD.xml", Vendor.PATTON: "/$(system.mac).cfg"}


def address_of(label: Name, each: Equipment, credentials: Credentials, server: Server) -> str:
    """The address of the provisioning server, as an engineer enters it in the device. Grandstream's take it without https://."""
    vendor = model_of(each).vendor
    base = server.base.removeprefix("https://") if vendor is Vendor.GRANDSTREAM else server.base
    return f"{base}/{credentials.address[label]}{_FILE_IN_ADDRESS[vendor]}"


def places_of(tenant: Tenant, label: Name, dect: DectSystem, credentials: Credentials) -> list[HandsetPlace]:
    """The registration places of a DECT system's handsets. The codes are derived from the system's secret."""
    secret = credentials.address[label].encode()
    found = []
    for line, handset in zip(_lines_of(tenant, dect, credentials), dect.handsets.values(), strict=True):
        digest = hmac.digest(secret, line.user.encode(), "sha256")
        code = f"{int.from_bytes(digest[:4], 'big') % 10_000:04}"
        found.append(HandsetPlace(line, handset.ipui or f"{line.number:05}", code))
    return found


def _lines_of(tenant: Tenant, each: Equipment, credentials: Credentials) -> list[Line]:
    lines = []
    for number, (_, device) in enumerate(devices_of(each), start=1):
        extension, endpoint = read_device(device).extension, tenant.endpoint_of(device)
        user = tenant.users[extension]
        voicemail = (tenant.codes.voicemail or "") if user.voicemail else ""
        lines.append(Line(number, endpoint, credentials.sip[endpoint], extension, user.name, voicemail))
    return lines


def _values(tenant: Tenant, label: Name, each: Equipment, credentials: Credentials, server: Server) -> dict[str, object]:
    vendor = model_of(each).vendor
    zone_name = each.timezone or tenant.timezone
    secure = server.tls_port > 0 and vendor in SECURE
    return {
        "secure": secure, "port": server.tls_port if secure else server.udp_port,
        "tenant": tenant, "label": label, "each": each, "server": server, "model": model_of(each),
        "address": address_of(label, each, credentials, server),
        "folder": f"{server.base}/{credentials.address[label]}/",
        "admin_password": credentials.admin[label],
        "lines": _lines_of(tenant, each, credentials),
        "buttons": buttons_of(tenant, each) if isinstance(each, Phone) else (),
        "places": places_of(tenant, label, each, credentials) if isinstance(each, DectSystem) else (),
        "language": LANGUAGES[vendor].get(each.language or tenant.language, ""),
        "tones": TONES.get(tenant.country, {}).get(vendor, ""),
        "zone": read_zone(zone_name), "zone_name": zone_name,
        "directory": [Entry(user.name, extension) for extension, user in tenant.users.items()],
    }


def _refuse_control(value: object) -> object:
    """A value for XML, where markup is escaped and nothing else has a meaning. Raises UnsafeValue for what XML cannot hold."""
    if value is None or not str(value).isprintable():
        raise UnsafeValue(f"found {str(value)[:80]!r}, expected printable text")
    return value


def _environment(finalize: Callable[[object], object], *, xml: bool) -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES / "phones"), undefined=StrictUndefined, finalize=finalize,
        autoescape=xml,  # noqa: S701 - where it is off, these are lines and not markup: `finalize` refuses what is unsafe there
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)


_plain, _xml = _environment(encode, xml=False), _environment(_refuse_control, xml=True)


def _fill(template: str, values: Mapping[str, object]) -> str:
    environment = _xml if template.endswith(".xml") else _plain
    return environment.get_template(f"{template}.j2").render(values)
