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

from centralka.asterisk import running_asterisk
from centralka.cli import configuration, scenarios
from centralka.cli.commands import Commands
from centralka.cli.terminal import Json, errors, load, load_instance, out, told
from centralka.log import configure_log
from centralka.settings import OWN_CERTIFICATE, OWN_KEY, SIP_CERTIFICATE, SIP_KEY
from confgen.publish.instance import write_instance
from confgen.publish.publishing import Published, locked
from confgen.secrets import load_secrets, save_secrets
from routing.call.call_server import Reply
from routing.platform.platform import Platform
from routing.tenant.tenant import Tenant
from simulator.scenario import Scenarios
from yaml_models.errors import ConfigError, Problem

HELP = (
    "Centralka, a hosted PBX: Asterisk carries the calls, this decides them.\n\n"
    "A tenant is a file, such as tenants/acme.yaml, and every command looks at one instance, that in --home: make up makes and "
    "starts it, make down stops it. A change is made by editing the file, then check, plan, apply; rollback undoes it. At "
    "three in the morning begin with status, then calls and explain. Each command has examples: centralka simulate --help.")
EPILOG = (
    "Exit codes: 0 good; 1 what was given is wrong, and whoever gave it mends it; 2 the system is at fault.\n\n"
    "Documents: README.md; in docs/ elements.md (what a tenant's file holds), scenarios.md, codes.md, phones.md, outgoing.md, "
    "forwarding.md, lamps.md, call-server.md and directory-speech.md.")
app = typer.Typer(cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False, help=HELP, epilog=EPILOG)
DEMO = Path(".runtime/root/srv/demo")
MAX_NAMED = 20      # tenants, by an apply that changes more of them
NICER = 5        # a command gives way to the calls that run beside it

Paths = Annotated[list[Path] | None, typer.Argument(help="Tenant files or directories of them. Default: the instance's.")]
Directory = Annotated[
    Path | None, typer.Argument(help="The directory of all tenants' files. Default: the instance's.")]

Remove = Annotated[list[str] | None, typer.Option(help="A tenant that has no file any more and may go.")]
DespiteScenarios = Annotated[bool, typer.Option("--despite-scenarios", help="Although the tenants' own scenarios fail.")]


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
        os.nice(NICER)
    context.obj = home


@app.command()
def check(
    context: typer.Context, paths: Paths = None, remove: Remove = None, despite_scenarios: DespiteScenarios = False,
    with_scenarios: Annotated[bool, typer.Option("--scenarios", help="Say how many of the tenants' scenarios passed.")] = False,
) -> None:
    """Validate tenants' files and all that they name; every problem with its line.

    Whatever apply would refuse is refused, scenarios that fail among it; trunks' passwords where there is an instance."""
    settings = load(context)
    with told("Checking..."):
        directories = paths or [settings.tenants]
        are_all = len(directories) == 1 and directories[0].is_dir()       # of the instance's tenants, as apply reads them
        read = configuration.read_all(directories, settings, (remove or ()) if are_all else None)
        passed = 0 if despite_scenarios else scenarios.play(read.files, read.tenants)
    played = f", {scenarios.counted(passed)} went as told" if with_scenarios else ""
    out.print(f"{len(read.tenants)} tenant{'s' if len(read.tenants) != 1 else ''}: good{played}")
    if read.unchecked:
        errors.print(read.unchecked, markup=False, highlight=False, soft_wrap=True)


@app.command()
def schema(of: Annotated[SchemaOf, typer.Argument(help="What it describes.")] = SchemaOf.TENANT) -> None:
    """Print the JSON Schema of a tenant's file or its scenarios, for editors, or of a call server's answer, for its author."""
    sys.stdout.write(json.dumps(DESCRIBED[of].model_json_schema(), indent=2, ensure_ascii=False) + "\n")


@app.command()
def init(context: typer.Context) -> None:
    """Make the instance's directory, its secrets and Asterisk's own configuration. May be run again."""
    from confgen.publish.certificate import copy_secret, make_certificate

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
    with told("Checking and rendering..."):
        rendered = configuration.render(paths or [settings.tenants], settings)
        for path, text in rendered.files.items():
            file = to / path
            file.parent.mkdir(parents=True, exist_ok=True)
            with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as written:
                written.write(text)
    out.print(f"{len(rendered.files)} files in {to}")


@app.command()
def plan(
    context: typer.Context, directory: Directory = None, remove: Remove = None, despite_scenarios: DespiteScenarios = False,
    as_json: Json = False,
) -> None:
    """What an apply would change, and for which callers.

    Which numbers' calls would go another way, which callers would end elsewhere when, and which of the tenants' own scenarios
    would break. Exit code 1 where apply would refuse."""
    from centralka.cli.planning import plan_of
    from centralka.cli.whatif import tell, this_monday

    settings = load(context)
    broken: list[Problem] = []
    played = 0
    with told("Comparing calls before and after..."):
        read = configuration.read_changed([directory or settings.tenants], settings)
        try:
            played = 0 if despite_scenarios else scenarios.play(read.files, read.tenants)
        except ConfigError as error:
            broken = error.problems
        planned = plan_of(configuration.render_read(read, settings), settings, this_monday())
    unmeant = [tenant for tenant in planned.removed if tenant not in (remove or ())]
    if as_json:
        out.print_json(json.dumps(asdict(planned) | {"broken_scenarios": list(map(str, broken))}))
    elif not planned.changed:
        out.print("nothing would change")
    else:
        for path in planned.changed:
            out.print(f"changes {path}")
        for tenant in planned.added:
            out.print(f"{tenant} is new")
        for tenant in planned.removed:
            asked = f": apply asks for --remove {tenant}" if tenant in unmeant else ""
            out.print(f"{tenant} has no file any more; its phones would stop{asked}")
        for tenant, numbers in planned.numbers.items():
            out.print(f"{tenant}: calls to {', '.join(numbers)} would be handled differently", soft_wrap=True)
            if tenant in planned.ends:
                tell(planned.ends[tenant])
        if not planned.numbers:
            out.print("no number's calls would be handled differently")
    if played and not as_json:
        out.print(f"{scenarios.counted(played)} would go as told")
    with told():
        if broken:
            raise ConfigError(broken)
    if unmeant:
        raise typer.Exit(1)


@app.command()
def apply(
    context: typer.Context, directory: Directory = None, remove: Remove = None, despite_scenarios: DespiteScenarios = False,
) -> None:
    """Check, render and publish all tenants; Asterisk reloads only what changed, and everything is undone if it refuses."""
    settings = load_instance(context)

    async def run() -> Published:
        read = configuration.read_changed([directory or settings.tenants], settings, remove or ())
        if despite_scenarios:
            read = replace(read, known={})         # next time they count again
        else:
            scenarios.play(read.files, read.tenants)
        rendered = configuration.render_read(read, settings)
        async with running_asterisk(settings) as asterisk:
            return await configuration.apply(rendered, settings, asterisk, remove or ())

    with told("Publishing, making prompts where they are new..."), locked(settings.home):
        published = asyncio.run(run())
    tell_published(published)


@app.command()
def rollback(context: typer.Context) -> None:
    """Go back to what was before the last apply. Passwords and PINs stay those of today."""
    settings = load_instance(context)

    async def run() -> configuration.Undone:
        async with running_asterisk(settings) as asterisk:
            return await configuration.roll_back(settings, asterisk)

    with told("Asterisk reads the revision before..."), locked(settings.home):
        undone = asyncio.run(run())
    for tenants, are in (
        (undone.back, "back"), (undone.gone, "gone again"), (undone.as_before, "as before, with today's passwords and PINs")):
        if tenants:
            out.print(f"{', '.join(tenants)}: {are}")
    for tenant, numbers in undone.numbers.items():
        out.print(f"{tenant}: calls to {', '.join(numbers)} are handled as before")
    tell_published(undone.published)


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
    whose = ", ".join(published.tenants[:MAX_NAMED])
    if len(published.tenants) > MAX_NAMED:
        whose += f" and {len(published.tenants) - MAX_NAMED} more"
    changed = f"{len(published.changed)} files of {whose or 'no tenant'}"
    out.print(f"revision {published.revision}: {changed}; {reloaded}", soft_wrap=True)
    if published.complaint:
        out.print(f"afterwards: {published.complaint}", soft_wrap=True)


def main() -> None:
    app()
