"""Commands that change live state: switch positions and users' settings."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

import typer
from redis.asyncio import Redis

from centralka.cli.terminal import Json, errors_reported, load_instance, out
from centralka.settings import Settings
from routing.call.facts import NOTHING_SET, Personal
from routing.hours.calendars import FetchedCalendar
from routing.tenant.settings import (
    checked_forward,
    checked_position,
    known_groups,
    read_forward,
    read_forwarding,
    with_setting,
)
from routing.tenant.tenant import Tenant
from services.asterisk_text import AgiError
from services.published_tenants import PublishedTenants
from store import calendars, live, personal, switches
from yaml_models.suggestion import expected_one_of

T = TypeVar("T")
ALL = "all"


def published_tenant(settings: Settings, slug: str) -> Tenant:
    """The tenant that live calls use now. Raises LookupError."""
    try:
        return PublishedTenants(settings.home).tenant(slug).tenant
    except AgiError as error:
        raise LookupError(str(error)) from None


def ask_redis(settings: Settings, question: Callable[[Redis], Awaitable[T]]) -> T:
    """Raises OSError while Redis is unavailable."""
    async def ask() -> T:
        async with live.connect(settings.redis_url) as redis:
            return await question(redis)

    try:
        return asyncio.run(ask())
    except live.AWAY as error:
        raise OSError(f"Redis at {settings.redis_url} gives no answer, nothing is known or changed: {error}") from None


def fetched_calendars(settings: Settings, tenant: Tenant) -> dict[str, FetchedCalendar]:
    """The last content found at the addresses of the tenant's calendars, by name; a warning where it is not known."""
    wanted = [name for name, calendar in tenant.calendars.items() if calendar.url]
    found: dict[str, FetchedCalendar] = {}
    if wanted:
        try:
            fields = [f"{tenant.tenant}/{name}" for name in wanted]
            texts = ask_redis(settings, lambda redis: redis.hmget(live.CALENDARS, fields))
            found = {name: calendars.fetched(str(text)) for name, text in zip(wanted, texts, strict=True) if text}
        except (OSError, ValueError) as error:
            typer.echo(f"calendars at addresses count as empty: {error}", err=True)
            return {}
    for name in wanted:
        if name not in found or found[name].url != tenant.calendars[name].url:
            typer.echo(f"calendar {name} counts as empty: it was never fetched from {tenant.calendars[name].url}", err=True)
    return found


def switch(
    context: typer.Context,
    tenant: Annotated[str, typer.Argument(help="The tenant's short name.")],
    name: Annotated[str, typer.Argument(help="A switch. Default: show all.")] = "",
    position: Annotated[str, typer.Argument(help="Where to put it. Default: show it.")] = "",
    as_json: Json = False,
) -> None:
    settings = load_instance(context)
    with errors_reported():
        known = published_tenant(settings, tenant).switches
        if name and name not in known:
            raise LookupError(f"{tenant} has no switch {name!r}, {expected_one_of(known, 'nor any other')}")
        if position and position not in known[name].positions:
            raise ValueError(f"switch {name} has no position {position!r}, expected one of {', '.join(known[name].positions)}")
        if position:
            ask_redis(settings, lambda redis: switches.put(redis, tenant, name, position))
        found = ask_redis(settings, lambda redis: switches.positions(redis, tenant))
    standing = {each: known[each].standing(found.get(each)) for each in ([name] if name else known)}
    if as_json:
        out.print_json(json.dumps(standing))
    else:
        for each, stands in standing.items():
            out.print(f"{each}: {stands}")


def user(
    context: typer.Context,
    tenant: Annotated[str, typer.Argument(help="The tenant's short name.")],
    extension: Annotated[str, typer.Argument(help="The user's.")],
    dnd: Annotated[bool | None, typer.Option("--dnd/--no-dnd", help="Do not disturb.")] = None,
    pause: Annotated[bool | None, typer.Option("--pause/--no-pause", help="Pause in all groups and queues.")] = None,
    logout: Annotated[list[str] | None, typer.Option(metavar="GROUP", help="Log out of a group; 'all' for all.")] = None,
    login: Annotated[list[str] | None, typer.Option(metavar="GROUP", help="Log in again; 'all' for all.")] = None,
    forward: Annotated[list[str] | None, typer.Option(metavar="KIND=NUMBER", help="Such as busy=202.")] = None,
    no_forward: Annotated[list[str] | None, typer.Option(metavar="KIND", help="Such as busy.")] = None,
    as_json: Json = False,
) -> None:
    settings = load_instance(context)
    with errors_reported():
        known = published_tenant(settings, tenant)
        if extension not in known.users:
            raise LookupError(f"{tenant} has no user {extension!r}, expected one of {', '.join(known.users)}")
        forwards = [read_forward(known, extension, text) for text in forward or ()]
        for _, to in forwards:
            checked_forward(known, extension, to)
        ended = [read_forwarding(text) for text in no_forward or ()]
        left, entered = (_groups(known, extension, names or ()) for names in (logout, login))

        def changed(before: Personal) -> Personal:
            kept = {kind: to for kind, to in before.forwards.items() if kind not in ended}
            return replace(
                before, do_not_disturb=before.do_not_disturb if dnd is None else dnd,
                paused=before.paused if pause is None else pause,
                logged_out=(ALL in left) or (before.logged_out and ALL not in entered),
                logged_out_of=frozenset() if ALL in entered else (before.logged_out_of | left) - entered - {ALL},
                forwards={**kept, **dict(forwards)})

        if dnd is None and pause is None and not (left or entered or forwards or ended):
            after = ask_redis(settings, lambda redis: personal.read(redis, tenant, extension))
        else:
            after = ask_redis(settings, lambda redis: personal.change(redis, tenant, extension, changed))
    if as_json:
        out.print_json(personal.to_json(after))
    else:
        for line in settings_in_words(after, ZoneInfo(known.timezone)) or ["nothing is set"]:
            out.print(f"{extension}: {line}", markup=False, highlight=False)


def _groups(tenant: Tenant, extension: str, names: Sequence[str]) -> frozenset[str]:
    """The user's groups of these names, and 'all' for all."""
    return frozenset(names) & {ALL} | known_groups(tenant, extension, (name for name in names if name != ALL))


def settings_given(tenant: Tenant, texts: Iterable[str]) -> dict[str, Personal]:
    """'201:dnd' or '201:busy=202', by extension. Raises ValueError."""
    found: dict[str, Personal] = {}
    for text in texts:
        extension, _, setting = text.partition(":")
        if extension not in tenant.users:
            raise ValueError(f"found --set {text!r}, expected an extension of {', '.join(tenant.users)}, a colon and a setting")
        try:
            found[extension] = with_setting(tenant, extension, found.get(extension, NOTHING_SET), setting)
        except ValueError as error:
            raise ValueError(f"found --set {text!r}: {error}") from None
    return found


def switches_given(tenant: Tenant, texts: Iterable[str]) -> dict[str, str]:
    """'night=on'. Raises ValueError."""
    pairs = (text.partition("=") for text in texts)
    return {name: checked_position(tenant, name, position) for name, _, position in pairs}


def settings_in_words(found: Personal, zone: tzinfo) -> list[str]:
    words = [
        *(["do not disturb"] if found.do_not_disturb else []),
        *(["paused"] if found.paused else []),
        *([f"paused in {', '.join(sorted(found.paused_in))}"] if found.paused_in else []),
        *(["logged out"] if found.logged_out else []),
        *([f"logged out of {', '.join(sorted(found.logged_out_of))}"] if found.logged_out_of else []),
    ]
    words += [f"{kind.replace('_', ' ')} forwards to {to or 'nobody'}" for kind, to in found.forwards.items()]
    return words + ([f"wake-up call at {found.wake_up.astimezone(zone):%Y-%m-%d %H:%M}"] if found.wake_up else [])
