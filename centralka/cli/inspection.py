"""Read-only commands: simulate a call, draw the call flow."""

import json
import re
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

from centralka.cli import configuration
from centralka.cli.live_settings import fetched_calendars, settings_given, settings_in_words, switches_given
from centralka.cli.simulated_world import in_words, live_world, read_call_servers, read_failing_trunks, read_states
from centralka.cli.terminal import Json, errors_reported, load, out
from centralka.cli.whatif import show_what_if
from routing.call.admission import Usage
from routing.call.english import in_english
from routing.call.state import Origin
from routing.numbering.numbers import dialled_number
from routing.tenant.tenant import Tenant
from simulator.graph import Graph, graph_of, with_path
from simulator.script import Script
from simulator.simulate import simulate

WHAT_IF = (
    "An edited file of the tenant: which callers, at which hours, would end elsewhere than with the published one. "
    "With NUMBER only its calls are compared.")
PICTURE = "A file to draw into, by its suffix: .svg, .png or .dot."

Tenants = Annotated[list[Path] | None, typer.Option("--tenants", help="Tenant files. Default: the instance's.")]
Picture = Annotated[Path | None, typer.Option(help=f"{PICTURE} The call's path is marked.")]


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text if "-" in text else f"{datetime.now().date()} {text}")
    except ValueError:
        raise typer.BadParameter(f"found {text!r}, expected a moment as '2026-12-24 18:05', or 18:05 for today") from None


def simulate_call(
    context: typer.Context,
    tenant: Annotated[str, typer.Argument(help="The tenant's short name.")],
    number: Annotated[str, typer.Argument(help="The number dialled: public, or internal with --from.")] = "",
    caller: Annotated[str, typer.Option("--from", help="A user's extension, a number outside, or anonymous.")] = "",
    at: Annotated[datetime | None, typer.Option(
        parser=_moment, metavar="TIME",
        help="When, in the tenant's time zone: '2026-12-24 18:05', or 18:05 today. Default: now.")] = None,
    keys: Annotated[str, typer.Option(help="What the caller presses, answer by answer: 2,1; or ,, for nothing.")] = "",
    state: Annotated[list[str] | None, typer.Option(help="busy:201, unavailable:202, in_use:203 or silent:201.")] = None,
    switch: Annotated[list[str] | None, typer.Option(help="Where a switch stands: night=on.")] = None,
    settings_of: Annotated[list[str] | None, typer.Option(
        "--set", help="What a user has set: 201:dnd, 201:pause, 201:logout=sales, 201:busy=202.")] = None,
    failing_trunk: Annotated[list[str] | None, typer.Option(help="A trunk that carries no call.")] = None,
    paths: Tenants = None,
    picture: Picture = None,
    call_server: Annotated[list[str] | None, typer.Option(
        help='What a call server answers: crm={"go_to": "sales"}, crm=@answer.json, or how it fails: crm=no_answer.')] = None,
    edited: Annotated[Path | None, typer.Option("--what-if", help=WHAT_IF)] = None,
    as_json: Json = False,
) -> None:
    settings = load(context)
    if edited:
        with errors_reported():
            if caller or at or keys or state or picture:
                raise ValueError("--what-if tries callers, hours, keys and states by itself; expected only a number with it")
        show_what_if(settings, tenant, number, paths, edited, as_json)
        return
    with errors_reported():
        if not number:
            raise ValueError("found no number, expected the one that is dialled")
        found = configuration.load_tenant(tenant, paths or [settings.tenants])
        extension = caller if caller in found.users else ""
        if caller and not extension and caller != "anonymous" and not re.fullmatch(r"\+?[0-9]{7,15}", caller):
            raise ValueError(f"found --from {caller!r}, expected a user's extension, a whole number or anonymous")
        states, silent = read_states(state or [], found)
        failing, servers = read_failing_trunks(failing_trunk or [], found), read_call_servers(call_server or [], found)
        given, put = settings_given(found, settings_of or ()), switches_given(found, switch or ())
        world, zone = live_world(settings, found), ZoneInfo(found.timezone)
        script = Script(
            Origin.PHONE if extension else Origin.TRUNK, number, at.replace(tzinfo=zone) if at else datetime.now(zone),
            extension, tuple(keys.split(",")) if keys else (), states, silent, "" if extension else caller,
            switches={**world.switches, **put}, personal={**world.personal, **given}, failing_trunks=failing,
            call_servers=servers, calendars=fetched_calendars(settings, found), pins=world.pins,
            usage=Usage(stopped=world.stopped), countries=world.countries, permission_pins=world.permission_pins)
    result = simulate(found, script)
    if not extension and (hint := _hint(found, number)):
        typer.echo(hint, err=True)
    if picture:
        dialled = dialled_number(number, found.country, found.numbers)
        title = f"{found.name}: a call to {number}, {script.moment:%a %F %H:%M}"
        draw(with_path(graph_of(found), result.path, dialled, result.ends), title, picture)
    if as_json:
        path = [{"node": visit.node, "why": in_english(visit.why)} for visit in result.path]
        out.print_json(json.dumps(asdict(result) | {"path": path}, default=_plain))
        return
    if live := in_words(replace(
            world, switches={name: at for name, at in world.switches.items() if name not in put},
            personal={who: what for who, what in world.personal.items() if who not in given}), found):
        out.print(f"as it is now: {live}", markup=False, highlight=False, soft_wrap=True)
    table = Table("where", "why", box=None)
    for visit in result.path:
        table.add_row(visit.node, in_english(visit.why))
    out.print(table)
    out.print(f"ends: {result.ends}", highlight=False)
    for user, personal in result.changed.items():
        words = ", ".join(settings_in_words(personal, zone)) or "nothing is set"
        out.print(f"afterwards {user}: {words}", markup=False, highlight=False)
    for name, position in result.moved.items():
        out.print(f"afterwards switch {name}: {position}", markup=False, highlight=False)


def _hint(tenant: Tenant, number: str) -> str:
    """A hint on what to enter, for an external call to a number that is not a DID of the tenant; '' for a DID."""
    dialled = dialled_number(number, tenant.country, tenant.numbers)
    if dialled in tenant.numbers:
        return ""
    inside = next((each for each in tenant.users if each != number), number)
    if number in tenant.internal_numbers or number.startswith("*"):
        return f"{number} is dialled inside only: name who dials it, as --from {inside}"
    return (f"from outside {tenant.tenant} is called at {', '.join(tenant.numbers) or 'no number'}; "
            f"for what a user dials name the user, as --from {inside}")


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, frozenset) else str(value)


def show_graph(
    context: typer.Context,
    tenant: Annotated[str, typer.Argument(help="The tenant's short name.")],
    picture: Annotated[Path | None, typer.Option("--out", "-o", help=f"{PICTURE} Default: SVG to standard output.")] = None,
    paths: Tenants = None,
) -> None:
    settings = load(context)
    with errors_reported("Reading the tenants' files..."):
        found = configuration.load_tenant(tenant, paths or [settings.tenants])
    draw(graph_of(found), f"{found.name} ({tenant})", picture)


def draw(graph: Graph, title: str, picture: Path | None) -> None:
    from centralka.cli.picture import write_picture

    with errors_reported("Drawing..."):
        write_picture(graph, title, picture)
