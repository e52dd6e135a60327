"""Facts of a simulated call: from the command line, and otherwise the live state of the instance."""

import asyncio
import re
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import typer
from redis.asyncio import Redis

from centralka.cli.live_settings import ask_redis, settings_in_words
from centralka.settings import Settings
from confgen.secrets import load_secrets, permission_pins_of
from routing.call.admission import NOBODY
from routing.call.call_server import CallServerReply, Failed, Failure, read_reply
from routing.call.facts import NOTHING_SET, DeviceState, Personal
from routing.numbering.endpoint import device_of
from routing.tenant.tenant import Tenant
from store import personal, switches
from store.lines import Lines
from yaml_models.suggestion import expected_one_of

OUTSIDE = r"\+[0-9]{7,15}"
ASSUMED = "assumed: switches as they begin, nothing set by users, no call outside stopped, no country confirmed, no PIN kept"


@dataclass(frozen=True, slots=True)
class SimulatedWorld:
    """Of one tenant. `pins` let users dial from their mobiles, `permission_pins` step over permissions, '' for all others."""

    switches: dict[str, str] = field(default_factory=dict)
    personal: dict[str, Personal] = field(default_factory=dict)
    stopped: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    pins: dict[str, str] = field(default_factory=dict, repr=False)
    permission_pins: dict[str, str] = field(default_factory=dict, repr=False)


def live_world(settings: Settings, tenant: Tenant) -> SimulatedWorld:
    """The state in the instance now. Without an instance, or while Redis is unavailable, one line says what is assumed."""
    if not (settings.home / "secrets.json").exists():
        typer.echo(f"{ASSUMED}; there is no instance in {settings.home}", err=True)
        return SimulatedWorld()
    secrets = load_secrets(settings.home / "secrets.json")
    try:
        found = ask_redis(settings, lambda redis: _read(redis, tenant))
    except (OSError, ValueError) as error:
        typer.echo(f"{ASSUMED.removesuffix(', no PIN kept')}: {error}", err=True)
        found = SimulatedWorld()
    prefix = f"{tenant.tenant}/"
    pins = {name.removeprefix(prefix): pin for name, pin in secrets.mobile_pins.items() if name.startswith(prefix)}
    return SimulatedWorld(
        found.switches, found.personal, found.stopped, found.countries, pins, permission_pins_of(tenant, secrets))


async def _read(redis: Redis, tenant: Tenant) -> SimulatedWorld:
    slug, lines = tenant.tenant, Lines(redis)
    positions = await switches.positions(redis, slug)
    users = await asyncio.gather(*(personal.read(redis, slug, extension) for extension in tenant.users))
    stopped, countries = await lines.stopped(), await lines.countries(slug)
    return SimulatedWorld(
        {name: position for name, position in positions.items() if name in tenant.switches},
        {extension: found for extension, found in zip(tenant.users, users, strict=True) if found != NOTHING_SET},
        frozenset(who for owner, _, who in (name.partition("/") for name in stopped) if owner == slug), countries)


def in_words(world: SimulatedWorld, tenant: Tenant) -> str:
    """The live state that differs from a tenant's initial state; '' if nothing differs."""
    described = [f"switch {name}: {position}" for name, position in world.switches.items()]
    for extension, found in world.personal.items():
        described.append(f"{extension}: {', '.join(settings_in_words(found, ZoneInfo(tenant.timezone)))}")
    described += [f"calls outside of {who if who != NOBODY else tenant.tenant} are stopped" for who in sorted(world.stopped)]
    return "; ".join(described)


def read_states(texts: list[str], tenant: Tenant) -> tuple[dict[str, DeviceState], frozenset[str]]:
    """'busy:201', 'silent:201-desk' or 'busy:+48600100200', as states and as those that do not answer. Raises ValueError."""
    known = {device for extension in tenant.users for device in (extension, *_devices(tenant, extension))}
    states: dict[str, DeviceState] = {}
    silent: set[str] = set()
    for text in texts:
        word, _, who = text.partition(":")
        if word not in (*DeviceState, "silent") or not who:
            raise ValueError(
                f"found --state {text!r}, expected {', '.join(DeviceState)} or silent, a colon and an extension, a device or a "
                "number outside")
        if who not in known and not re.fullmatch(OUTSIDE, who, re.ASCII):
            raise ValueError(
                f"found --state {text!r}, {expected_one_of(sorted(known), f'{tenant.tenant} has no users')} "
                "or a number outside such as +48600100200")
        if word == "silent":
            silent.add(who)
        else:
            states[who] = DeviceState(word)
    return states, frozenset(silent)


def _devices(tenant: Tenant, extension: str) -> list[str]:
    return [str(device_of(endpoint)) for endpoint in tenant.endpoints_of(extension)]


def read_call_servers(texts: list[str], tenant: Tenant) -> dict[str, CallServerReply | Failed]:
    """'crm={"go_to": "sales"}', 'crm=@answer.json', 'crm=status:500' by call server. Raises ValueError."""
    answers: dict[str, CallServerReply | Failed] = {}
    for text in texts:
        name, _, said = text.partition("=")
        if name not in tenant.call_servers:
            expected = expected_one_of(tenant.call_servers, f"{tenant.tenant} has no call servers")
            raise ValueError(f"found --call-server {text!r}, {expected}" + (", then =" if tenant.call_servers else ""))
        failure, _, detail = said.partition(":")
        if failure in set(Failure):
            answers[name] = Failed(Failure(failure), detail)
        elif said.startswith(("{", "@")):
            answers[name] = read_reply(_read_answer(Path(said[1:])) if said.startswith("@") else said.encode())
        else:
            raise ValueError(f"found --call-server {text!r}, expected an answer as JSON, @file, or one of {', '.join(Failure)}")
    return answers


def _read_answer(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror}, expected a file with a call server's answer") from None


def read_failing_trunks(names: list[str], tenant: Tenant) -> frozenset[str]:
    """Raises ValueError."""
    for name in names:
        if name not in tenant.trunks:
            raise ValueError(
                f"found --failing-trunk {name!r}, {expected_one_of(tenant.trunks, f'{tenant.tenant} has no trunks')}")
    return frozenset(names)
