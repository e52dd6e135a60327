"""The instance's secrets: generated when first needed, kept in one file that only its owner reads."""

import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from confgen.render.carrier_password import CarrierPassword, UnsafeValue
from routing.numbering.endpoint import PLATFORM, TrunkEndpoint
from routing.numbering.value_types import Extension, Name
from routing.platform.trunks import Carrier, Trunk, servers
from yaml_models.errors import ConfigError, Problem

if TYPE_CHECKING:       # reading passwords needs no tenant model, whose import takes longest
    from routing.nodes.call_server import CallServer
    from routing.tenant.tenant import Tenant

PIN_DIGITS = 6
NO_CARRIERS: Mapping[Name, Carrier] = {}


def new_password() -> str:
    return secrets.token_urlsafe(24)


def _new_pin() -> str:
    return f"{secrets.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}}"


def log_token(ami_secret: str) -> str:
    """The token in each message of Asterisk's log: known to Asterisk and to the AMI service only."""
    return hashlib.sha256(f"log {ami_secret}".encode()).hexdigest()[:16]


class Secrets(BaseModel):
    """Missing secrets are generated. `sip` is by endpoint name, `pins` by 'tenant/extension', `trunks` by trunk
    endpoint name (given by the carrier), `call_servers` by 'tenant/name': what requests to them are signed with; by
    'tenant/label' of a telephone, `devices`: the secret part of its own address, `admins`: the password of its own pages;
    `mobile_pins`, by 'tenant/extension', let users dial from their mobile, `permission_pins`, by 'tenant/extension' and
    'tenant/' for all others, step over a user's permissions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ami: str = Field(default_factory=new_password)          # of the AMI service
    ami_cli: str = Field(default_factory=new_password)      # of the command line
    sip: dict[str, str] = Field(default_factory=dict)
    next_sip: dict[str, str] = Field(default_factory=dict)   # accepted beside those, and take their place once used
    pins: dict[str, str] = Field(default_factory=dict)
    trunks: dict[str, str] = Field(default_factory=dict)
    call_servers: dict[str, str] = Field(default_factory=dict)
    devices: dict[str, str] = Field(default_factory=dict)
    admins: dict[str, str] = Field(default_factory=dict)
    mobile_pins: dict[str, str] = Field(default_factory=dict)
    permission_pins: dict[str, str] = Field(default_factory=dict)

    def newest_sip(self, endpoint: str) -> str:
        """The password for a telephone that is set up now."""
        return self.next_sip.get(endpoint, self.sip[endpoint])

    def with_next_sip(self, endpoint: str) -> Self:
        """With a new password beside the one in use; the one that is already waiting to be used stays."""
        return self.model_copy(update={"next_sip": {endpoint: new_password(), **self.next_sip}})

    def rotated(self, endpoint: str) -> Self:
        """With the new password alone. Raises KeyError where there is none."""
        kept = {name: password for name, password in self.next_sip.items() if name != endpoint}
        return self.model_copy(update={"sip": {**self.sip, endpoint: self.next_sip[endpoint]}, "next_sip": kept})


def load_secrets(file: Path) -> Secrets:
    """Reads the file, or starts a new set. Writes nothing. Raises ConfigError, which shows none of them."""
    try:
        return Secrets.model_validate_json(file.read_text()) if file.exists() else Secrets()
    except ValidationError as error:
        where = ", ".join(".".join(map(str, detail["loc"])) or "the whole" for detail in error.errors())
        raise ConfigError([Problem(str(file), 1, "", f"cannot be used: {where}")]) from None


def save_secrets(file: Path, values: Secrets) -> None:
    """Writes atomically, readable by the owner alone, who stays the owner whichever user runs the command."""
    temporary = file.with_suffix(".new")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump(values.model_dump(), out, indent=1)
        if file.exists():
            os.fchown(out.fileno(), file.stat().st_uid, file.stat().st_gid)
    os.replace(temporary, file)


def with_missing(values: Secrets, tenants: "Iterable[Tenant]", carriers: Mapping[Name, Carrier] = NO_CARRIERS) -> Secrets:
    """The secrets with one more for each endpoint, mailbox, call server and telephone that has none. Raises ConfigError for a
    trunk that registers and has no password yet: only its carrier knows that one."""
    sip, pins, call_servers = dict(values.sip), dict(values.pins), dict(values.call_servers)
    devices, admins = dict(values.devices), dict(values.admins)
    mobile_pins = dict(values.mobile_pins)
    problems = [Problem(PLATFORM, 1, f"carriers.{name}", text) for name, text in password_problems(values, PLATFORM, carriers)]
    for tenant in tenants:
        for extension, user in tenant.users.items():
            for endpoint in tenant.endpoints_of(extension):
                sip.setdefault(endpoint, new_password())
            if user.voicemail:
                pins.setdefault(pin_name(tenant, extension), _new_pin())
        for extension in mobile_users(tenant):
            mobile_pins.setdefault(pin_name(tenant, extension), _new_pin())
        for server in call_servers_of(tenant):
            call_servers.setdefault(server, new_password())
        for _, label, _ in tenant.equipment():
            devices.setdefault(f"{tenant.tenant}/{label}", secrets.token_urlsafe(32))
            admins.setdefault(f"{tenant.tenant}/{label}", secrets.token_urlsafe(9))     # a person types it
        wrong = password_problems(values, tenant.tenant, tenant.trunks)
        problems += [Problem(tenant.tenant, 1, f"trunks.{name}", text) for name, text in wrong]
    if problems:
        raise ConfigError(problems)
    return values.model_copy(update={
        "sip": sip, "pins": pins, "call_servers": call_servers, "devices": devices, "admins": admins,
        "mobile_pins": mobile_pins})


def password_problems(values: Secrets, owner: str, ways: Mapping[Name, Trunk | Carrier]) -> Iterator[tuple[Name, str]]:
    """The registering trunks and carriers that have no usable password, with the reason."""
    for name, _, _ in servers(ways):
        endpoint = str(TrunkEndpoint(owner, name))
        give = f"give it with: centralka secret {endpoint}"
        if endpoint not in values.trunks:
            yield name, f"no password is kept for it; {give}"
        else:
            try:
                CarrierPassword(values.trunks[endpoint])
            except UnsafeValue as error:
                yield name, f"{error}; {give}"


def mobile_users(tenant: "Tenant") -> tuple[Extension, ...]:
    """The users that may dial from the mobile, each once."""
    return tuple(dict.fromkeys(user for access in tenant.mobile_accesses.values() for user in access.users))


def call_servers_of(tenant: "Tenant") -> "dict[str, CallServer]":
    """The tenant's call servers by the names that their secrets have."""
    return {f"{tenant.tenant}/{name}": server for name, server in tenant.call_servers.items()}


def permission_pins_of(tenant: "Tenant", values: Secrets) -> dict[str, str]:
    """By extension, '' for all others."""
    pairs = ((name.partition("/"), pin) for name, pin in values.permission_pins.items())
    return {extension: pin for (slug, _, extension), pin in pairs if slug == tenant.tenant}


def pin_name(tenant: "Tenant", extension: str) -> str:
    return f"{tenant.tenant}/{extension}"
