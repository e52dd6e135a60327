"""The decision service of a scenario: the production's own, with a clock, PINs and call servers that the scenario sets."""

import asyncio
import re
import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from agi.call_servers import CallServers
from agi.decision_service import AgiAnswer, DecisionService
from agi.fastagi import Hold, Query
from agi.slow_answers import Asking, SlowAnswers
from agi.speech import Speech
from agi.understanding import Understanding
from centralka.serve_agi import make_speech
from routing.call.call_server import CallServerReply, Failed, Failure
from routing.call.questions import AskServer, SlowQuestion, Understand
from services.published_tenants import PublishedTenant, PublishedTenants
from simulator.scenario_grammar import Says
from simulator.scenario_run import Scene
from simulator.simulated_answers import meant
from store.answers import RedisAnswers
from store.follower import LiveFollower
from tests.live.pbx import Pbx


class ScriptedServers(SlowAnswers):
    """What call servers say is the scenario's; what is to be spoken is spoken as ever."""

    def __init__(self, pbx: Pbx, scene: Scene) -> None:
        super().__init__(CallServers(), Speech(make_speech, pbx.settings.home / "said"), Understanding(pbx.settings.home / "heard"))
        self._replies = scene.script().call_servers
        self._said = [action.words for action in scene.scenario.keys if isinstance(action, Says)]

    async def answer(self, asking: Asking, question: SlowQuestion, hold: Hold) -> CallServerReply | Failed | str | tuple[str, ...]:
        if isinstance(question, AskServer):
            return self._replies.get(question.server, Failed(Failure.NO_CONNECTION))
        answer = await super().answer(asking, question, hold)
        if isinstance(question, Understand) and isinstance(answer, tuple) and self._said:
            return without_others(answer, meant(question, self._said[0]))
        return answer


def without_others(understood: tuple[str, ...], wanted: tuple[str, ...]) -> tuple[str, ...]:
    """A recogniser may offer names behind those that were said; how many is no promise. Before them is one."""
    return understood[:len(wanted)] if set(understood[:len(wanted)]) == set(wanted) else understood


class ScriptedPins(PublishedTenants):
    """PINs are the scenario's: those of the instance nobody can know beforehand."""

    def __init__(self, home: Path, scene: Scene) -> None:
        super().__init__(home)
        self._given = scene.scenario.given

    def tenant(self, slug: str) -> PublishedTenant:
        return replace(
            super().tenant(slug), mobile_pins=self._given.pins, permission_pins=self._given.outside.pins_by_user())


class Stage(DecisionService):
    """One tenant's decisions: at the scenario's moment, and each told to the player."""

    def __init__(self, published: PublishedTenants, follower: LiveFollower, answers: RedisAnswers, pbx: Pbx, scene: Scene) -> None:
        super().__init__(published, follower.live, answers, ScriptedServers(pbx, scene), pbx.settings.asterisk_home, now=self.clock)
        self._moment = scene.moment
        self._began: float | None = None               # the first decision
        self.decisions: asyncio.Queue[AgiAnswer] = asyncio.Queue()
        self.transfers: asyncio.Queue[list[str]] = asyncio.Queue()      # of each that a phone asks for, the sounds that refuse it
        self.handed_over = asyncio.Event()             # not while a user asks before a transfer: the caller waits
        self.handed_over.set()
        self.sounds = pbx.settings.home / "sounds" / scene.tenant.tenant

    def clock(self) -> datetime:
        return self._moment + timedelta(seconds=time.monotonic() - (self._began or time.monotonic()))

    async def answer(self, query: Query, hold: Hold) -> AgiAnswer:
        self._began = self._began or time.monotonic()
        answer = await super().answer(query, hold)
        self.decisions.put_nowait(answer)
        return answer

    async def transfer(self, query: Query, hold: Hold) -> list[str]:
        commands = await super().transfer(query, hold)
        self.transfers.put_nowait(re.findall(r'SET VARIABLE REFUSAL "(.*)"', "\n".join(commands)))
        return commands
