"""The command that runs a service. It prints nothing but the log, and imports no module for tables and colours."""

import gc
import importlib
import sys
from enum import StrEnum
from typing import Annotated

import typer

from centralka.settings import Settings


class Service(StrEnum):
    AGI = "agi"
    AMI = "ami"
    PROVISION = "provision"


def serve(context: typer.Context, service: Annotated[Service, typer.Argument(help="Which one.")]) -> None:
    for unused in ("rich", "httpx._main"):      # structlog and httpx would import them: an eighth of a service's start
        sys.modules.setdefault(unused, None)  # type: ignore[arg-type]  # the import then raises ModuleNotFoundError
    import uvloop

    from centralka.log import configure_log

    configure_log()
    try:
        settings = Settings.load_instance(context.obj)
    except (ValueError, LookupError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2 if isinstance(error, OSError) else 1) from None
    module = importlib.import_module(f"centralka.serve_{service}")      # each service imports only what it needs
    gc.freeze()         # what was imported stays: no garbage collection examines it
    gc.enable()
    uvloop.run(module.serve(settings))
