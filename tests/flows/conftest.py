"""An instance for the scenarios of each worker, and what came of those that a module plays on it."""

import asyncio
from collections.abc import Iterator

import pytest

from runtime.process import Process
from simulator.scenario_run import ScenarioResult, Scene
from tests.live.pbx import Pbx
from tests.live.started_instance import settings_at, started_instance
from tests.scenario_player.player import key_of, player
from tests.scenario_player.scenes import FLOWS

ADDRESS = "127.78.0.1"


@pytest.fixture(scope="session")
def flows_pbx() -> Iterator[Pbx]:
    """All tenants of the scenarios; the decision service is the player's own."""
    with started_instance("flowtests", settings_at(ADDRESS), FLOWS) as pbx:
        pbx.runtime.stop_process(Process.AGI)
        yield pbx


@pytest.fixture(scope="module")
def played(request: pytest.FixtureRequest, flows_pbx: Pbx) -> dict[str, ScenarioResult | Exception]:
    """What came of the module's scenarios that this run asks for: all are played before the first test of them."""
    wanted = [
        item.callspec.params["scene"] for item in request.session.items
        if isinstance(item, pytest.Function) and item.module is request.module]

    async def play() -> dict[str, ScenarioResult | Exception]:
        async with player(flows_pbx) as playing:
            return await playing.play_all(wanted)

    return asyncio.run(play())


@pytest.fixture
def told(scene: Scene, played: dict[str, ScenarioResult | Exception]) -> ScenarioResult:
    """What came of the scenario. Raises what went wrong when it was played."""
    found = played[key_of(scene)]
    if isinstance(found, Exception):
        raise found
    return found
