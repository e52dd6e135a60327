"""Published tenants: the values that decide calls, and the file from which they were made.

Another version of Centralka may not understand the values: its models have other fields. It makes them from the file, which
is the tenant's own and outlives versions, and needs nothing but the published text: services do so in containers, too.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from routing.hours.calendars import CalendarEvent
from routing.tenant.tenant import Tenant

REPOSITORY: Final = Path(__file__).resolve().parents[1]
CODE: Final = ("routing", "yaml_models")      # what the values mean is said there


@dataclass(frozen=True, slots=True)
class Source:
    """A tenant's file: its name for errors, its text, and that of the operator's file beside it, '' where there is none."""

    file: str
    text: str
    platform: str = ""


@cache
def published_format() -> str:
    """The version of the values: a digest of the code that gives them their meaning, so nobody can forget to change it."""
    whole = hashlib.sha256()
    for path in sorted(path for part in CODE for path in (REPOSITORY / part).rglob("*.py")):
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()[:16]


def published_values(tenant: Tenant, source: Source | None) -> dict[str, Any]:
    """The values of the tenant, with their version and, where it is known, their source."""
    return {
        "format": published_format(), "source": asdict(source) if source else None, "tenant": tenant.model_dump(mode="json")}


def read_source(values: Mapping[str, Any]) -> Source | None:
    """None in what a version published that kept no source."""
    return Source(**values["source"]) if values.get("source") else None


def read_published(values: Mapping[str, Any]) -> Tenant:
    """The tenant. Raises ConfigError, ValueError and LookupError for what neither the values nor the source make one of."""
    source = read_source(values)
    if source is None or values["format"] == published_format():
        return Tenant.model_validate(values["tenant"])
    from routing.check.check import read_platform, read_tenant  # after an upgrade only
    from routing.platform.platform import Platform

    platform = read_platform(source.platform, source.file) if source.platform else Platform()
    tenant = read_tenant(source.text, source.file, platform)
    events = {name: calendar.get("events", ()) for name, calendar in values["tenant"].get("calendars", {}).items()}
    return tenant.model_copy(update={"calendars": {
        name: calendar.model_copy(update={"events": tuple(map(CalendarEvent.model_validate, events.get(name, ())))})
        for name, calendar in tenant.calendars.items()}})
