"""`centralka phones`: a tenant's telephones, the values to enter in each, and when it was last seen."""

import asyncio
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.text import Text

from centralka.cli import configuration
from centralka.cli.terminal import Json, errors_reported, load_instance, out
from centralka.settings import Settings
from confgen.render.phone_files import Server, address_of, model_of, places_of
from confgen.render.tenant_files import credentials_of
from confgen.secrets import load_secrets
from routing.call.facts import DeviceState
from routing.check.equipment_check import macs_of, site_of
from routing.tenant.equipment import DectSystem, devices_of
from routing.tenant.tenant import Tenant
from store import live
from store.equipment import ConfigurationFetch, EquipmentStore


@dataclass(frozen=True, slots=True)
class PhoneRow:
    """One telephone. `address` is what to enter in it, `password` that of its own pages; `lines`: endpoint -> state."""

    label: str
    model: str
    mac: str
    bases: dict[str, str]           # of a DECT system, beside the manager: label -> MAC
    site: str
    address: str
    password: str
    lines: dict[str, str]
    codes: dict[str, str]           # of a DECT system: endpoint -> where and by which code its handset is registered
    fetched: ConfigurationFetch | None


def phones(
    context: typer.Context, tenant: Annotated[str, typer.Argument(help="Such as acme.")],
    open_for: Annotated[str, typer.Option("--open", metavar="LABEL", help="Let this one ask by its MAC address, once.")] = "",
    minutes: Annotated[int, typer.Option(min=1, max=60, help="For how long.")] = 10, as_json: Json = False,
) -> None:
    settings = load_instance(context)
    with errors_reported():
        found = configuration.published_tenants(settings).get(tenant)
        if found is None:
            raise LookupError(f"no tenant {tenant!r} is published")
        try:
            if open_for:
                asyncio.run(_open_window(settings, found, open_for, minutes))
            rows = asyncio.run(_collect(settings, found))
        except live.AWAY as error:
            raise OSError(f"Redis at {settings.redis_url} gives no answer: {error}") from None
    if as_json:
        out.print_json(json.dumps([asdict(row) for row in rows], default=str))
        return
    if not rows:
        out.print(f"{tenant} has no telephones: its file names none in phones, dect or gateways")
        return
    if open_for:
        asks = f"{open_for} may ask once, by its MAC address alone, within {minutes} minutes"
        out.print(f"{asks}: {settings.provision_url}/\n", soft_wrap=True)
    for row in rows:
        out.print(in_words(row, ZoneInfo(found.timezone)), soft_wrap=True)


def in_words(row: PhoneRow, zone: tzinfo) -> Text:
    """A block of lines about one telephone, the last one empty. Values to copy stand unbroken at the end of their line."""
    seen = f"{row.fetched.at.astimezone(zone):%F %H:%M %Z} from {row.fetched.address}" if row.fetched else "never"
    facts = [
        ("MAC address", row.mac), *((f"base {label}", mac) for label, mac in row.bases.items()),
        *([("site", row.site)] if row.site else []),
        ("provisioning server", row.address), ("admin password", row.password),
        *(("line", f"{endpoint}, {state}" + (f", place {row.codes[endpoint]}" if endpoint in row.codes else ""))
          for endpoint, state in row.lines.items()),
        ("last fetched", seen),
    ]
    width = max(len(name) for name, _ in facts)
    block = Text.assemble((row.label, "bold"), f": {row.model}\n")
    for name, value in facts:
        block.append(f"  {name:{width}}  {value}\n")
    return block


async def _open_window(settings: Settings, tenant: Tenant, label: str, minutes: int) -> None:
    each = next((each for _, name, each in tenant.equipment() if name == label), None)
    if each is None:
        labels = ", ".join(name for _, name, _ in tenant.equipment()) or "none"
        raise LookupError(f"{tenant.tenant} has no telephone {label!r}, expected one of {labels}")
    async with live.connect(settings.redis_url) as redis:
        for _, mac in macs_of(each):
            await EquipmentStore(redis).open_window(mac, datetime.now(UTC) + timedelta(minutes=minutes))


async def _collect(settings: Settings, tenant: Tenant) -> list[PhoneRow]:
    credentials = credentials_of(tenant, load_secrets(settings.home / "secrets.json"))
    if credentials is None:
        return []
    server = Server(settings.public_host, settings.sip_port, settings.provision_url, settings.sip_tls_port)
    async with live.connect(settings.redis_url) as redis:
        fetched, states = await EquipmentStore(redis).fetched(), await redis.hgetall(live.DEVICES)
    rows = []
    for _, label, each in tenant.equipment():
        endpoints = [tenant.endpoint_of(device) for _, device in devices_of(each)]
        places = places_of(tenant, label, each, credentials) if isinstance(each, DectSystem) else ()
        codes = {place.line.user: f"{place.slot}, code {place.code}" for place in places}
        address = address_of(label, each, credentials, server)
        bases = each.bases if isinstance(each, DectSystem) else {}
        rows.append(PhoneRow(
            label, model_of(each).name, each.mac, bases, site_of(tenant, each), address, credentials.admin[label],
            {name: str(states.get(name, DeviceState.UNKNOWN)) for name in endpoints}, codes,
            fetched.get(f"{tenant.tenant}/{label}")))
    return rows
