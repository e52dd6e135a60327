"""The command that shows a tenant's queues: waiting callers, available members, and the results of today's calls."""

import asyncio
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, time
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from redis.asyncio import Redis
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError

from ami.client import AmiClient, AmiError
from centralka.cli.live_settings import published_tenant
from centralka.cli.terminal import Json, errors_reported, load_instance, out
from centralka.settings import AMI_CLI_USER, Settings
from confgen.secrets import load_secrets
from routing.call.facts import DeviceState, Facts, Personal
from routing.hunt.presence import Presence, is_logged_out, is_out, presence_of
from routing.tenant.tenant import Tenant
from store import database, live, personal
from store.calls import CallStore
from store.queue_day import QueueDay, day_of
from yaml_models.suggestion import expected_one_of


@dataclass(frozen=True, slots=True)
class Agents:
    """Numbers of members: logged in, of these paused (or on DND), and free."""

    members: int
    logged_in: int
    paused: int
    free: int


@dataclass(frozen=True, slots=True)
class QueueNow:
    """`today` counts calls that have ended, by the tenant's clock."""

    queue: str
    waiting: int
    longest_wait_s: int
    agents: Agents
    today: QueueDay


def queue(
    context: typer.Context,
    tenant: Annotated[str, typer.Argument(help="The tenant's short name.")],
    name: Annotated[str, typer.Argument(help="A queue. Default: all.")] = "",
    as_json: Json = False,
) -> None:
    settings = load_instance(context)
    with errors_reported("Asking Asterisk, Redis and the call records..."):
        known = published_tenant(settings, tenant)
        if name and name not in known.queues:
            raise LookupError(f"{tenant} has no queue {name!r}, {expected_one_of(known.queues, 'nor any other')}")
        try:
            found = asyncio.run(collect(settings, known, [name] if name else list(known.queues)))
        except (AmiError, SQLAlchemyError) as error:
            raise OSError(f"not everything is known: {error}") from None
        except live.AWAY as error:
            raise OSError(f"not everything is known: Redis at {settings.redis_url} gives no answer: {error}") from None
    if as_json:
        out.print_json(json.dumps([as_plain(each) for each in found]))
        return
    if not found:
        out.print(f"{tenant} has no queues")
        return
    table = Table("queue", "waiting", "longest", "agents", "paused", "free", "answered", "lost", "left", "in time", box=None)
    for each in found:
        level = "-" if each.today.service_level is None else f"{each.today.service_level:g} %"
        agents, day = each.agents, each.today
        table.add_row(each.queue, str(each.waiting), f"{each.longest_wait_s} s", f"{agents.logged_in} of {agents.members}",
                      str(agents.paused), str(agents.free), str(day.answered), str(day.abandoned), str(day.left), level)
    out.print(table)


def as_plain(each: QueueNow) -> dict[str, object]:
    plain = asdict(each)
    plain["today"]["service_level"] = each.today.service_level
    return plain


async def collect(settings: Settings, tenant: Tenant, names: list[str]) -> list[QueueNow]:
    """Raises AmiError, SQLAlchemyError and what `live.AWAY` lists."""
    midnight = datetime.combine(datetime.now(ZoneInfo(tenant.timezone)).date(), time(), ZoneInfo(tenant.timezone))
    engine = database.connect(settings.database_url)
    try:
        calls = await CallStore(engine).since(tenant.tenant, midnight.astimezone(UTC))
        legs = await CallStore(engine).legs_since(tenant.tenant, midnight.astimezone(UTC))
    finally:
        await engine.dispose()
    async with live.connect(settings.redis_url) as redis:
        facts = await _facts(redis, tenant)
    found = []
    secret = load_secrets(settings.home / "secrets.json").ami_cli
    async with AmiClient(settings.ami_address, settings.ami_port, AMI_CLI_USER, secret) as ami:
        for name in names:
            (summary,) = await ami.listing("QueueSummary", Queue=tenant.queue_name(name)) or [None]
            found.append(QueueNow(
                name, int(summary.callers) if summary else 0, int(summary.longestholdtime) if summary else 0,
                agents_of(tenant, name, facts), day_of(name, calls, legs, tenant.queues[name].service_level_s)))
    return found


async def _facts(redis: Redis, tenant: Tenant) -> Facts:
    devices = {str(endpoint): DeviceState(str(state)) for endpoint, state in (await redis.hgetall(live.DEVICES)).items()}
    users: dict[str, Personal] = {agent: await personal.read(redis, tenant.tenant, agent) for agent in tenant.agents}
    return Facts(datetime.now(UTC), devices=devices, personal=users)


def agents_of(tenant: Tenant, name: str, facts: Facts) -> Agents:
    members = tenant.agents_of(name)
    here = [each for each in members if not is_logged_out(facts.set_by(each), (name,))]
    presences = {each: presence_of(facts, each, tenant.endpoints_of(each)) for each in here}
    paused = [each for each in here if is_out(facts.set_by(each), (name,)) or presences[each] is Presence.DO_NOT_DISTURB]
    free = [each for each in here if presences[each] is Presence.FREE and each not in paused]
    return Agents(len(members), len(here), len(paused), len(free))
