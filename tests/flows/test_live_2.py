"""A quarter of the scenarios through a real Asterisk: the path with its reasons, what is heard, the end and the SIP code are the
simulator's."""

import pytest

from simulator.scenario_run import ScenarioResult, Scene
from tests.scenario_player.player import key_of
from tests.scenario_player.share import share

pytestmark = pytest.mark.live

SCENES = share(1)


@pytest.mark.parametrize("scene", SCENES, ids=map(key_of, SCENES))
def test_scenario_goes_live_as_in_the_simulator_and_as_it_is_told(scene: Scene, told: ScenarioResult) -> None:
    assert told == scene.simulated()
    assert not [str(problem) for problem in scene.problems(told)]
