"""The ways outside: a tenant's trunks to carriers. Pure."""

from typing import Annotated, Literal

from pydantic import Field

from routing.names import Did, Host, SipUser
from routing.part import Part


class _Trunk(Part):
    """The carrier is asked by OPTIONS every `qualify_s` seconds whether it is there. While it does not answer, calls take the
    next trunk at once. With 0 it is never asked, for carriers that answer no OPTIONS, and every call tries it."""

    qualify_s: int = Field(default=60, ge=0, le=3600)


class AddressTrunk(_Trunk):
    """A trunk that is known by its address, both ways."""

    kind: Literal["address"]
    address: Host
    port: int = Field(default=5060, ge=1, le=65535)


class RegistrationTrunk(_Trunk):
    """A trunk where we register with a user name. The password is kept among the instance's secrets.

    `number` is what we ask the carrier to call us by: it stands as the user in our contact.
    """

    kind: Literal["registration"]
    server: Host
    port: int = Field(default=5060, ge=1, le=65535)
    user: SipUser
    number: Did


Trunk = Annotated[AddressTrunk | RegistrationTrunk, Field(discriminator="kind")]
