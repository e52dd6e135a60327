"""Shares of the scenarios: those of one tenant are played one after another, so each test module that plays them live takes some
of every tenant's, and pytest-xdist plays several modules at once, on an instance of each worker."""

from collections import defaultdict
from functools import cache

from simulator.scenario_run import Scene
from tests.scenario_player.scenes import SCENES
from tests.scenario_player.world import why_not_live

SHARES = 4


def share(number: int) -> list[Scene]:
    """The scenarios of one of SHARES modules, counted from 0. A tenant with few scenarios is in few of them, and the first
    scenarios of the tenants are not all in the same."""
    return [scene for place, scenes in enumerate(live_scenes())
            for i, scene in enumerate(scenes) if (i + place) % SHARES == number]


@cache
def live_scenes() -> list[list[Scene]]:
    """Those of each tenant."""
    of_tenant: dict[str, list[Scene]] = defaultdict(list)
    for scene in SCENES:
        if not why_not_live(scene):
            of_tenant[scene.tenant.tenant].append(scene)
    return list(of_tenant.values())
