"""The command line. Exit codes: 0 good, 1 the user's input is wrong, 2 the system is at fault.

`commands.py` lists the commands; the module of a command is imported when the command is used.
"""

import gc
import os
from pathlib import Path
from typing import Annotated

import typer

from centralka.cli.commands import Commands

HELP = (
    "Centralka, a hosted PBX: Asterisk carries the calls, this decides them.\n\n"
    "A tenant is a file, such as tenants/acme.yaml. Every command works on one instance, the one in --home: make up makes and "
    "starts it, make down stops it. To change a tenant, edit its file, then check, plan, apply; rollback undoes it. At three "
    "in the morning begin with status, then calls and explain. Each command's help has examples: centralka simulate --help.")
EPILOG = (
    "Exit codes: 0 good; 1 the input is wrong, and the user corrects it; 2 the system is at fault.\n\n"
    "Documents: docs/README.md lists them; docs/tutorial.md is the place to begin.")
app = typer.Typer(cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False, help=HELP, epilog=EPILOG)
DEMO = Path(".runtime/root/srv/demo")
NICER = 5        # lower priority than the calls that run at the same time


@app.callback()
def main_options(
    context: typer.Context,
    home: Annotated[Path, typer.Option(envvar="CENTRALKA_HOME", help="The instance's directory.")] = DEMO,
) -> None:
    context.obj = home
    gc.disable()        # a command soon ends: with a thousand tenants, garbage collection would take a quarter of its time
    if context.invoked_subcommand == "serve":
        return
    from centralka.log import configure_log

    configure_log(for_person=True)
    os.nice(NICER)


def main() -> None:
    app()
