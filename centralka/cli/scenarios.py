"""The tenants' own scenarios: `acme.scenarios.yaml` beside `acme.yaml` states the expected results of Acme's calls."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from centralka.cli.checking import read_text
from centralka.cli.known import SCENARIOS
from routing.tenant.tenant import Tenant
from simulator.scenario_reading import read_scenarios
from simulator.scenario_run import Scene, failures
from yaml_models.errors import ConfigError, Problem


def load_scenes(files: Mapping[str, Path], tenants: Sequence[Tenant]) -> list[Scene]:
    """The scenarios beside the tenants' files; `tenants` are in the order of the files' names. Raises ConfigError."""
    scenes: list[Scene] = []
    problems: list[Problem] = []
    for name, tenant in zip(sorted(files), tenants, strict=True):
        file = files[name].with_suffix(SCENARIOS)
        if file.exists():
            shown = name.removesuffix(".yaml") + SCENARIOS
            try:
                scenes += read_scenarios(read_text(file, shown), shown, tenant)
            except ConfigError as error:
                problems += error.problems
    if problems:
        raise ConfigError(problems)
    return scenes


def play(files: Mapping[str, Path], tenants: Sequence[Tenant]) -> int:
    """Plays all scenarios in the simulator and returns how many there are. Raises ConfigError with those that fail."""
    scenes = load_scenes(files, tenants)
    problems = failures(scenes)
    if problems:
        raise ConfigError(problems)
    return len(scenes)


def counted(number: int) -> str:
    """'1 scenario', '2 scenarios'."""
    return f"{number} scenario{'s' if number != 1 else ''}"
