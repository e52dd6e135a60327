"""The commands as the help lists them: grouped, each with examples. Those that stand in modules of their own are imported when
they are used: what some of them need takes longer to import than an apply takes.
"""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException
from typer.main import get_command

CHANGE, TRY, LOOK = "Change tenants", "Try what would happen", "Look at what happens and happened"
SET, HAND_OUT, INSTANCE = "Do what users do by telephone", "Telephones, passwords and PINs", "The instance and its schemas"


@dataclass(frozen=True, slots=True)
class Listed:
    """`module` is '' for a command of the command line's own module."""

    panel: str
    examples: tuple[str, ...]
    module: str = ""
    function: str = ""


LISTED = {
    "check": Listed(CHANGE, ("check", "check --scenarios", "check edited.yaml")),
    "plan": Listed(CHANGE, ("plan", "plan --json", "plan --remove rossi")),
    "apply": Listed(CHANGE, ("apply", "apply --remove rossi")),
    "rollback": Listed(CHANGE, ("rollback",)),
    "simulate": Listed(TRY, (
        "simulate acme +48221234567 --keys 9,2 --state busy:202", "simulate acme 300 --from 201 --at 18:05",
        "simulate acme +48221234567 --at '2026-12-24 18:05' --picture call.svg", "simulate acme '*52300' --from 201",
        "simulate acme --what-if edited.yaml"), "inspection", "simulate_call"),
    "graph": Listed(TRY, ("graph acme -o flow.svg", "graph acme --tenants edited.yaml -o new.png"), "inspection", "show_graph"),
    "status": Listed(LOOK, ("status", "status acme", "watch -n 5 centralka status"), "inspection", "show_status"),
    "calls": Listed(LOOK, ("calls acme", "calls acme --last 50"), "history", "show_calls"),
    "explain": Listed(LOOK, ("explain 1764000000.7", "explain 1764000000.7 --picture call.svg"), "history", "explain_call"),
    "queue": Listed(LOOK, ("queue acme", "queue acme help --json"), "queues", "queue"),
    "switch": Listed(SET, ("switch acme", "switch acme night", "switch acme night on"), "live_settings", "switch"),
    "user": Listed(SET, (
        "user acme 201", "user acme 201 --dnd", "user acme 201 --forward busy=202 --no-forward no_answer",
        "user acme 201 --logout sales"), "live_settings", "user"),
    "release": Listed(SET, ("release acme 201", "release acme"), "outside", "release"),
    "phones": Listed(HAND_OUT, ("phones acme", "phones acme --open anna --minutes 10"), "phones", "phones"),
    "accounts": Listed(HAND_OUT, ("accounts", "accounts --json"), "passwords", "accounts"),
    "rotate": Listed(HAND_OUT, ("rotate acme 201-desk", "rotate acme 201-desk --minutes 60"), "rotation", "rotate"),
    "secret": Listed(HAND_OUT, ("secret acme-trunk-carrier", "secret acme-trunk-carrier < file"), "passwords", "secret"),
    "pin": Listed(HAND_OUT, ("pin acme 201", "pin acme", "pin acme 201 --remove"), "outside", "pin"),
    "mobile-pins": Listed(HAND_OUT, ("mobile-pins acme",), "passwords", "mobile_pins"),
    "call-servers": Listed(HAND_OUT, ("call-servers", "call-servers --json"), "passwords", "call_servers"),
    "init": Listed(INSTANCE, ("init", "--home /srv/centralka init")),
    "serve": Listed(INSTANCE, ("serve agi",)),
    "render": Listed(INSTANCE, ("render --out files", "render --out files tenants/acme.yaml")),
    "schema": Listed(INSTANCE, ("schema > tenant.schema.json", "schema scenarios", "schema platform")),
}


class Commands(TyperGroup):
    def list_commands(self, context: typer.Context) -> list[str]:  # type: ignore[override]
        return list(LISTED)

    def get_command(self, context: typer.Context, name: str) -> Any:  # type: ignore[override]
        if name not in LISTED:
            return None
        listed = LISTED[name]
        if listed.module:
            one = typer.Typer(add_completion=False)
            one.command(name)(getattr(importlib.import_module(f"centralka.cli.{listed.module}"), listed.function))
            command = get_command(one)
        else:
            command = super().get_command(context, name)  # type: ignore[assignment]
        command.rich_help_panel = listed.panel  # type: ignore[attr-defined]
        command.epilog = "\n".join((
            "Examples:", "", *(each if each.startswith("watch") else f"centralka {each}" for each in listed.examples)))
        return command

    def make_context(self, *arguments: Any, **more: Any) -> Any:
        with users_turn():
            return super().make_context(*arguments, **more)

    def invoke(self, *arguments: Any) -> Any:
        with users_turn():
            return super().invoke(*arguments)


@contextmanager
def users_turn() -> Iterator[None]:
    """What is typed wrongly ends with 1, as any other wrong input."""
    try:
        yield
    except TyperException as error:
        error.exit_code = 1
        raise
