"""The commands that change tenants: check, plan, apply, rollback, and render for those who want to read the files."""

import asyncio
import json
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from centralka.asterisk import running_asterisk
from centralka.cli import configuration, scenarios
from centralka.cli.terminal import Json, errors, errors_reported, load, load_instance, out
from confgen.publish.publishing import Published, locked
from yaml_models.errors import ConfigError, Problem

MAX_NAMED = 20      # tenants, by an apply that changes more of them

Directory = Annotated[
    Path | None, typer.Argument(help="The directory of all tenants' files. Default: the instance's.")]
Paths = Annotated[list[Path] | None, typer.Argument(help="Tenant files or directories of them. Default: the instance's.")]
Remove = Annotated[list[str] | None, typer.Option(help="A tenant that has no file any more and may go.")]
DespiteScenarios = Annotated[bool, typer.Option("--despite-scenarios", help="Although the tenants' own scenarios fail.")]


def check(
    context: typer.Context, paths: Paths = None, remove: Remove = None, despite_scenarios: DespiteScenarios = False,
    with_scenarios: Annotated[bool, typer.Option("--scenarios", help="Say how many of the tenants' scenarios passed.")] = False,
) -> None:
    """Refuses all that apply would refuse, files beside the tenants' and scenarios among it. Passwords of trunks are checked
    where there is an instance."""
    settings = load(context)
    with errors_reported("Checking..."):
        directories = paths or [settings.tenants]
        are_all = len(directories) == 1 and directories[0].is_dir()       # of the instance's tenants, as apply reads them
        read = configuration.read_all(directories, settings, (remove or ()) if are_all else None)
        passed = 0 if despite_scenarios else scenarios.play(read.files, read.tenants)
    played = f", {scenarios.counted(passed)} went as expected" if with_scenarios else ""
    out.print(f"{len(read.tenants)} tenant{'s' if len(read.tenants) != 1 else ''}: good{played}")
    if read.unchecked:
        errors.print(read.unchecked, markup=False, highlight=False, soft_wrap=True)


def render(
    context: typer.Context, to: Annotated[Path, typer.Option("--out", help="Where to write.")], paths: Paths = None,
) -> None:
    settings = load(context)
    with errors_reported("Checking and rendering..."):
        rendered = configuration.render(paths or [settings.tenants], settings)
        for path, text in rendered.files.items():
            file = to / path
            file.parent.mkdir(parents=True, exist_ok=True)
            with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as written:
                written.write(text)
    out.print(f"{len(rendered.files)} files in {to}")


def plan(
    context: typer.Context, directory: Directory = None, remove: Remove = None, despite_scenarios: DespiteScenarios = False,
    as_json: Json = False,
) -> None:
    """Lists the numbers whose calls would take another way, the callers who would end elsewhere and at which hours, and the
    tenants' own scenarios that would break. Exit code 1 where apply would refuse."""
    from centralka.cli.planning import plan_of
    from centralka.cli.whatif import print_comparison, this_monday

    settings = load(context)
    broken: list[Problem] = []
    played = 0
    with errors_reported("Comparing calls before and after..."):
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
                print_comparison(planned.ends[tenant])
        if not planned.numbers:
            out.print("no number's calls would be handled differently")
    if played and not as_json:
        out.print(f"{scenarios.counted(played)} would go as expected")
    with errors_reported():
        if broken:
            raise ConfigError(broken)
    if unmeant:
        raise typer.Exit(1)


def apply(
    context: typer.Context, directory: Directory = None, remove: Remove = None, despite_scenarios: DespiteScenarios = False,
) -> None:
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

    with errors_reported("Publishing, making prompts where they are new..."), locked(settings.home):
        published = asyncio.run(run())
    tell_published(published)


def rollback(context: typer.Context) -> None:
    settings = load_instance(context)

    async def run() -> configuration.Undone:
        async with running_asterisk(settings) as asterisk:
            return await configuration.roll_back(settings, asterisk)

    with errors_reported("Asterisk reads the revision before..."), locked(settings.home):
        undone = asyncio.run(run())
    for tenants, are in (
        (undone.back, "back"), (undone.gone, "gone again"), (undone.as_before, "as before, with today's passwords and PINs")):
        if tenants:
            out.print(f"{', '.join(tenants)}: {are}")
    for tenant, numbers in undone.numbers.items():
        out.print(f"{tenant}: calls to {', '.join(numbers)} are handled as before")
    tell_published(undone.published)


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
