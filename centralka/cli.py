"""The command line. Exit codes: 0 good, 1 the user's input is wrong, 2 the system is."""

import asyncio
import importlib
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
import uvloop
from rich.console import Console
from rich.table import Table

from agi.ami_client import AmiClient, AmiError
from centralka import configuration
from centralka.log import configure_log
from centralka.settings import AMI_USER, Settings
from confgen.instance import write_instance
from confgen.publish import AsteriskRefused, Published
from confgen.publish import rollback as roll_back
from confgen.secrets import load_secrets, save_secrets
from routing.call import Origin
from routing.errors import ConfigError
from routing.facts import DeviceState
from routing.simulate import Script, simulate
from routing.tenant import Tenant

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help="Centralka, a hosted PBX.")
DEMO = Path(".runtime/root/srv/demo")
out = Console()
errors = Console(stderr=True)

Paths = Annotated[list[Path] | None, typer.Argument(help="Tenant files or directories of them. Default: the instance's.")]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]


class Service(StrEnum):
    AGI = "agi"
    AMI = "ami"


@app.callback()
def main_options(
    context: typer.Context,
    home: Annotated[Path, typer.Option(envvar="CENTRALKA_HOME", help="The instance's directory.")] = DEMO,
) -> None:
    configure_log(for_person=True)
    context.obj = home


@app.command()
def check(context: typer.Context, paths: Paths = None) -> None:
    """Validate tenants' files; every problem with its line."""
    with told():
        files = configuration.tenant_files(paths or [load(context).tenants])
        tenants = configuration.load_tenants(files)
    out.print(f"{len(tenants)} tenant{'s' if len(tenants) != 1 else ''}: good")


@app.command()
def schema() -> None:
    """Print the JSON Schema of a tenant's file, for editors."""
    sys.stdout.write(json.dumps(Tenant.model_json_schema(), indent=2, ensure_ascii=False) + "\n")


@app.command()
def init(context: typer.Context) -> None:
    """Make the instance's directory, its secrets and Asterisk's own configuration. May be run again."""
    settings = load(context)
    secrets_file = settings.home / "secrets.json"
    settings.home.mkdir(mode=0o750, parents=True, exist_ok=True)
    secrets = load_secrets(secrets_file)
    save_secrets(secrets_file, secrets)
    values = settings.model_dump() | {"home": settings.asterisk_home, "ami_secret": secrets.ami}
    write_instance(settings.home, values)


@app.command()
def render(
    context: typer.Context, to: Annotated[Path, typer.Option("--out", help="Where to write.")], paths: Paths = None,
) -> None:
    """Write the Asterisk files that an apply would publish."""
    settings = load(context)
    with told():
        rendered = configuration.render(paths or [settings.tenants], settings)
    for path, text in rendered.files.items():
        file = to / path
        file.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as written:
            written.write(text)
    out.print(f"{len(rendered.files)} files in {to}")


@app.command()
def plan(context: typer.Context, paths: Paths = None, as_json: Json = False) -> None:
    """What an apply would change, and which numbers' calls would go another way."""
    settings = load(context)
    with told():
        planned = configuration.plan(configuration.render(paths or [settings.tenants], settings), settings)
    if as_json:
        out.print_json(json.dumps(asdict(planned)))
    elif not planned.changed:
        out.print("nothing would change")
    else:
        for path in planned.changed:
            out.print(f"changes {path}")
        for tenant, numbers in planned.numbers.items():
            out.print(f"{tenant}: calls to {', '.join(numbers)} would be handled differently")
        if not planned.numbers:
            out.print("no number's calls would be handled differently")


@app.command()
def apply(context: typer.Context, paths: Paths = None) -> None:
    """Check, render and publish; Asterisk reloads only what changed, and everything is undone if it refuses."""
    settings = load(context)

    async def run() -> Published:
        rendered = configuration.render(paths or [settings.tenants], settings)
        async with running_asterisk(settings) as asterisk:
            return await configuration.apply(rendered, settings, asterisk)

    with told(), out.status("Publishing, making prompts where they are new..."):
        published = asyncio.run(run())
    tell_published(published)


@app.command()
def rollback(context: typer.Context) -> None:
    """Go back to the revision before the last apply."""
    settings = load(context)

    async def run() -> Published:
        async with running_asterisk(settings) as asterisk:
            return await roll_back(settings.home, asterisk)

    with told():
        published = asyncio.run(run())
    tell_published(published)


@app.command("simulate")
def simulate_call(
    context: typer.Context,
    tenant: Annotated[str, typer.Argument(help="The tenant's short name.")],
    number: Annotated[str, typer.Argument(help="The number dialled: public, or internal with --extension.")],
    caller: Annotated[str, typer.Option("--from", help="The caller's number.")] = "",
    extension: Annotated[str, typer.Option(help="The call comes from this user's phone instead of a trunk.")] = "",
    at: Annotated[datetime | None, typer.Option(help="When, in the tenant's time zone. Default: now.")] = None,
    keys: Annotated[str, typer.Option(help="What the caller presses, answer by answer: 2,1; or ,, for nothing.")] = "",
    state: Annotated[list[str] | None, typer.Option(help="busy:201, unavailable:202, in_use:203 or silent:201.")] = None,
    paths: Annotated[list[Path] | None, typer.Option("--tenants", help="Tenant files. Default: the instance's.")] = None,
    as_json: Json = False,
) -> None:
    """What happens if somebody calls: answered by the code that decides live calls."""
    settings = load(context)
    with told():
        tenants = configuration.load_tenants(configuration.tenant_files(paths or [settings.tenants]))
        found = next((candidate for candidate in tenants if candidate.tenant == tenant), None)
        if found is None:
            raise ValueError(f"no tenant {tenant!r}, expected one of {', '.join(one.tenant for one in tenants)}")
        states, silent = read_states(state or [])
        zone = ZoneInfo(found.timezone)
        script = Script(
            Origin.PHONE if extension else Origin.TRUNK, number, at.replace(tzinfo=zone) if at else datetime.now(zone),
            caller, extension, tuple(keys.split(",")) if keys else (), states, silent)
    result = simulate(found, script)
    if as_json:
        out.print_json(json.dumps(asdict(result)))
        return
    table = Table("where", "why", box=None)
    for visit in result.path:
        table.add_row(visit.node, visit.why)
    out.print(table)
    out.print(f"ends: {result.outcome}")


def read_states(texts: list[str]) -> tuple[dict[str, DeviceState], frozenset[str]]:
    """'busy:201' and 'silent:202' as states and silent extensions. Raises ValueError."""
    states: dict[str, DeviceState] = {}
    silent: set[str] = set()
    for text in texts:
        word, _, extension = text.partition(":")
        if word == "silent" and extension:
            silent.add(extension)
        elif word in set(DeviceState) and extension:
            states[extension] = DeviceState(word)
        else:
            raise ValueError(f"found --state {text!r}, expected {', '.join(DeviceState)} or silent, a colon and an extension")
    return states, frozenset(silent)


@app.command()
def accounts(context: typer.Context, as_json: Json = False) -> None:
    """The SIP accounts of the published tenants, with their passwords: for the person who sets up the phones."""
    settings = load(context)
    secrets = load_secrets(settings.home / "secrets.json")
    server = f"{settings.sip_address}:{settings.sip_port}"
    if as_json:
        out.print_json(json.dumps({"server": server, "accounts": secrets.sip}))
        return
    table = Table("user name", "password", title=f"SIP server {server} (UDP)", box=None)
    for endpoint, password in secrets.sip.items():
        table.add_row(endpoint, password)
    out.print(table)


@app.command()
def secret(context: typer.Context, trunk: Annotated[str, typer.Argument(help="Such as acme-trunk-carrier.")]) -> None:
    """Keep the password that a carrier gave for a trunk; it is read from standard input or asked for."""
    settings = load(context)
    password = typer.prompt("Password", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    with told():
        if not password or any(char in password for char in ";$\\\"") or not password.isprintable():
            raise ValueError("found a password that is empty or holds one of ; $ \\ \", which Asterisk's files cannot")
        secrets = load_secrets(settings.home / "secrets.json")
        changed = secrets.model_copy(update={"trunks": {**secrets.trunks, trunk: password}})
        save_secrets(settings.home / "secrets.json", changed)


@app.command()
def serve(context: typer.Context, service: Service) -> None:
    """Run one of the services until it is told to stop."""
    configure_log()
    module = importlib.import_module(f"centralka.serve_{service}")      # each service imports only what it needs
    uvloop.run(module.serve(load(context)))


def load(context: typer.Context) -> Settings:
    with told():
        return Settings.load(context.obj)


@contextmanager
def told() -> Iterator[None]:
    """Turns an exception into words for the person in front, and the exit code that says whose turn it is."""
    try:
        yield
    except (ConfigError, ValueError, LookupError) as error:
        errors.print(str(error), markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None
    except (AsteriskRefused, AmiError, OSError) as error:
        errors.print(str(error), markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(2) from None


class RunningAsterisk:
    """The command line of Asterisk over AMI, with the errors that publishing knows."""

    def __init__(self, ami: AmiClient) -> None:
        self._ami = ami

    async def command(self, text: str) -> str:
        try:
            return await self._ami.command(text)
        except AmiError as error:
            raise AsteriskRefused(str(error)) from None


@asynccontextmanager
async def running_asterisk(settings: Settings) -> AsyncIterator[RunningAsterisk | None]:
    """The instance's Asterisk over AMI; None when none runs."""
    try:
        _, writer = await asyncio.open_connection(settings.ami_address, settings.ami_port)
    except OSError:
        yield None
        return
    writer.close()
    secret = load_secrets(settings.home / "secrets.json").ami
    async with AmiClient(settings.ami_address, settings.ami_port, AMI_USER, secret) as ami:
        yield RunningAsterisk(ami)


def tell_published(published: Published) -> None:
    if not published.changed:
        out.print(f"revision {published.revision}: nothing changed")
        return
    reloaded = "no Asterisk runs here, it will read them when it starts"
    if published.reloaded is not None:
        reloaded = f"Asterisk reloaded {', '.join(published.reloaded) or 'nothing'} and confirmed"
    out.print(f"revision {published.revision}: {len(published.changed)} files; {reloaded}")


def main() -> None:
    app()
