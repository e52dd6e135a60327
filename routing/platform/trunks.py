"""Trunks: a tenant's trunks to carriers, and the platform's carriers for all tenants. Pure."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from routing.numbering.value_types import AreaCode, Did, HomeCountry, Host, Name, Network, SipUser, all_differ
from yaml_models.strict_model import Part

Codec = Literal["alaw", "ulaw", "g722"]
CODECS: tuple[Codec, ...] = ("alaw", "ulaw", "g722")


class Transport(StrEnum):
    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"


class CalledNumber(StrEnum):
    REQUEST = "request"
    TO = "to"
    P_CALLED_PARTY_ID = "p_called_party_id"
    DIVERSION = "diversion"


class IdentityHeader(StrEnum):
    P_ASSERTED = "p_asserted"
    P_PREFERRED = "p_preferred"
    REMOTE_PARTY = "remote_party"
    FROM = "from"


class ForwardedBy(StrEnum):
    DIVERSION = "diversion"
    NOTHING = "nothing"


class Keys(StrEnum):
    AUTO = "auto"
    RFC4733 = "rfc4733"
    INFO = "info"
    TONES = "tones"


class _Trunk(Part):
    """Differences of a carrier from others; the defaults suit most.

    The carrier gets OPTIONS every `qualify_s` seconds. While it does not answer, calls take the next
    trunk at once. 0 sends no OPTIONS, for carriers that do not answer them, and every call tries the trunk.

    `calls_from`: further networks from which the carrier calls. `called_number`: the header with the
    number that is called. `called_prefix`: digits that the carrier puts before it.

    `trust`: P-Asserted-Identity or Remote-Party-ID of its calls says who calls; else From does.
    `from_user` and `from_domain` replace the caller's number and our address in From, for carriers that
    expect the account there. `identity`: the header with the number that vouches for the call.
    `forwarded_by`: the header with the number that was called before a forward.

    `keys`: the way of keys. `auto` is RFC 4733 where the carrier offers it, and else tones in the
    audio; SIP INFO is always understood. `codecs` in the order of preference; trunks of tenants with
    analogue devices use alaw and ulaw.

    A call that gets no audio from the carrier for `silence_s` seconds ends, and one on hold after
    `silence_on_hold_s`; 0 never ends it.
    """

    transport: Transport = Transport.UDP
    qualify_s: int = Field(default=60, ge=0, le=3600)
    calls_from: tuple[Network, ...] = Field(default=(), max_length=50)
    called_number: CalledNumber = CalledNumber.REQUEST
    called_prefix: AreaCode = ""
    trust: bool = False
    from_user: SipUser | None = None
    from_domain: Host | None = None
    identity: IdentityHeader = IdentityHeader.P_ASSERTED
    forwarded_by: ForwardedBy = ForwardedBy.DIVERSION
    keys: Keys = Keys.AUTO
    codecs: Annotated[tuple[Codec, ...], AfterValidator(all_differ)] = Field(default=CODECS, min_length=1)
    silence_s: int = Field(default=90, ge=0, le=3600)
    silence_on_hold_s: int = Field(default=3600, ge=0, le=86400)


class AddressTrunk(_Trunk):
    """A trunk identified by its address, in both directions."""

    kind: Literal["address"]
    address: Host
    port: int = Field(default=5060, ge=1, le=65535)


class _Registration(_Trunk):
    """A server at which we register with a user name. The password is kept among the instance's secrets.

    `auth_user`: the name that belongs to the password, if it is not `user`. The registration lasts
    `expiry_s` seconds. One that fails is tried again every `retry_s` seconds, whatever the carrier answered.
    """

    kind: Literal["registration"]
    server: Host
    port: int = Field(default=5060, ge=1, le=65535)
    user: SipUser
    auth_user: SipUser | None = None
    expiry_s: int = Field(default=3600, ge=60, le=86400)
    retry_s: int = Field(default=30, ge=5, le=3600)


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


def networks(ways: Mapping[Name, Trunk | Carrier]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Where carriers call from: the path of the field, and the address or network."""
    for name, way in ways.items():
        if isinstance(way, AddressTrunk):
            yield (name, "address"), way.address
        if isinstance(way, _Trunk):
            yield from (((name, "calls_from", str(place)), network) for place, network in enumerate(way.calls_from))


def servers(ways: Mapping[Name, Trunk | Carrier]) -> Iterator[tuple[Name, str, str]]:
    """Trunks that register: name, field, normalized server."""
    return ((name, "server", way.server.lower()) for name, way in ways.items() if isinstance(way, _Registration))
