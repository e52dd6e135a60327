"""The sections of a tenant's file. Pure."""

from pydantic import Field, field_validator
from pydantic.json_schema import SkipJsonSchema

from routing.call.codes import Codes
from routing.hours.calendars import Calendar
from routing.hours.timezones import is_timezone
from routing.nodes import Elements
from routing.nodes.user import User
from routing.nodes.when import When
from routing.numbering.number_list import Blacklist, NumberPatterns
from routing.numbering.value_types import (
    AreaCode,
    Did,
    Extension,
    Extensions,
    HomeCountry,
    Label,
    MailAddress,
    Name,
    Slug,
    Target,
)
from routing.platform.platform import Platform
from routing.platform.subscription import Bought
from routing.platform.trunks import Trunk
from routing.speech.phrases import Language
from routing.speech.prompts import Prompt
from routing.tenant.equipment import Equipped
from routing.tenant.pickup_groups import Desks
from routing.tenant.routes import Route, Site
from yaml_models.strict_model import Part


class PublicNumber(Part):
    """A DID and the element that its calls enter."""

    to: Target


class Music(Part):
    """Music on hold: these prompts, repeated."""

    prompts: tuple[Name, ...] = Field(min_length=1, max_length=20)


class FailoverTargets(Part):
    """Failover for calls when the decision service gives no answer: these users ring together, then a mailbox."""

    ring: Extensions = Field(min_length=1, max_length=20)
    ring_s: int = Field(default=30, ge=3, le=120)
    voicemail: Extension | None = None


class TenantFile(Elements, Equipped, Desks):
    """The top level of a tenant's file."""

    tenant: Slug
    name: Label
    country: HomeCountry                   # country of numbers dialled without a prefix
    area_code: AreaCode = ""               # area of numbers dialled by their last digits only
    language: Language
    timezone: str                          # IANA name, such as Europe/Warsaw
    users: dict[Extension, User] = Field(min_length=1)
    numbers: dict[Did, PublicNumber] = Field(default_factory=dict)
    trunks: dict[Name, Trunk] = Field(default_factory=dict)               # default: all carriers of the platform
    routes: tuple[Route, ...] = Field(default=(), max_length=20)          # for a class without a route: all trunks in order
    sites: dict[Name, Site] = Field(default_factory=dict, max_length=500)
    closed_outside: When | None = None                                    # no external calls while it holds
    plan: Bought | None = None                                            # default: no limits
    notices_to: tuple[MailAddress, ...] = Field(default=(), max_length=20)    # also notified when external calls are stopped
    platform: SkipJsonSchema[Platform] = Platform(brake=None)             # never in the tenant's own file
    prompts: dict[Name, Prompt] = Field(default_factory=dict)
    musics: dict[Name, Music] = Field(default_factory=dict)
    calendars: dict[Name, Calendar] = Field(default_factory=dict, max_length=50)
    lists: dict[Name, NumberPatterns] = Field(default_factory=dict)       # of callers' numbers
    failover: FailoverTargets
    codes: Codes = Codes()
    blacklist: Blacklist = Blacklist()

    @field_validator("timezone")
    @classmethod
    def timezone_exists(cls, zone: str) -> str:
        if not is_timezone(zone):
            raise ValueError("expected a time zone such as Europe/Warsaw")
        return zone
