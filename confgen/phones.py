"""The files that telephones ask for. Pure: a tenant's equipment, its secrets and the addresses in, {name: text} out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import assert_never

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from confgen.daylight import read_zone
from confgen.encoder import TEMPLATES, UnsafeValue, encode
from routing.equipment import Equipment
from routing.models import PHONES, PhoneModel, Vendor
from routing.names import DeviceName, Name
from routing.phrases import Language
from routing.tenant import Tenant

Files = dict[str, str]      # as a device names them -> text

LANGUAGES: dict[Vendor, dict[Language, str]] = {
    Vendor.YEALINK: {"en": "English", "it": "Italian", "pl": "Polish"},
    Vendor.SNOM: {"en": "English", "it": "Italiano", "pl": "Polski"},
}
"""What each maker calls the languages of the display."""
TONES: dict[str, dict[Vendor, str]] = {
    "IT": {Vendor.YEALINK: "Italy", Vendor.SNOM: "ITA"},
    "PL": {Vendor.YEALINK: "Germany", Vendor.SNOM: "GER"},       # neither has Poland's; both countries' are of 425 Hz
}
"""The tones of a country; where none stand here, they are as the maker sets them."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where devices find us: SIP, and `base`, the address of the provisioning service, such as https://pbx.example.com:8443."""

    host: str
    port: int
    base: str


@dataclass(frozen=True, slots=True)
class Credentials:
    """What only one tenant's devices know. `sip`: passwords by endpoint name; `address`: the secret part of each device's own
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
    voicemail: str             # what to dial for the own mailbox, '' without one


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody in the directory."""

    name: str
    number: str


def model_of(each: Equipment) -> PhoneModel:
    return PHONES[each.model]


def files_of(tenant: Tenant, label: Name, each: Equipment, credentials: Credentials, server: Server) -> Files:
    """Everything that this device may ask for."""
    model = model_of(each)
    mac = each.mac
    values = _values(tenant, label, each, credentials, server) | {"languages": LANGUAGES[model.vendor], "model": model}
    match model.vendor:
        case Vendor.YEALINK:
            return {f"{mac}.cfg": _fill("yealink.cfg", values), "directory.xml": _fill("yealink-directory.xml", values)}
        case Vendor.SNOM:
            text = _fill("snom.xml", values)
            upper = mac.upper()
            plain = model.name.replace(" ", "").replace("Snom", "snom")
            return dict.fromkeys((f"{mac}.xml", f"{upper}.xml", f"{plain}-{upper}.xml", f"{plain}-{upper}.htm"), text)
        case other:
            assert_never(other)


def address_of(label: Name, each: Equipment, credentials: Credentials, server: Server) -> str:
    """What an engineer enters in the device as the address of its provisioning server."""
    return f"{server.base}/{credentials.address[label]}/{_FILE_IN_ADDRESS[model_of(each).vendor](each.mac)}"


# Makers whose devices want the whole address of a file; the others want that of the folder and know the name themselves.
_FILE_IN_ADDRESS: dict[Vendor, Callable[[str], str]] = {
    Vendor.YEALINK: lambda mac: "",
    Vendor.SNOM: lambda mac: f"{mac}.xml",
}


def _values(tenant: Tenant, label: Name, each: Equipment, credentials: Credentials, server: Server) -> dict[str, object]:
    voicemail = tenant.codes.voicemail or ""

    def line(number: int, device: DeviceName) -> Line:
        extension = device.partition("-")[0]
        user, endpoint = tenant.users[extension], f"{tenant.tenant}-{device}"
        return Line(number, endpoint, credentials.sip[endpoint], extension, user.name, voicemail if user.voicemail else "")

    return {
        "tenant": tenant, "label": label, "each": each, "server": server,
        "address": address_of(label, each, credentials, server),
        "folder": f"{server.base}/{credentials.address[label]}/",
        "admin_password": credentials.admin[label],
        "lines": [line(number, device) for number, device in enumerate(each.lines, start=1)],
        "language": each.language or tenant.language,
        "tones": TONES.get(tenant.country, {}).get(model_of(each).vendor, ""),
        "zone": read_zone(each.timezone or tenant.timezone),
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


_lines, _xml = _environment(encode, xml=False), _environment(_refuse_control, xml=True)


def _fill(template: str, values: Mapping[str, object]) -> str:
    environment = _xml if template.endswith(".xml") else _lines
    return environment.get_template(f"{template}.j2").render(values)
