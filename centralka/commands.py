"""Commands that stand in modules of their own, each imported when it is used: what some of them need takes longer to import
than an apply takes.
"""

import importlib
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

ELSEWHERE = {
    "simulate": ("inspection", "simulate_call"), "graph": ("inspection", "show_graph"), "status": ("inspection", "show_status"),
    "calls": ("history", "show_calls"), "explain": ("history", "explain_call"), "switch": ("live_settings", "switch"),
    "user": ("live_settings", "user"), "queue": ("queues", "queue"), "phones": ("phones", "phones"),
    "rotate": ("rotation", "rotate"), "release": ("outside", "release"), "pin": ("outside", "pin"),
}
"""By their names: the module of this package, and the function there."""


class Commands(TyperGroup):
    def list_commands(self, context: typer.Context) -> list[str]:  # type: ignore[override]
        return [*super().list_commands(context), *ELSEWHERE]

    def get_command(self, context: typer.Context, name: str) -> Any:  # type: ignore[override]
        if name not in ELSEWHERE:
            return super().get_command(context, name)
        module, function = ELSEWHERE[name]
        one = typer.Typer(add_completion=False)
        one.command(name)(getattr(importlib.import_module(f"centralka.{module}"), function))
        return get_command(one)
