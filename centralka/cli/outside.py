"""Commands for external calls: the PIN that overrides permissions, and the release of blocked users and tenants."""

import re
import sys
from datetime import datetime
from ipaddress import ip_network
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from centralka.cli.live_settings import ask_redis, published_tenant
from centralka.cli.terminal import errors_reported, load_instance, out
from confgen.publish.publishing import locked
from confgen.secrets import load_secrets, save_secrets
from routing.tenant.tenant import Tenant
from store.bans import release_ban
from store.lines import Lines

PIN = r"[0-9]{4,10}"
Slug = Annotated[str, typer.Argument(help="The tenant's short name.")]


def release(
    context: typer.Context, tenant: Slug,
    extension: Annotated[str, typer.Argument(help="A user's. Default: the whole tenant.")] = "",
) -> None:
    settings = load_instance(context)
    with errors_reported():
        known = published_tenant(settings, tenant)
        _check_user(known, extension)
        today = datetime.now(ZoneInfo(known.timezone)).date().isoformat()
        was_stopped = ask_redis(settings, lambda redis: Lines(redis).release(tenant, extension, today))
    what = "may call outside again" if was_stopped else "was not stopped; today counts anew"
    out.print(f"{f'{tenant} {extension}'.strip()} {what}")


def unban(
    context: typer.Context,
    address: Annotated[str, typer.Argument(help="An IP address, or an IPv6 network as the status names it.")],
) -> None:
    settings = load_instance(context)
    with errors_reported():
        network = str(ip_network(address, strict=False)).removesuffix("/32").removesuffix("/128")
        was_banned = ask_redis(settings, lambda redis: release_ban(redis, network))
    out.print(f"{network} {'is answered again' if was_banned else 'was not banned'}")


def pin(
    context: typer.Context, tenant: Slug,
    extension: Annotated[str, typer.Argument(help="A user's. Default: of all who have none of their own.")] = "",
    remove: Annotated[bool, typer.Option("--remove", help="From now on there is none.")] = False,
) -> None:
    """It is read from standard input or asked for, and counts from the next apply on."""
    settings = load_instance(context)
    keyed = ""
    if not remove:
        keyed = typer.prompt("PIN", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    with errors_reported():
        _check_user(published_tenant(settings, tenant), extension)
        if not remove and not re.fullmatch(PIN, keyed, re.ASCII):
            raise ValueError(f"found {'something else' if keyed else 'nothing'}, expected a PIN of 4 to 10 digits")
        with locked(settings.home):
            secrets = load_secrets(settings.home / "secrets.json")
            had_one = f"{tenant}/{extension}" in secrets.permission_pins
            pins = {name: value for name, value in secrets.permission_pins.items() if name != f"{tenant}/{extension}"}
            pins |= {} if remove else {f"{tenant}/{extension}": keyed}
            save_secrets(settings.home / "secrets.json", secrets.model_copy(update={"permission_pins": pins}))
    whose = f"the PIN of {tenant} {extension}" if extension else f"the PIN of all of {tenant} who have none of their own"
    if remove and not had_one:
        out.print(f"{whose} was not kept; nothing has changed", soft_wrap=True)
    else:
        out.print(f"{whose} is {'gone' if remove else 'kept'}; it counts after the next apply: centralka apply", soft_wrap=True)


def _check_user(tenant: Tenant, extension: str) -> None:
    """Raises LookupError."""
    if extension and extension not in tenant.users:
        raise LookupError(f"{tenant.tenant} has no user {extension!r}, expected one of {', '.join(tenant.users)}")
