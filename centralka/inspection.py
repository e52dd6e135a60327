"""The commands that look: what would happen to a call, what happened to calls, what runs and what is wrong."""

import asyncio
import json
import re
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.table import Table
from rich.text import Text

from centralka import configuration
from centralka.live_settings import read_settings, read_switches
from centralka.settings import AMI_CLI_USER, Settings
from centralka.terminal import Json, load, load_instance, out, told
from confgen.secrets import load_secrets
from routing.call import Origin
from routing.facts import DeviceState
from routing.simulate import Script, simulate

MAX_CALLS = 10_000


def simulate_call(
    context: typer.Context,
    tenant: Annotated[str, typer.Argument(help="The tenant's short name.")],
    number: Annotated[str, typer.Argument(help="The number dialled: public, or internal with --from.")],
    caller: Annotated[str, typer.Option("--from", help="A user's extension, a number outside, or anonymous.")] = "",
    at: Annotated[datetime | None, typer.Option(help="When, in the tenant's time zone. Default: now.")] = None,
    keys: Annotated[str, typer.Option(help="What the caller presses, answer by answer: 2,1; or ,, for nothing.")] = "",
    state: Annotated[list[str] | None, typer.Option(help="busy:201, unavailable:202, in_use:203 or silent:201.")] = None,
    switch: Annotated[list[str] | None, typer.Option(help="Where a switch stands: night=on.")] = None,
    settings_of: Annotated[list[str] | None, typer.Option(
        "--set", help="What a user has set: 201:dnd, 201:pause, 201:logout=sales, 201:busy=202.")] = None,
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
        extension = caller if caller in found.users else ""
        if caller and not extension and caller != "anonymous" and not re.fullmatch(r"\+?[0-9]{7,15}", caller):
            raise ValueError(f"found --from {caller!r}, expected a user's extension, a whole number or anonymous")
        states, silent = read_states(state or [])
        zone = ZoneInfo(found.timezone)
        script = Script(
            Origin.PHONE if extension else Origin.TRUNK, number, at.replace(tzinfo=zone) if at else datetime.now(zone),
            extension, tuple(keys.split(",")) if keys else (), states, silent, "" if extension else caller,
            switches=read_switches(found, switch or ()), personal=read_settings(found, settings_of or ()))
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


def show_status(context: typer.Context, as_json: Json = False) -> None:
    """What runs, what is registered, which calls are up, and what is wrong. Exit code 2 if anything is."""
    from centralka.status import collect, render

    settings = load_instance(context)
    with told():
        status = asyncio.run(collect(settings, AMI_CLI_USER, load_secrets(settings.home / "secrets.json").ami_cli))
    if as_json:
        out.print_json(status.to_json())
    else:
        out.print(render(status))
    raise typer.Exit(status.exit_code)


def show_calls(
    context: typer.Context,
    tenant: Annotated[str, typer.Argument(help="The tenant's short name.")],
    last: Annotated[int, typer.Option(min=1, max=MAX_CALLS, help="How many, the newest first.")] = 10,
    as_json: Json = False,
) -> None:
    """The tenant's last calls, each with the path it took and why."""
    from sqlalchemy.exc import SQLAlchemyError

    from store import database
    from store.calls import CallStore
    from store.records import Call

    async def read(settings: Settings) -> list[Call]:
        engine = database.connect(settings.database_url)
        try:
            return await CallStore(engine).recent(tenant, last)
        finally:
            await engine.dispose()

    settings = load_instance(context)
    with told():
        try:
            calls = asyncio.run(read(settings))
        except SQLAlchemyError as error:
            raise OSError(f"the call records cannot be read: {error}") from None
    if as_json:
        out.print_json(json.dumps([asdict(call) for call in calls], default=str))
        return
    for call in calls:
        answered = f" by {call.answered_by}" if call.answered_by else ""
        seconds = (call.ended_at - call.started_at).total_seconds()
        out.print(Text(f"{call.started_at:%F %T} {call.caller or 'anonymous'} -> {call.dialled}: "
                       f"{call.outcome}{answered}, {seconds:.0f} s", "bold"))
        table = Table(box=None, show_header=False)
        for entry in call.path:
            table.add_row(Text(f"{entry.at:%T}"), Text(entry.node), Text(entry.why))
        out.print(table)
