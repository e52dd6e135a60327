"""SIP objects as typed rows: endpoints, passwords, AORs, identifications of trunks, and registrations. Pure.

A field is an option of pjsip.conf, in the order in which Asterisk applies them, with the value that Asterisk takes where the
option is missing. Three forms are derived from a row: its database columns (`options_of`), the text that people read and
Asterisk reads of trunks (`text_of`), and the JSON in which a revision keeps it (`dump`, `load`). `options_of` refuses
values that could become something else in any of them.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, ClassVar, cast

from confgen.render.carrier_password import CarrierPassword
from confgen.render.encoder import encode

Key = tuple[str, str]                    # kind and name; objects of several kinds may have one name
Value = str | int | bool | tuple[str, ...] | Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A device or a trunk. `set_var`: the variables of its channels."""

    kind: ClassVar[str] = "endpoint"
    name: str
    context: str
    identify_by: str
    transport: str = ""
    media_encryption: str = "no"
    disallow: str = ""
    allow: tuple[str, ...] = ()
    media_address: str = ""
    bind_rtp_to_media_address: bool = False
    incoming_call_offer_pref: str = "local"
    rtp_timeout: int = 0
    rtp_timeout_hold: int = 0
    device_state_busy_at: int = 0
    t38_udptl: bool = False
    t38_udptl_ec: str = "none"
    t38_udptl_nat: bool = False
    t38_bind_udptl_to_media_address: bool = False
    direct_media: bool = True
    rtp_symmetric: bool = False
    force_rport: bool = True
    rewrite_contact: bool = False
    dtmf_mode: str = "rfc4733"
    auth: tuple[str, ...] = ()
    outbound_auth: str = ""
    aors: str = ""
    callerid: str = ""
    from_user: str = ""
    from_domain: str = ""
    trust_id_inbound: bool               # whether it may say who calls
    accountcode: str = ""
    tenantid: str = ""
    language: str = ""
    send_pai: bool = False
    subscribe_context: str = ""
    message_context: str = ""
    named_call_group: tuple[str, ...] = ()
    named_pickup_group: tuple[str, ...] = ()
    moh_suggest: str = "default"
    set_var: Mapping[str, str] = field(default_factory=dict)
    mailboxes: str = ""
    allow_transfer: bool = True
    allow_subscribe: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """A user name and its password."""

    kind: ClassVar[str] = "auth"
    name: str
    auth_type: str
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aor:
    """An address of record: the contacts that register for it, or the one of a trunk. Times are in seconds."""

    kind: ClassVar[str] = "aor"
    name: str
    contact: str = ""
    max_contacts: int = 0
    remove_existing: bool = False
    minimum_expiration: int = 60
    default_expiration: int = 3600
    maximum_expiration: int = 7200
    qualify_frequency: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Identify:
    """The addresses and networks from which a trunk calls."""

    kind: ClassVar[str] = "identify"
    name: str
    endpoint: str
    match: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundRegistration:
    """A trunk's registration with its carrier. `line`: what arrives for our contact is of that trunk."""

    kind: ClassVar[str] = "registration"
    name: str
    transport: str
    outbound_auth: str
    server_uri: str
    client_uri: str
    contact_user: str
    line: bool
    endpoint: str
    expiration: int
    retry_interval: int
    forbidden_retry_interval: int
    fatal_retry_interval: int
    auth_rejection_permanent: bool = True
    max_retries: int


URIS = ("contact", "server_uri", "client_uri")
URI_TRANSPORT = re.compile(r";transport=(tcp|tls)$")
SipObject = Endpoint | Auth | Aor | Identify | OutboundRegistration
IN_FILES = (Identify.kind, OutboundRegistration.kind)          # all others are in a database
CLASSES: Mapping[str, type[SipObject]] = {each.kind: each for each in (Endpoint, Auth, Aor, Identify, OutboundRegistration)}


def key_of(row: SipObject) -> Key:
    return row.kind, row.name


def option_names(kind: str) -> tuple[str, ...]:
    return tuple(_DEFAULTS[kind])


def options_of(row: SipObject) -> dict[str, str]:
    """All options as Asterisk reads them, in its order. Raises UnsafeValue."""
    return {**_DEFAULT_TEXTS[row.kind], **_set_options(row)}


def text_of(row: SipObject) -> str:
    """The section of pjsip.conf, with the options that differ from Asterisk's defaults. Raises UnsafeValue."""
    lines = [f"{name} = {_escaped(value)}\n" for name, value in _set_options(row).items()]
    return f"[{row.name}]\ntype = {row.kind}\n{''.join(lines)}"


def _escaped(value: str) -> str:
    """A semicolon begins a comment in the file."""
    return value.replace(";", "\\;")


def dump(rows: Iterable[SipObject]) -> str:
    return json.dumps([{"kind": row.kind, "name": row.name, **_set_values(row)} for row in rows], ensure_ascii=False)


def load(text: str, kinds: Iterable[str] = tuple(CLASSES)) -> list[SipObject]:
    """The rows of these kinds that `dump` wrote. Raises ValueError, KeyError or TypeError for any other text."""
    wanted = {kind: CLASSES[kind] for kind in kinds}
    found = []
    for values in cast("list[dict[str, Any]]", json.loads(text)):
        kind = values.pop("kind")
        if kind in wanted:
            options: dict[str, Any] = {name: _value(json_value) for name, json_value in values.items()}
            found.append(wanted[kind](**options))
    return found


def objects_in(files: Mapping[str, str], kinds: Iterable[str] = tuple(CLASSES)) -> list[SipObject]:
    """The objects of these kinds of all tenants whose rendered files are given."""
    paths = [path for path in sorted(files) if path.startswith("pjsip/") and path.endswith(".json")]
    return [row for path in paths for row in load(files[path], kinds)]


def endpoints_in(files: Mapping[str, str]) -> set[str]:
    """The names of the endpoints."""
    return {row.name for row in objects_in(files, ["endpoint"])}


def files_by_kind(files: Mapping[str, str]) -> dict[str, str]:
    """`sip/<kind>.conf` for the kinds that Asterisk reads from files, one for all tenants: it asks every file that it knows for
    every kind of object, and with a file for each of a thousand tenants a reload takes 7 s, even of nothing."""
    texts = dict.fromkeys(IN_FILES, "; All tenants'. Rendered.\n")
    for row in objects_in(files, IN_FILES):
        texts[row.kind] += "\n" + text_of(row)
    return {f"sip/{kind}.conf": text for kind, text in texts.items()}


def variables_text(variables: Mapping[str, str]) -> str:
    """The argument of Set() for these variables, which is one even for several: a database holds one set_var. Raises
    UnsafeValue."""
    names, values = (",".join(str(encode(each)) for each in those) for those in (variables, variables.values()))
    return f"{names}={values}" if len(variables) == 1 else f"ARRAY({names})={values}"


def _set_values(row: SipObject) -> dict[str, Value]:
    """Those that differ from the defaults."""
    return {name: value for name, default in _DEFAULTS[row.kind].items() if (value := getattr(row, name)) != default}


def _set_options(row: SipObject) -> dict[str, str]:
    encode(row.name)
    return {name: _text(name, value) for name, value in _set_values(row).items()}


def _value(json_value: Any) -> Value:
    return tuple(json_value) if isinstance(json_value, list) else cast("Value", json_value)


def _text(name: str, value: Value) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case str() if name == "password":
            return CarrierPassword(value)
        case str() if name in URIS and (way := URI_TRANSPORT.search(value)):
            return f"{encode(value[:way.start()])}{way[0]}"
        case str() | int():
            return str(encode(value))
        case tuple():
            return ",".join(str(encode(each)) for each in value)
        case _:
            return variables_text(value) if value else ""


_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    kind: {each.name: each.default if each.default_factory is MISSING else each.default_factory()
           for each in fields(row) if each.name != "name"}
    for kind, row in CLASSES.items()}
"""By kind. MISSING for an option that every row gives."""
_DEFAULT_TEXTS = {
    kind: {name: "" if value is MISSING else _text(name, value) for name, value in options.items()}
    for kind, options in _DEFAULTS.items()}
