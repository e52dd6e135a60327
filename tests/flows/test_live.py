"""Every scenario through a real Asterisk: the path with its reasons, what is heard, the end and the SIP code are the simulator's."""

import asyncio
import os
from collections.abc import Iterator

import pytest

from runtime.choose import open_runtime
from runtime.process import Process
from simulator.scenario_run import Scene, Told
from tests.flows.player import key_of, player
from tests.flows.scenes import FLOWS, SCENES
from tests.flows.world import why_not_live
from tests.live.pbx import Pbx

pytestmark = pytest.mark.live

ADDRESS = "127.78.0.1"
SETTINGS = {f"CENTRALKA_{name}_ADDRESS": ADDRESS for name in ("SIP", "AGI", "AMI", "PROVISION")}


@pytest.fixture(scope="module")
def played(request: pytest.FixtureRequest) -> Iterator[dict[str, Told | Exception]]:
    """What came of the scenarios that this run asks for: all are played before the first test of them."""
    wanted = [
        item.callspec.params["scene"] for item in request.session.items
        if isinstance(item, pytest.Function) and item.module is request.module]

    async def play(pbx: Pbx) -> dict[str, Told | Exception]:
        async with player(pbx) as playing:
            return await playing.play_all(wanted)

    runtime = open_runtime(os.environ.get("CENTRALKA_TEST_RUNTIME", "local"), "flowtests")
    runtime.remove()
    runtime.prepare(SETTINGS)
    runtime.apply(FLOWS)
    try:
        runtime.start()
        runtime.stop_process(Process.AGI)         # the player's own takes its place
        yield asyncio.run(play(Pbx(runtime, FLOWS)))
    finally:
        runtime.remove()


LIVE = [scene for scene in SCENES if not why_not_live(scene)]


@pytest.mark.parametrize("scene", LIVE, ids=map(key_of, LIVE))
def test_scenario_goes_live_as_in_the_simulator_and_as_it_is_told(scene: Scene, played: dict[str, Told | Exception]) -> None:
    found = played[key_of(scene)]
    if isinstance(found, Exception):
        raise found
    simulated = scene.simulated()
    assert found == simulated
    assert not [str(problem) for problem in scene.problems(found)]
