"""Commands for past calls: a tenant's last calls, and one call with its path, reasons and legs."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar
from zoneinfo import ZoneInfo

import typer
from rich.table import Table
from rich.text import Text

from centralka.cli.inspection import Picture, draw
from centralka.cli.live_settings import published_tenant
from centralka.cli.terminal import Json, errors_reported, load_instance, out
from centralka.settings import Settings
from routing.call.english import in_english
from routing.call.state import Visit
from routing.numbering.numbers import dialled_number
from routing.tenant.tenant import Tenant
from simulator.graph import graph_of, with_path

if TYPE_CHECKING:
    from store.calls import CallStore
    from store.records import CallRecord, Leg, PathEntry

T = TypeVar("T")
MAX_CALLS = 10_000
# Q.850 and Asterisk's own, as in its causes.h.
CAUSES = {
    1: "no such number", 16: "normal", 17: "busy", 18: "no response", 19: "no answer", 20: "not registered", 21: "refused",
    26: "answered elsewhere", 27: "unreachable", 34: "no channel free", 38: "network out of order", 127: "interworking",
}


def show_calls(
    context: typer.Context,
    tenant: Annotated[str, typer.Argument(help="The tenant's short name.")],
    last: Annotated[int, typer.Option(min=1, max=MAX_CALLS, help="How many, the newest first.")] = 10,
    as_json: Json = False,
) -> None:
    settings = load_instance(context)
    with errors_reported("Reading the call records..."):
        calls, known = _from_records(settings, lambda store: store.recent(tenant, last + 1)), _published(settings, tenant)
        if not calls and not known:
            raise LookupError(f"no tenant {tenant!r} is published, and no call of one is recorded")
    shown, zone = calls[:last], _zone(known)
    if as_json:
        out.print_json(json.dumps([_plain(call) for call in shown], default=str))
        return
    for call in shown:
        out.print(Text(_headline(call, known, zone), "bold"), soft_wrap=True)
        out.print(_path(call.path, zone))
    out.print(_how_many(tenant, shown, has_more=len(calls) > last), soft_wrap=True, highlight=False)


def _how_many(tenant: str, shown: list["CallRecord"], *, has_more: bool) -> str:
    """A line that says how many of the recorded calls are shown, and how to see more."""
    if not shown:
        return f"no call of {tenant} is recorded; a call gets its record when it ends: centralka status shows those in progress"
    if has_more:
        more = min(10 * len(shown), MAX_CALLS)
        return f"these are the last {len(shown)} of the calls of {tenant}" + (
            f"; --last {more} shows earlier ones" if more > len(shown) else "")
    return f"no other call of {tenant} is recorded"


def explain_call(
    context: typer.Context,
    call_id: Annotated[str, typer.Argument(metavar="CALL", help="The call's id (linkedid), as `centralka calls` shows it.")],
    picture: Picture = None,
    as_json: Json = False,
) -> None:
    settings = load_instance(context)

    async def read(store: "CallStore") -> list[tuple["CallRecord", list["Leg"]]]:
        return [(call, await store.legs(call.tenant, call_id)) for call in await store.find(call_id)]

    with errors_reported("Reading the call records..."):
        found = _from_records(settings, read)
        if not found:
            raise LookupError(
                f"no call {call_id!r} is recorded: `centralka calls TENANT` shows the ids; a call gets its record when it ends")
        if len(found) > 1:
            raise LookupError(f"the id {call_id!r} is that of calls of {', '.join(call.tenant for call, _ in found)}")
        call, legs = found[0]
        tenant = _published(settings, call.tenant)
        if picture and not tenant:
            raise LookupError(f"{call.tenant} is not published any more, so its call flow cannot be drawn")
    if picture and tenant:
        _draw(call, tenant, picture)
    if as_json:
        out.print_json(json.dumps(_plain(call) | {"legs": [asdict(leg) for leg in legs]}, default=str))
        return
    zone = _zone(tenant)
    out.print(Text(_headline(call, tenant, zone), "bold"), soft_wrap=True)
    out.print(_path(call.path, zone))
    out.print(_legs(legs, zone))
    out.print(Text(f"ends: {ending(call, tenant)}"))


def _published(settings: Settings, slug: str) -> Tenant | None:
    """The tenant as it is now; None for a tenant that no longer exists."""
    try:
        return published_tenant(settings, slug)
    except LookupError:
        return None


def _zone(tenant: Tenant | None) -> tzinfo:
    """The time zone in which times are shown: the tenant's; UTC for a tenant that no longer exists."""
    return ZoneInfo(tenant.timezone) if tenant else UTC


def _from_records(settings: Settings, read: Callable[["CallStore"], Awaitable[T]]) -> T:
    """The result of `read` on the database. Raises OSError when the database cannot be read."""
    from sqlalchemy.exc import SQLAlchemyError

    from store import database
    from store.calls import CallStore

    async def run() -> T:
        engine = database.connect(settings.database_url)
        try:
            return await read(CallStore(engine))
        finally:
            await engine.dispose()

    try:
        return asyncio.run(run())
    except SQLAlchemyError as error:
        raise OSError(f"the call records cannot be read: {error}") from None


def _draw(call: "CallRecord", tenant: Tenant, picture: Path) -> None:
    path = tuple(Visit(entry.node, entry.why) for entry in call.path)
    number = dialled_number(call.dialled, tenant.country, tenant.numbers)
    title = f"{tenant.name}: {_headline(call, tenant, ZoneInfo(tenant.timezone))}"
    draw(with_path(graph_of(tenant), path, number, ending(call, tenant)), title, picture)


def _plain(call: "CallRecord") -> dict[str, object]:
    """The record for programs, its reasons in words."""
    path = [{"at": entry.at, "node": entry.node, "why": in_english(entry.why)} for entry in call.path]
    return asdict(call) | {"path": path}


def _headline(call: "CallRecord", tenant: Tenant | None, zone: tzinfo) -> str:
    name = f" ({call.caller_name})" if call.caller_name and call.caller_name != call.caller else ""
    seconds = (call.ended_at - call.started_at).total_seconds()
    began = f"{call.started_at.astimezone(zone):%F %T %Z}"
    came = f"{began} {call.caller or 'anonymous'}{name} -> {call.dialled}"
    return f"{came}: {ending(call, tenant)}, {seconds:.0f} s [{call.linkedid}]"


def ending(call: "CallRecord", tenant: Tenant | None) -> str:
    """The end of the call in the words of a scenario, as far as the record knows: it does not say which side hung up an
    unanswered call. `tenant` says to which user a mailbox belongs."""
    from store.records import Outcome

    node = call.path[-1].node if call.path else ""
    match call.outcome:
        case Outcome.ANSWERED:
            return f"answered by {call.answered_by}"
        case Outcome.VOICEMAIL if node.isdecimal():
            return f"message for {node}"
        case Outcome.VOICEMAIL if tenant and node in tenant.voicemails:
            return f"message for {tenant.voicemails[node].mailbox}"
        case Outcome.VOICEMAIL:
            return "message"
        case Outcome.MAILBOX:
            return "mailbox"
        case Outcome.CONFERENCE:
            return f"in conference {node}"
        case Outcome.UNANSWERED if node == "failover":
            return "failover"
        case Outcome.UNANSWERED:
            return "refused, or caller hangs up"
        case Outcome.INTERRUPTED:
            return "Asterisk stopped"


def _path(path: tuple["PathEntry", ...], zone: tzinfo) -> Table:
    table = Table(box=None, show_header=False)
    for entry in path:
        table.add_row(Text(f"{entry.at.astimezone(zone):%T}"), Text(entry.node), Text(in_english(entry.why)))
    return table


def _legs(legs: list["Leg"], zone: tzinfo) -> Table:
    table = Table("leg", "began", "answered", "ended", "why it ended", box=None)
    for leg in legs:
        moments = (leg.started_at, leg.answered_at, leg.ended_at)
        times = [f"{moment.astimezone(zone):%T}" if moment else "-" for moment in moments]
        why = CAUSES.get(leg.hangup_cause, f"cause {leg.hangup_cause}") if leg.hangup_cause is not None else "unknown"
        table.add_row(Text(leg.endpoint), *times, why)
    return table
