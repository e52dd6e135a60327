"""The list of commands: panel, summary, examples, and the module that is imported when the command is used.

The summary stands here and not in the command's docstring, so that `centralka --help` imports none of these modules.
"""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException
from typer.main import get_command

CHANGE, TRY, LOOK = "Change tenants", "Try what would happen", "Look at what happens and happened"
SET, HAND_OUT, INSTANCE = "Change users' settings", "Telephones, passwords and PINs", "The instance and its schemas"


@dataclass(frozen=True, slots=True)
class Listed:
    """`function` stands in `module` of centralka.cli; its docstring, if any, follows the summary in the command's own help."""

    panel: str
    summary: str
    module: str
    function: str
    examples: tuple[str, ...]


LISTED = {
    "check": Listed(
        CHANGE, "Check tenants' files and report every problem with its line.", "changes", "check",
        ("check", "check --scenarios", "check edited.yaml")),
    "plan": Listed(
        CHANGE, "Show what an apply would change, and for which callers.", "changes", "plan",
        ("plan", "plan --json", "plan --remove rossi")),
    "apply": Listed(
        CHANGE, "Check, render and publish all tenants. Asterisk reloads only what changed; if it refuses, all is undone.",
        "changes", "apply", ("apply", "apply --remove rossi")),
    "rollback": Listed(
        CHANGE, "Go back to the revision before the last apply. Passwords and PINs stay those of today.", "changes", "rollback",
        ("rollback",)),
    "simulate": Listed(
        TRY, "Simulate a call, decided by the code that handles live calls.", "inspection", "simulate_call",
        ("simulate acme +48221234567 --keys 9,2 --state busy:202", "simulate acme 300 --from 201 --at 18:05",
         "simulate acme +48221234567 --at '2026-12-24 18:05' --picture call.svg", "simulate acme '*52300' --from 201",
         "simulate acme --what-if edited.yaml")),
    "graph": Listed(
        TRY, "Draw a tenant's call flow: every element and user, and what leads from one to the other.", "inspection",
        "show_graph", ("graph acme -o flow.svg", "graph acme --tenants edited.yaml -o new.png")),
    "status": Listed(
        LOOK, "Show what is wrong, which services run, which phones and trunks are registered, and which calls are up.",
        "instance", "show_status", ("status", "status acme", "watch -n 5 centralka status")),
    "calls": Listed(
        LOOK, "List a tenant's last calls, each with its id, its path and the reasons. Times are in the tenant's time zone.",
        "history", "show_calls", ("calls acme", "calls acme --last 50")),
    "explain": Listed(
        LOOK, "Explain one call: its path with the reasons, its legs, how it ended. Times are in the tenant's time zone.",
        "history", "explain_call", ("explain 1764000000.7", "explain 1764000000.7 --picture call.svg")),
    "queue": Listed(
        LOOK, "Show a tenant's queues: callers waiting, agents, and today's numbers.", "queues", "queue",
        ("queue acme", "queue acme help --json")),
    "switch": Listed(
        SET, "Show the positions of a tenant's switches, or set one.", "live_settings", "switch",
        ("switch acme", "switch acme night", "switch acme night on")),
    "user": Listed(
        SET, "Show a user's settings, or change them.", "live_settings", "user",
        ("user acme 201", "user acme 201 --dnd", "user acme 201 --forward busy=202 --no-forward no_answer",
         "user acme 201 --logout sales")),
    "release": Listed(
        SET, "Allow external calls again after the brake on fraud stopped them. The minutes counted today start again at 0.",
        "outside", "release", ("release acme 201", "release acme")),
    "unban": Listed(
        SET, "Answer an address again that was banned because SIP passwords were guessed there.",
        "outside", "unban", ("unban 203.0.113.5",)),
    "phones": Listed(
        HAND_OUT, "List a tenant's telephones: the address to enter in each, and when it was last seen. Shows secrets.",
        "phones", "phones", ("phones acme", "phones acme --open anna --minutes 10")),
    "accounts": Listed(
        HAND_OUT, "List the SIP accounts of the published tenants with their passwords.", "passwords", "accounts",
        ("accounts", "accounts --json")),
    "rotate": Listed(
        HAND_OUT, "Give a device another password. The old one stays valid until the device has used the new one.", "rotation",
        "rotate", ("rotate acme 201-desk", "rotate acme 201-desk --minutes 60")),
    "secret": Listed(
        HAND_OUT, "Keep the password that a carrier gave for a trunk.", "passwords", "secret",
        ("secret acme-trunk-carrier", "secret acme-trunk-carrier < file")),
    "pin": Listed(
        HAND_OUT, "Keep the PIN by which a user makes calls beyond their permissions.", "outside", "pin",
        ("pin acme 201", "pin acme", "pin acme 201 --remove")),
    "mobile-pins": Listed(
        HAND_OUT, "List the PINs by which a tenant's users dial from their mobiles.", "passwords", "mobile_pins",
        ("mobile-pins acme",)),
    "call-servers": Listed(
        HAND_OUT, "List the published tenants' call servers with the secrets that their requests are signed with.", "passwords",
        "call_servers", ("call-servers", "call-servers --json")),
    "init": Listed(
        INSTANCE, "Make the instance's directory, its secrets and Asterisk's own configuration. May be run again.", "instance",
        "init", ("init", "--home /srv/centralka init")),
    "serve": Listed(INSTANCE, "Run one of the services until SIGTERM or SIGINT.", "serving", "serve", ("serve agi",)),
    "render": Listed(
        INSTANCE, "Write the Asterisk files that an apply would publish.", "changes", "render",
        ("render --out files", "render --out files tenants/acme.yaml")),
    "schema": Listed(
        INSTANCE, "Print the JSON Schema of a tenant's file, its scenarios, the platform's file, or a call server's answer.",
        "schemas", "schema", ("schema > tenant.schema.json", "schema scenarios", "schema platform")),
}


class Commands(TyperGroup):
    def list_commands(self, context: typer.Context) -> list[str]:  # type: ignore[override]
        return list(LISTED)

    def get_command(self, context: typer.Context, name: str) -> Any:  # type: ignore[override]
        if name not in LISTED:
            return None
        listed = LISTED[name]
        function = getattr(importlib.import_module(f"centralka.cli.{listed.module}"), listed.function)
        one = typer.Typer(add_completion=False)
        one.command(name, help=f"{listed.summary}\n\n{function.__doc__ or ''}".strip())(function)
        command = get_command(one)
        command.rich_help_panel = listed.panel  # type: ignore[attr-defined]
        command.epilog = "\n".join((
            "Examples:", "", *(each if each.startswith("watch") else f"centralka {each}" for each in listed.examples)))
        return command

    def format_help(self, *arguments: Any) -> None:
        _Summaries(self).format_help(*arguments)

    def make_context(self, *arguments: Any, **more: Any) -> Any:
        with users_turn():
            return super().make_context(*arguments, **more)

    def invoke(self, *arguments: Any) -> Any:
        with users_turn():
            return super().invoke(*arguments)


class _Summaries(TyperGroup):
    """The same group for its own help, with commands of a name, a panel and a summary only."""

    def __init__(self, group: Commands) -> None:
        super().__init__(
            name=group.name, params=group.params, help=group.help, epilog=group.epilog, rich_markup_mode=group.rich_markup_mode)

    def list_commands(self, context: typer.Context) -> list[str]:  # type: ignore[override]
        return list(LISTED)

    def get_command(self, context: typer.Context, name: str) -> Any:  # type: ignore[override]
        return TyperCommand(name, help=LISTED[name].summary, rich_help_panel=LISTED[name].panel)


@contextmanager
def users_turn() -> Iterator[None]:
    """Wrong usage ends with exit code 1, as any other wrong input."""
    try:
        yield
    except TyperException as error:
        error.exit_code = 1
        raise
