"""Commands that show passwords and secrets to the person who hands them out, and one that stores a carrier's password."""

import json
import sys
from typing import Annotated

import typer
from rich.table import Table

from centralka.cli import configuration
from centralka.cli.live_settings import published_tenant
from centralka.cli.terminal import Json, errors_reported, load_instance, out
from confgen.publish.publishing import locked, read_current
from confgen.render.carrier_password import CarrierPassword
from confgen.render.sip_objects import endpoints_in
from confgen.secrets import call_servers_of, load_secrets, mobile_users, pin_name, save_secrets
from routing.numbering.endpoint import TrunkEndpoint, read_endpoint


def accounts(context: typer.Context, as_json: Json = False) -> None:
    settings = load_instance(context)
    with errors_reported():
        secrets = load_secrets(settings.home / "secrets.json")
        endpoints = endpoints_in(read_current(settings.home))
    passwords = {endpoint: secrets.newest_sip(endpoint) for endpoint in secrets.sip if endpoint in endpoints}
    server = f"{settings.sip_address}:{settings.sip_port}"
    if as_json:
        out.print_json(json.dumps({"server": server, "accounts": passwords}))
        return
    out.print(f"SIP server {server} (UDP); user names and passwords:", highlight=False)
    width = max(map(len, passwords), default=0)
    for endpoint, password in passwords.items():
        out.print(f"{endpoint:{width}}  {password}", markup=False, highlight=False, soft_wrap=True)


def mobile_pins(
    context: typer.Context, tenant: Annotated[str, typer.Argument(help="The tenant's short name.")],
) -> None:
    settings = load_instance(context)
    table = Table("user", "name", "mobile", "PIN", box=None)
    with errors_reported():
        secrets, found = load_secrets(settings.home / "secrets.json"), published_tenant(settings, tenant)
        for extension in mobile_users(found):
            pin = secrets.mobile_pins[pin_name(found, extension)]
            table.add_row(extension, found.names[extension], found.mobile_of(extension), pin)
    out.print(table if table.row_count else f"no user of {tenant} calls by a mobile")


def call_servers(context: typer.Context, as_json: Json = False) -> None:
    settings = load_instance(context)
    with errors_reported():
        secrets = load_secrets(settings.home / "secrets.json")
        tenants = configuration.published_tenants(settings).values()
    servers = [
        {"name": name, "url": server.url, "secret": secrets.call_servers[name]}
        for tenant in tenants for name, server in call_servers_of(tenant).items()
    ]
    if as_json:
        out.print_json(json.dumps(servers))
        return
    for server in servers:
        block = "{name}\n  address  {url}\n  secret   {secret}\n".format(**server)
        out.print(block, markup=False, highlight=False, soft_wrap=True)
    if not servers:
        out.print("no published tenant has a call server")


def secret(context: typer.Context, trunk: Annotated[str, typer.Argument(help="Such as acme-trunk-carrier.")]) -> None:
    """It is read from standard input or asked for. Asterisk has it after the next apply."""
    settings = load_instance(context)
    password = typer.prompt("Password", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    with errors_reported():
        if not isinstance(read_endpoint(trunk), TrunkEndpoint):
            raise ValueError(f"found the trunk {trunk!r}, expected <tenant>-trunk-<name>, such as acme-trunk-carrier, "
                             "or platform-trunk-<carrier>")
        CarrierPassword(password)
        with locked(settings.home):
            secrets = load_secrets(settings.home / "secrets.json")
            changed = secrets.model_copy(update={"trunks": {**secrets.trunks, trunk: password}})
            save_secrets(settings.home / "secrets.json", changed)
    out.print(f"the password of {trunk} is kept; Asterisk has it after the next apply: centralka apply", soft_wrap=True)
