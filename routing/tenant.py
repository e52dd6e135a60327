"""A tenant: one firm's users, numbers, trunks and call flow. Pure."""

from functools import cached_property
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from phonenumbers import SUPPORTED_REGIONS
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from routing.calendars import Calendar
from routing.names import Code, Did, Extension, Extensions, Host, Label, Name, SipUser, Slug, SoundFile, SpokenText, Target
from routing.nodes import Elements
from routing.nodes.node import Element
from routing.nodes.user import User
from routing.number_list import NumberPatterns, NumberSet
from routing.phrases import PHRASES, Language

Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Prompt(_Section):
    """What a caller hears: text that is spoken, or a sound file beside the tenant's file."""

    text: SpokenText | None = None
    file: SoundFile | None = None
    language: Language | None = None     # of the text; the tenant's language without it

    @model_validator(mode="after")
    def has_one_source(self) -> Self:
        if (self.text is None) == (self.file is None):
            raise ValueError("expected either text or file")
        return self


class PublicNumber(_Section):
    """A DID and the element that its calls enter."""

    to: Target


class AddressTrunk(_Section):
    """A trunk that is known by its address, both ways."""

    kind: Literal["address"]
    address: Host
    port: int = Field(default=5060, ge=1, le=65535)


class RegistrationTrunk(_Section):
    """A trunk where we register with a user name. The password is kept among the instance's secrets.

    `number` is what we ask the carrier to call us by: it stands as the user in our contact.
    """

    kind: Literal["registration"]
    server: Host
    port: int = Field(default=5060, ge=1, le=65535)
    user: SipUser
    number: Did


Trunk = Annotated[AddressTrunk | RegistrationTrunk, Field(discriminator="kind")]


class Failover(_Section):
    """Where calls go when the decision service gives no answer: these users ring together, then a mailbox."""

    ring: Extensions = Field(min_length=1, max_length=20)
    ring_s: int = Field(default=30, ge=3, le=120)
    voicemail: Extension | None = None


class Codes(_Section):
    """What users key on their phones."""

    voicemail: Code = "*97"


class Tenant(Elements):
    tenant: Slug
    name: Label
    country: Country                       # of numbers dialled without a prefix
    language: Language
    timezone: str                          # IANA name, such as Europe/Warsaw
    users: dict[Extension, User] = Field(min_length=1)
    numbers: dict[Did, PublicNumber] = Field(default_factory=dict)
    trunks: dict[Name, Trunk] = Field(default_factory=dict)
    prompts: dict[Name, Prompt] = Field(default_factory=dict)
    calendars: dict[Name, Calendar] = Field(default_factory=dict)
    lists: dict[Name, NumberPatterns] = Field(default_factory=dict)       # of callers' numbers
    failover: Failover
    codes: Codes = Codes()

    @field_validator("country")
    @classmethod
    def country_has_numbers(cls, country: str) -> str:
        if country not in SUPPORTED_REGIONS:
            raise ValueError("expected a country's two letters, such as PL")
        return country

    @field_validator("timezone")
    @classmethod
    def timezone_exists(cls, zone: str) -> str:

        if zone not in available_timezones():
            raise ValueError("expected a time zone such as Europe/Warsaw")
        return zone

    @cached_property
    def nodes(self) -> dict[str, Element | User]:
        """Every place a call can be, by element name or extension of a user."""
        return {**self.users, **{name: element for _, name, element in self.elements()}}

    @cached_property
    def internal_numbers(self) -> dict[Extension, str]:
        """What each internal number reaches: a node of `nodes`."""
        named = {element.extension: name for _, name, element in self.elements() if element.extension}
        return {**named, **{extension: extension for extension in self.users}}

    @cached_property
    def _endpoints(self) -> dict[Extension, tuple[str, ...]]:
        return {
            extension: tuple(endpoint_name(self.tenant, extension, device) for device in user.devices)
            for extension, user in self.users.items()
        }

    def endpoints_of(self, extension: Extension) -> tuple[str, ...]:
        """The endpoint names of a user's devices."""
        return self._endpoints[extension]

    @cached_property
    def _number_sets(self) -> dict[Name, NumberSet]:
        return {name: NumberSet(patterns) for name, patterns in self.lists.items()}

    def numbers_in(self, number_list: Name) -> NumberSet:
        """The numbers of one of `lists`."""
        return self._number_sets[number_list]

    def members_of(self, group: Name) -> tuple[Extension, ...]:
        """The users among a group's members."""
        return tuple(member for member in self.groups[group].members if member in self.users)

    def position_of(self, switch: Name, found: str | None) -> Name:
        """Where a switch stands, by the position that live state has of it."""
        return self.switches[switch].standing(found)

    def all_prompts(self) -> dict[Name, Prompt]:
        """The tenant's prompts and, where it has none of that name, the system's phrases in its language."""
        phrases = {name: Prompt(text=texts[self.language]) for name, texts in PHRASES.items()}
        return {**phrases, **self.prompts}


def endpoint_name(tenant: Slug, extension: Extension, device: Name) -> str:
    """The name of a device's endpoint, AOR and SIP user: 'acme-201-desk'."""
    return f"{tenant}-{extension}-{device}"


def trunk_endpoint_name(tenant: Slug, trunk: Name) -> str:
    return f"{tenant}-trunk-{trunk}"
