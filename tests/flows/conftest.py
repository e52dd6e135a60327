"""An instance for the scenarios of each worker, and what came of those that a module plays on it."""

import asyncio
import os
from collections.abc import Iterator

import pytest

from runtime.choose import open_runtime
from runtime.process import Process
from simulator.scenario_run import Scene, Told
from tests.live.pbx import Pbx
from tests.scenario_player.player import key_of, player
from tests.scenario_player.scenes import FLOWS

ADDRESS = "127.78.0.1"
SETTINGS = {f"CENTRALKA_{name}_ADDRESS": ADDRESS for name in ("SIP", "AGI", "AMI", "PROVISION")}


@pytest.fixture(scope="session")
def flows_pbx() -> Iterator[Pbx]:
    """All tenants of the scenarios; the decision service is the player's own."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    runtime = open_runtime(os.environ.get("CENTRALKA_TEST_RUNTIME", "local"), f"flowtests{worker}")
    runtime.remove()
    runtime.prepare(SETTINGS)
    runtime.apply(FLOWS)
    try:
        runtime.start()
        runtime.stop_process(Process.AGI)
        yield Pbx(runtime, FLOWS)
    finally:
        runtime.remove()


@pytest.fixture(scope="module")
def played(request: pytest.FixtureRequest, flows_pbx: Pbx) -> dict[str, Told | Exception]:
    """What came of the module's scenarios that this run asks for: all are played before the first test of them."""
    wanted = [
        item.callspec.params["scene"] for item in request.session.items
        if isinstance(item, pytest.Function) and item.module is request.module]

    async def play() -> dict[str, Told | Exception]:
        async with player(flows_pbx) as playing:
            return await playing.play_all(wanted)

    return asyncio.run(play())


@pytest.fixture
def told(scene: Scene, played: dict[str, Told | Exception]) -> Told:
    """What came of the scenario. Raises what went wrong when it was played."""
    found = played[key_of(scene)]
    if isinstance(found, Exception):
        raise found
    return found
