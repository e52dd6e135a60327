"""The commands about the instance itself: its directory, its services, its state."""

import asyncio
import os
from typing import Annotated

import typer

from centralka.cli.terminal import Json, errors_reported, load, load_instance, out
from centralka.settings import (
    AMI_CLI_USER,
    AMI_LOGIN,
    OWN_CERTIFICATE,
    OWN_KEY,
    SIP_CERTIFICATE,
    SIP_KEY,
    WEB_CERTIFICATE,
    WEB_KEY,
)
from confgen.secrets import load_secrets, save_secrets


def init(context: typer.Context) -> None:
    from confgen.publish.certificate import copy_secret, make_certificate, write_secret
    from confgen.publish.instance import write_instance
    from confgen.publish.ownership import permit

    settings = load(context)
    secrets_file = settings.home / "secrets.json"
    with errors_reported():
        settings.home.mkdir(mode=0o750, parents=True, exist_ok=True)
        secrets = load_secrets(secrets_file)
        save_secrets(secrets_file, secrets)
        make_certificate(settings.home / OWN_CERTIFICATE, settings.home / OWN_KEY, settings.public_host)
        for given, copies in (
            (settings.certificate, (SIP_CERTIFICATE, WEB_CERTIFICATE)), (settings.certificate_key, (SIP_KEY, WEB_KEY)),
        ):
            for copy in copies:
                copy_secret(given, settings.home / copy)
        write_secret(settings.home / AMI_LOGIN, secrets.ami)
        write_instance(settings.home, settings.model_dump() | {
            "home": settings.asterisk_home, "ami_secret": secrets.ami, "ami_cli_secret": secrets.ami_cli})
        if os.geteuid() == 0:
            permit(settings.home)


def show_status(
    context: typer.Context,
    tenant: Annotated[str, typer.Argument(help="Lists all of this one's. Default: what matters of all tenants.")] = "",
    as_json: Json = False,
) -> None:
    from centralka.cli.status import collect, render

    settings = load_instance(context)
    with errors_reported("Asking every part of the instance..."):
        if tenant:
            from centralka.cli.live_settings import published_tenant

            published_tenant(settings, tenant)
        status = asyncio.run(collect(settings, AMI_CLI_USER, load_secrets(settings.home / "secrets.json").ami_cli))
    if as_json:
        out.print_json(status.to_json())
    else:
        out.print(render(status, tenant))
        if any(service.problem for service in status.services):
            supervised = settings.home / "supervisor"
            logs = f"{supervised}/*.log and {settings.home}/log/messages.log" if supervised.exists() else "docker compose logs"
            out.print(f"make up starts what does not run; what it said last: {logs}", soft_wrap=True, highlight=False)
    raise typer.Exit(status.exit_code)
