"""Command-line output: results, errors, and the exit code that says who has to act."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Annotated

import typer
from rich.console import Console

from centralka.settings import Settings
from yaml_models.errors import ConfigError

out = Console()
errors = Console(stderr=True)
Json = Annotated[bool, typer.Option("--json", help="For programs.")]


def load(context: typer.Context) -> Settings:
    with errors_reported():
        return Settings.load(context.obj)


def load_instance(context: typer.Context) -> Settings:
    """The settings of an instance that has been made; without one, words and exit code 1."""
    with errors_reported():
        return Settings.load_instance(context.obj)


@contextmanager
def errors_reported(doing: str = "") -> Iterator[None]:
    """Turns an exception into an error text and the exit code that says who has to act. Until the block ends, a terminal
    shows the current activity."""
    try:
        with errors.status(doing) if doing else nullcontext():
            yield
    except (ConfigError, ValueError, LookupError) as error:
        errors.print(str(error), markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None
    except (OSError, sqlite3.Error) as error:
        errors.print(str(error), markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(2) from None
