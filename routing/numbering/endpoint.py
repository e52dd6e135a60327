"""The names that endpoints have in Asterisk, in files and on the command line: made and read here, and nowhere else. Pure.

A name begins with its tenant, whose slug has no '-', or with PLATFORM where it is all tenants'. Extensions are digits, so that
no user's device is taken for a trunk.
"""

import re
from dataclasses import dataclass

from routing.numbering.value_types import DeviceName, Extension, Name, Slug

PLATFORM: Slug = "platform"      # no tenant is called so
_DEVICE = re.compile(r"([0-9]{2,6})-([a-z][a-z0-9_]{0,30})", re.ASCII)
_ENDPOINT = re.compile(
    r"(?P<tenant>[a-z][a-z0-9]{1,30})-(?:trunk-(?P<trunk>[a-z][a-z0-9_]{0,30})|(?P<device>[0-9]{2,6}-[a-z][a-z0-9_]{0,30}))",
    re.ASCII)


@dataclass(frozen=True, slots=True)
class UserDevice:
    """A user's device, such as 201-desk: a phone, or whatever else registers."""

    extension: Extension
    name: Name

    def __str__(self) -> DeviceName:
        return f"{self.extension}-{self.name}"


@dataclass(frozen=True, slots=True)
class DeviceEndpoint:
    """A device in Asterisk, the same name for its AOR and its SIP user: acme-201-desk."""

    tenant: Slug
    device: UserDevice

    def __str__(self) -> str:
        return f"{self.tenant}-{self.device}"


@dataclass(frozen=True, slots=True)
class TrunkEndpoint:
    """A trunk in Asterisk: acme-trunk-carrier; platform-trunk-telco, a carrier that tenants share."""

    tenant: Slug
    trunk: Name

    def __str__(self) -> str:
        return f"{self.tenant}-trunk-{self.trunk}"


def read_device(text: str) -> UserDevice:
    """Raises ValueError for what names no user's device."""
    found = _DEVICE.fullmatch(text)
    if not found:
        raise ValueError(f"found {text[:80]!r}, expected a user's device such as 201-desk")
    return UserDevice(found[1], found[2])


def read_endpoint(name: str) -> DeviceEndpoint | TrunkEndpoint | None:
    """None for what names no endpoint of a tenant."""
    found = _ENDPOINT.fullmatch(name)
    if not found:
        return None
    if found["device"]:
        return DeviceEndpoint(found["tenant"], read_device(found["device"]))
    return TrunkEndpoint(found["tenant"], found["trunk"])


def device_of(endpoint: str) -> UserDevice:
    """201-desk of acme-201-desk. Raises ValueError for any other name."""
    match read_endpoint(endpoint):
        case DeviceEndpoint(device=device):
            return device
        case _:
            raise ValueError(f"found {endpoint[:80]!r}, expected the endpoint of a device such as acme-201-desk")


def tenant_of(name: str) -> Slug:
    """The tenant to whom a name in Asterisk belongs: acme of acme-support, a queue, too."""
    return name.partition("-")[0]
