"""Trunks: a tenant's trunks to carriers, and the platform's carriers for all tenants. Pure."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field

from routing.numbering.value_types import AreaCode, Did, HomeCountry, Host, Name, SipUser
from yaml_models.strict_model import Part


class _Trunk(Part):
    """The carrier gets OPTIONS every `qualify_s` seconds. While it does not answer, calls take the
    next trunk at once. 0 sends no OPTIONS, for carriers that do not answer them, and every call tries the trunk."""

    qualify_s: int = Field(default=60, ge=0, le=3600)


class AddressTrunk(_Trunk):
    """A trunk identified by its address, in both directions."""

    kind: Literal["address"]
    address: Host
    port: int = Field(default=5060, ge=1, le=65535)


class _Registration(_Trunk):
    """A server at which we register with a user name. The password is kept among the instance's secrets."""

    kind: Literal["registration"]
    server: Host
    port: int = Field(default=5060, ge=1, le=65535)
    user: SipUser


class RegistrationTrunk(_Registration):
    """A trunk where we register. `number` is the user part of our contact, to which the carrier sends calls."""

    number: Did


class CarrierTrunk(Part):
    """A carrier of the platform, which several tenants use."""

    kind: Literal["carrier"]
    carrier: Name


Trunk = Annotated[AddressTrunk | RegistrationTrunk | CarrierTrunk, Field(discriminator="kind")]
OwnTrunk = AddressTrunk | RegistrationTrunk


class _WritesNumbers(Part):
    """Number formats of a carrier: full numbers always, and also national and local numbers,
    as dialled in that country and area. Without a country only full ones."""

    country: HomeCountry | None = None
    area_code: AreaCode = ""


class AddressCarrier(AddressTrunk, _WritesNumbers):
    """A carrier identified by its address, in both directions."""


class RegistrationCarrier(_Registration, _WritesNumbers):
    """A carrier where we register. Its INVITE has the number as request URI, or our contact there and the number in To."""


Carrier = Annotated[AddressCarrier | RegistrationCarrier, Field(discriminator="kind")]


def addresses(ways: Mapping[Name, Trunk | Carrier]) -> Iterator[tuple[Name, str, str]]:
    """Trunks identified by their address: name, field, normalized address."""
    return ((name, "address", way.address.lower()) for name, way in ways.items() if isinstance(way, AddressTrunk))


def servers(ways: Mapping[Name, Trunk | Carrier]) -> Iterator[tuple[Name, str, str]]:
    """Trunks that register: name, field, normalized server."""
    return ((name, "server", way.server.lower()) for name, way in ways.items() if isinstance(way, _Registration))
