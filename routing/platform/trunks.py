"""The ways outside: a tenant's trunks to carriers, and the carriers that the platform has for all tenants. Pure."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field

from routing.numbering.value_types import AreaCode, Did, HomeCountry, Host, Name, SipUser
from yaml_models.strict_model import Part


class _Trunk(Part):
    """The carrier gets OPTIONS every `qualify_s` seconds. While it does not answer, calls take the
    next trunk at once. With 0 it is never asked, for carriers that answer no OPTIONS, and every call tries it."""

    qualify_s: int = Field(default=60, ge=0, le=3600)


class AddressTrunk(_Trunk):
    """A trunk that is known by its address, both ways."""

    kind: Literal["address"]
    address: Host
    port: int = Field(default=5060, ge=1, le=65535)


class _Registration(_Trunk):
    """Where we register with a user name. The password is kept among the instance's secrets."""

    kind: Literal["registration"]
    server: Host
    port: int = Field(default=5060, ge=1, le=65535)
    user: SipUser


class RegistrationTrunk(_Registration):
    """A trunk where we register. `number` is what we ask the carrier to call us by: it stands as the user in our contact."""

    number: Did


class CarrierTrunk(Part):
    """A carrier of the platform's, which other tenants use too."""

    kind: Literal["carrier"]
    carrier: Name


Trunk = Annotated[AddressTrunk | RegistrationTrunk | CarrierTrunk, Field(discriminator="kind")]
OwnTrunk = AddressTrunk | RegistrationTrunk


class _WritesNumbers(Part):
    """Number formats of a carrier: whole numbers always, and as a caller in that country, and in that area,
    would dial them. Without a country whole ones only."""

    country: HomeCountry | None = None
    area_code: AreaCode = ""


class AddressCarrier(AddressTrunk, _WritesNumbers):
    """A carrier that is known by its address, both ways."""


class RegistrationCarrier(_Registration, _WritesNumbers):
    """A carrier where we register. It calls the number itself, or, where it calls our contact, names the number in To."""


Carrier = Annotated[AddressCarrier | RegistrationCarrier, Field(discriminator="kind")]


def addresses(ways: Mapping[Name, Trunk | Carrier]) -> Iterator[tuple[Name, str, str]]:
    """Of those that are known by their address: name, field, address in one spelling."""
    return ((name, "address", way.address.lower()) for name, way in ways.items() if isinstance(way, AddressTrunk))


def servers(ways: Mapping[Name, Trunk | Carrier]) -> Iterator[tuple[Name, str, str]]:
    """Of those that register: name, field, server in one spelling."""
    return ((name, "server", way.server.lower()) for name, way in ways.items() if isinstance(way, _Registration))
