"""The scenarios of tests/flows."""

from pathlib import Path

from centralka.cli.configuration import load_tenants, tenant_files
from centralka.cli.scenarios import load_scenes
from simulator.scenario_run import Scene

FLOWS = Path(__file__).parents[1] / "flows"


def all_scenes() -> list[Scene]:
    files = tenant_files([FLOWS])
    return load_scenes(files, load_tenants(files))


SCENES = all_scenes()
TITLES = [f"{scene.tenant.tenant}: {scene.scenario.title}" for scene in SCENES]
