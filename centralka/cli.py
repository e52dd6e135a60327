"""The command line. Exit codes: 0 good, 1 the user's input is wrong, 2 the system is."""

import asyncio
import gc
import importlib
import json
import os
import sys
from dataclasses import asdict, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel
from rich.table import Table

from centralka import configuration, scenarios
from centralka.asterisk import running_asterisk
from centralka.commands import Commands
from centralka.log import configure_log
from centralka.settings import OWN_CERTIFICATE, OWN_KEY, SIP_CERTIFICATE, SIP_KEY
from centralka.terminal import Json, load, load_instance, out, told
from confgen.encoder import CarrierPassword
from confgen.instance import write_instance
from confgen.publish import Published, locked, read_current
from confgen.publish import rollback as roll_back
from confgen.secrets import call_servers_of, load_secrets, mobile_users, pin_name, save_secrets
from confgen.sip_objects import endpoints_in
from routing.call_server import Reply
from routing.endpoint import TrunkEndpoint, read_endpoint
from routing.platform import Platform
from routing.scenario import Scenarios
from routing.tenant import Tenant

app = typer.Typer(cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False, help="Centralka, a hosted PBX.")
DEMO = Path(".runtime/root/srv/demo")

Paths = Annotated[list[Path] | None, typer.Argument(help="Tenant files or directories of them. Default: the instance's.")]
Directory = Annotated[
    Path | None, typer.Argument(help="The directory of all tenants' files. Default: the instance's.")]


class Service(StrEnum):
    AGI = "agi"
    AMI = "ami"
    PROVISION = "provision"


class SchemaOf(StrEnum):
    TENANT = "tenant"
    SCENARIOS = "scenarios"
    CALL_SERVER = "call-server"
    PLATFORM = "platform"


DESCRIBED: dict[SchemaOf, type[BaseModel]] = {
    SchemaOf.PLATFORM: Platform, SchemaOf.TENANT: Tenant, SchemaOf.SCENARIOS: Scenarios, SchemaOf.CALL_SERVER: Reply}


@app.callback()
def main_options(
    context: typer.Context,
    home: Annotated[Path, typer.Option(envvar="CENTRALKA_HOME", help="The instance's directory.")] = DEMO,
) -> None:
    configure_log(for_person=True)
    if context.invoked_subcommand != "serve":
        gc.disable()        # a command soon ends: to look for garbage among a thousand tenants takes it a quarter of its time
    context.obj = home


@app.command()
def check(
    context: typer.Context, paths: Paths = None,
    with_scenarios: Annotated[
        bool, typer.Option("--scenarios", help="Play acme.scenarios.yaml beside acme.yaml, and so on, too.")] = False,
) -> None:
    """Validate tenants' files; every problem with its line."""
    with told():
        files = configuration.tenant_files(paths or [load(context).tenants])
        tenants = configuration.load_tenants(files)
        played = f", {scenarios.play(files, tenants)} scenarios went as told" if with_scenarios else ""
    out.print(f"{len(tenants)} tenant{'s' if len(tenants) != 1 else ''}: good{played}")


@app.command()
def schema(of: Annotated[SchemaOf, typer.Argument(help="What it describes.")] = SchemaOf.TENANT) -> None:
    """Print the JSON Schema of a tenant's file or its scenarios, for editors, or of a call server's answer, for its author."""
    sys.stdout.write(json.dumps(DESCRIBED[of].model_json_schema(), indent=2, ensure_ascii=False) + "\n")


@app.command()
def init(context: typer.Context) -> None:
    """Make the instance's directory, its secrets and Asterisk's own configuration. May be run again."""
    from confgen.certificate import copy_secret, make_certificate

    settings = load(context)
    secrets_file = settings.home / "secrets.json"
    with told():
        settings.home.mkdir(mode=0o750, parents=True, exist_ok=True)
        secrets = load_secrets(secrets_file)
        save_secrets(secrets_file, secrets)
        make_certificate(settings.home / OWN_CERTIFICATE, settings.home / OWN_KEY, settings.public_host)
        for given, copy in ((settings.certificate, SIP_CERTIFICATE), (settings.certificate_key, SIP_KEY)):
            copy_secret(given, settings.home / copy)
        write_instance(settings.home, settings.model_dump() | {
            "home": settings.asterisk_home, "ami_secret": secrets.ami, "ami_cli_secret": secrets.ami_cli})


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
def plan(context: typer.Context, directory: Directory = None, as_json: Json = False) -> None:
    """What an apply would change, which numbers' calls would go another way, and which callers would end elsewhere when."""
    from centralka.whatif import tell, this_monday

    settings = load(context)
    with told():
        planned = configuration.plan(configuration.render([directory or settings.tenants], settings), settings, this_monday())
    if as_json:
        out.print_json(json.dumps(asdict(planned)))
    elif not planned.changed:
        out.print("nothing would change")
    else:
        for path in planned.changed:
            out.print(f"changes {path}")
        for tenant in planned.added:
            out.print(f"{tenant} is new")
        for tenant in planned.removed:
            out.print(f"{tenant} has no file any more; its phones would stop: apply asks for --remove {tenant}")
        for tenant, numbers in planned.numbers.items():
            out.print(f"{tenant}: calls to {', '.join(numbers)} would be handled differently")
            if tenant in planned.ends:
                tell(planned.ends[tenant])
        if not planned.numbers:
            out.print("no number's calls would be handled differently")


@app.command()
def apply(
    context: typer.Context, directory: Directory = None,
    remove: Annotated[list[str] | None, typer.Option(help="A tenant that has no file any more and may go.")] = None,
    despite_scenarios: Annotated[bool, typer.Option(
        "--despite-scenarios", help="Publish though the tenants' own scenarios fail.")] = False,
) -> None:
    """Check, render and publish all tenants; Asterisk reloads only what changed, and everything is undone if it refuses."""
    settings = load_instance(context)

    async def run() -> Published:
        read = configuration.read_changed([directory or settings.tenants], settings)
        if despite_scenarios:
            read = replace(read, known={})         # next time they count again
        else:
            scenarios.play(read.files, read.tenants)
        rendered = configuration.render_read(read, settings)
        async with running_asterisk(settings) as asterisk:
            return await configuration.apply(rendered, settings, asterisk, remove or ())

    with told(), locked(settings.home), out.status("Publishing, making prompts where they are new..."):
        published = asyncio.run(run())
    tell_published(published)


@app.command()
def rollback(context: typer.Context) -> None:
    """Go back to the revision before the last apply."""
    settings = load_instance(context)

    async def run() -> Published:
        async with running_asterisk(settings) as asterisk:
            return await roll_back(settings.home, asterisk)

    with told(), locked(settings.home):
        published = asyncio.run(run())
    tell_published(published)


@app.command()
def accounts(context: typer.Context, as_json: Json = False) -> None:
    """The SIP accounts of the published tenants, with their passwords: for the person who sets up the phones."""
    settings = load_instance(context)
    with told():
        secrets = load_secrets(settings.home / "secrets.json")
        endpoints = endpoints_in(read_current(settings.home))
    passwords = {endpoint: secrets.newest_sip(endpoint) for endpoint in secrets.sip if endpoint in endpoints}
    server = f"{settings.sip_address}:{settings.sip_port}"
    if as_json:
        out.print_json(json.dumps({"server": server, "accounts": passwords}))
        return
    table = Table("user name", "password", title=f"SIP server {server} (UDP)", box=None)
    for endpoint, password in passwords.items():
        table.add_row(endpoint, password)
    out.print(table)


@app.command("mobile-pins")
def mobile_pins(
    context: typer.Context, tenant: Annotated[str, typer.Argument(help="The tenant's short name.")],
) -> None:
    """The PINs by which the tenant's users dial from their mobiles: for who hands them out."""
    from centralka.live_settings import published_tenant

    settings = load_instance(context)
    table = Table("user", "name", "mobile", "PIN", box=None)
    with told():
        secrets, found = load_secrets(settings.home / "secrets.json"), published_tenant(settings, tenant)
        for extension in mobile_users(found):
            pin = secrets.mobile_pins[pin_name(found, extension)]
            table.add_row(extension, found.names[extension], found.mobile_of(extension), pin)
    out.print(table)


@app.command("call-servers")
def call_servers(context: typer.Context, as_json: Json = False) -> None:
    """The published tenants' call servers, with the secrets that their requests are signed with: for who writes the service."""
    settings = load_instance(context)
    with told():
        secrets = load_secrets(settings.home / "secrets.json")
        tenants = configuration.published_tenants(settings).values()
    servers = [
        {"name": name, "url": server.url, "secret": secrets.call_servers[name]}
        for tenant in tenants for name, server in call_servers_of(tenant).items()
    ]
    if as_json:
        out.print_json(json.dumps(servers))
        return
    table = Table("call server", "address", "secret", box=None)
    for server in servers:
        table.add_row(*server.values())
    out.print(table)


@app.command()
def secret(context: typer.Context, trunk: Annotated[str, typer.Argument(help="Such as acme-trunk-carrier.")]) -> None:
    """Keep the password that a carrier gave for a trunk; it is read from standard input or asked for. Asterisk has it
    after the next apply."""
    settings = load_instance(context)
    password = typer.prompt("Password", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    with told():
        if not isinstance(read_endpoint(trunk), TrunkEndpoint):
            raise ValueError(f"found the trunk {trunk!r}, expected <tenant>-trunk-<name>, such as acme-trunk-carrier, "
                             "or platform-trunk-<carrier>")
        CarrierPassword(password)
        with locked(settings.home):
            secrets = load_secrets(settings.home / "secrets.json")
            changed = secrets.model_copy(update={"trunks": {**secrets.trunks, trunk: password}})
            save_secrets(settings.home / "secrets.json", changed)
    out.print(f"the password of {trunk} is kept; Asterisk has it after the next apply: centralka apply", soft_wrap=True)


@app.command()
def serve(context: typer.Context, service: Annotated[Service, typer.Argument(help="Which one.")]) -> None:
    """Run one of the services until it is told to stop."""
    import uvloop

    configure_log()
    module = importlib.import_module(f"centralka.serve_{service}")      # each service imports only what it needs
    uvloop.run(module.serve(load_instance(context)))


def tell_published(published: Published) -> None:
    if not published.changed and not published.reloaded:
        out.print(f"revision {published.revision}: nothing changed")
        return
    reloaded = "no Asterisk runs here, it will read them when it starts"
    if published.reloaded is not None:
        reloaded = f"Asterisk reloaded {', '.join(published.reloaded) or 'nothing'} and confirmed"
    out.print(f"revision {published.revision}: {len(published.changed)} files; {reloaded}")
    if published.complaint:
        out.print(f"afterwards: {published.complaint}")


def main() -> None:
    app()
