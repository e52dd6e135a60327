"""Plays scenarios live: a real Asterisk, phones by SIPp, callers by baresip, and the decision service with a clock that the
scenario sets and call servers that say what the scenario says they do: what a service answers over HTTP is tested in
tests/live/test_call_server.py. Everything else of that service is the production's own.

The service runs in the test's own process, so the player sees each decision when it is made, and the caller presses a key
when asked for one. Scenarios of one tenant are played one after another, those of different tenants at once.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import numpy as np
import redis

from agi.fastagi import Application, Hold, Query, start_server
from routing.call.facts import DeviceState
from routing.call.state import Visit
from routing.platform.trunks import AddressTrunk
from services.published_tenants import PublishedTenants
from simulator.scenario_grammar import PhoneDoes
from simulator.scenario_run import ScenarioResult, Scene, path_in_any_order
from sipp import Answer as Answers
from sipp import Callee, Cast, Ring
from store import live
from store.answers import RedisAnswers
from store.follower import LiveFollower
from store.pins import LOCKED_S, MAX_ROOM_TRIES, room_key
from store.turns import TURNS
from store.user_calls import ENDED
from tests.agents import baresip
from tests.live.pbx import Pbx, until
from tests.scenario_player.caller import follow, microphone
from tests.scenario_player.seen import DEPEND_ON_OTHERS, asks, ending, in_order, sip_code
from tests.scenario_player.stage import ScriptedPins, Stage
from tests.scenario_player.talk import Talk, talkers_of
from tests.scenario_player.world import (
    ABSENT_PHONE,
    behaviour,
    carriers,
    device_phones,
    put_calendars,
    put_outside,
    put_settings,
    what_is_set,
    where_switches_stand,
)

CALLER_ADDRESS = "127.78.{lane}.2"     # of a phone that calls
AT_ONCE = 4                            # tenants: two cores, and other modules of tests beside
LIMIT_S = 60.0                         # for one call
QUIET = 300                            # of 32767
ABSENT = (DeviceState.UNAVAILABLE, DeviceState.UNKNOWN)


class Player:
    def __init__(self, pbx: Pbx, published: PublishedTenants, follower: LiveFollower, answers: RedisAnswers) -> None:
        self._pbx = pbx
        self._published = published
        self._follower = follower
        self._answers = answers
        self._stages: dict[str, Stage] = {}

    async def step(self, query: Query, hold: Hold) -> list[str]:
        return await self._stages[query.argument("tenant")].step(query, hold)

    async def transfer(self, query: Query, hold: Hold) -> list[str]:
        return await self._stages[query.argument("tenant")].transfer(query, hold)

    async def play_all(self, scenes: Sequence[Scene]) -> dict[str, ScenarioResult | Exception]:
        """What came of each, by tenant and title."""
        results: dict[str, ScenarioResult | Exception] = {}
        lanes: dict[str, list[Scene]] = {}
        for scene in scenes:
            lanes.setdefault(scene.tenant.tenant, []).append(scene)
        free = asyncio.Semaphore(AT_ONCE)

        async def play_lane(lane: int, slug: str) -> None:
            async with free:
                for scene in lanes[slug]:
                    try:
                        results[key_of(scene)] = await self._play(scene, CALLER_ADDRESS.format(lane=lane))
                    except Exception as error:
                        results[key_of(scene)] = error

        async with asyncio.TaskGroup() as tasks:
            for lane, slug in enumerate(lanes):
                tasks.create_task(play_lane(100 + lane, slug))
        return results

    async def _play(self, scene: Scene, caller_address: str) -> ScenarioResult:
        slug, call = scene.tenant.tenant, scene.scenario.call
        published = ScriptedPins(self._pbx.settings.home, scene)
        stage = self._stages[slug] = Stage(published, self._follower, self._answers, self._pbx, scene)
        self._arrange(scene)
        await put_settings(self._pbx, self._follower, scene)
        await put_calendars(self._pbx, scene)
        from_phone = call.caller in scene.tenant.users
        trunk = next(trunk.address for trunk in scene.tenant.trunks.values() if isinstance(trunk, AddressTrunk))
        address = caller_address if from_phone else trunk
        async with (
            self._pbx.cast(limit_s=LIMIT_S) as cast, self._phones(cast, scene), talkers_of(self._pbx, scene) as talkers,
            baresip.phone(address, speaks=microphone(scene)) as phone,
        ):
            await carriers(self._pbx, cast, scene)
            if from_phone:
                endpoint = scene.tenant.endpoints_of(call.caller)[0]
                await phone.register(endpoint, self._pbx.secrets.sip[endpoint], self._pbx.server)
            else:
                await phone.use(call.caller, self._pbx.server)
            await self._until_known(scene, call.caller if from_phone else "")
            await self._bring_others(scene)
            began = datetime.now(UTC)
            await phone.dial(call.to.replace("#", "%23"), self._pbx.server)
            talk = Talk(self._pbx, stage, scene, {**talkers, call.caller: phone}) if scene.scenario.talk else None
            over = talk.play() if talk else phone.until("CALL_CLOSED", unless="", within_s=LIMIT_S)
            steps, hung_up = await follow(phone, stage, scene, over)
            heard = phone.heard()
            await self._hang_up(f"Local/{slug}-[a-z0-9_-]+@others-[0-9a-f]+;1")
        record = await self._pbx.record(call.caller, slug, since=began)
        steps += talk.refusals if talk else []
        hears = self._prompts(slug, steps)
        if hears and (not len(heard) or np.abs(heard).max() < QUIET):
            raise AssertionError(f"Asterisk was told to play {hears}, and the caller heard nothing")
        return ScenarioResult(
            path_in_any_order(scene, (Visit(entry.node, entry.why) for entry in record.path)), hears,
            talk.ending(steps) if talk else ending(record, steps, hung_up), sip_code(phone, hung_up), sum(asks(step, scene.tenant) for step in steps),
            await what_is_set(self._pbx, scene), await where_switches_stand(self._pbx, scene), talk.done if talk else 0)

    def _arrange(self, scene: Scene) -> None:
        """What the scenario says is given, on the real system."""
        given = scene.scenario.given
        with redis.Redis.from_url(self._pbx.settings.redis_url) as client:
            slug = scene.tenant.tenant
            for group in scene.tenant.groups:
                client.hset(TURNS, f"{slug}/{group}", str(given.turns.get(group, 0)))
            # Nobody has talked today, and nobody is offered a call.
            for kind in (f"loads:{slug}:", f"counted:{slug}:", f"offers:{slug}/", f"pins:{slug}/"):
                for key in client.scan_iter(f"centralka:{kind}*"):
                    client.delete(key)
            for room in given.guessed_rooms:
                for inside in (True, False):
                    client.set(room_key(slug, room, inside=inside), MAX_ROOM_TRIES, ex=LOCKED_S)
            put_outside(client, scene)
            client.hdel(ENDED, *(f"{slug}/{extension}" for extension in scene.tenant.users))

    async def _bring_others(self, scene: Scene) -> None:
        """Those who are in a room, which they have locked, or wait in a line."""
        for room in scene.scenario.given.closed_rooms:
            name = f"{scene.tenant.tenant}-{room}"
            await self._bring(name, f"ConfBridge({name})", 1, f"confbridge lock {name}", f"{name} is locked")
        for queue, callers in scene.scenario.given.waiting.items():
            name = scene.tenant.queue_name(queue)
            await self._bring(name, f"Queue({name},r)", callers, f"queue show {name}", f"has {callers} calls")

    async def _bring(self, name: str, application: str, many: int, question: str, answer: str) -> None:
        async def ask(command: str) -> str:
            return await asyncio.to_thread(self._pbx.runtime.asterisk_cli, command)

        async def are_there() -> bool:
            return answer in await ask(question)

        await ask(f"dialplan add extension {name},1,{application} into others replace")
        for _ in range(many):
            await ask(f"channel originate Local/{name}@others/n application Wait {LIMIT_S:.0f}")
        await until(are_there, f"{question!r} says {answer!r}")

    @asynccontextmanager
    async def _phones(self, cast: Cast, scene: Scene) -> AsyncIterator[None]:
        """The phones of the scenario, registered; those in a call are in one until the end."""
        talking: list[str] = []
        for endpoint, phone in device_phones(scene).items():
            if phone.does is PhoneDoes.UNREGISTERED or (scene.scenario.talk and phone.does is PhoneDoes.ANSWERS):
                continue
            if phone.does is PhoneDoes.IN_A_CALL:
                await self._pbx.phone(cast, endpoint, Callee(then=Answers()))
                await asyncio.to_thread(
                    self._pbx.runtime.asterisk_cli, f"channel originate PJSIP/{endpoint} application Wait {LIMIT_S:.0f}")
                await self._pbx.until_state(endpoint, DeviceState.IN_USE)
                talking.append(endpoint)
                # From now on the phone is elsewhere, for its next call.
                await cast.callee(
                    Callee(then=Ring()), at=self._pbx.new_address(), account=self._pbx.account(endpoint), calls=None)
                continue
            await self._pbx.phone(cast, endpoint, Callee(then=behaviour(phone)), calls=None)
        yield
        for endpoint in talking:
            await self._hang_up(f"PJSIP/{endpoint}-[0-9a-f]+")

    async def _hang_up(self, channels: str) -> None:
        """All channels of such a name."""
        listed = await asyncio.to_thread(self._pbx.runtime.asterisk_cli, "core show channels concise")
        for channel in re.findall(rf"^({channels})!", listed, re.M):
            await asyncio.to_thread(self._pbx.runtime.asterisk_cli, f"channel request hangup {channel}")

    async def _until_known(self, scene: Scene, caller: str) -> None:
        """Until the decision service knows who is registered and who is in a call: no other phone, of the scenario before,
        is still there."""
        phones = device_phones(scene)
        for extension in scene.tenant.users:
            for i, endpoint in enumerate(scene.tenant.endpoints_of(extension)):
                does = phones.get(endpoint, ABSENT_PHONE).does
                expected = (DeviceState.IDLE,) if (extension == caller and i == 0) or does in REGISTERED else ABSENT
                if does is PhoneDoes.IN_A_CALL:
                    expected = (DeviceState.IN_USE,)
                await until(
                    lambda endpoint=endpoint, expected=expected:      # type: ignore[misc]
                    self._follower.live.devices.get(endpoint, DeviceState.UNKNOWN) in expected,
                    f"{endpoint} is {' or '.join(expected)}")

    def _prompts(self, slug: str, steps: Sequence[str]) -> tuple[str, ...]:
        """The prompts that Asterisk was told to play."""
        sounds = {sound: prompt for prompt, sound in self._published.tenant(slug).sounds.items()}
        if len(sounds) != len(self._published.tenant(slug).sounds):
            raise AssertionError(f"{slug}: two prompts have the same sound, expected a text of its own for each")
        played = [step for step in steps if not step.startswith(DEPEND_ON_OTHERS)]
        return tuple(sounds[name] for step in played for name in re.findall(rf"/sounds/{slug}/([a-z0-9_-]+)", in_order(step)))


REGISTERED = (PhoneDoes.ANSWERS, PhoneDoes.RINGS, PhoneDoes.BUSY, PhoneDoes.DECLINES, PhoneDoes.REDIRECTS)


@asynccontextmanager
async def player(pbx: Pbx) -> AsyncIterator[Player]:
    """In place of the instance's own decision service, which must not run."""
    async with LiveFollower(pbx.settings.redis_url) as follower:
        answers = RedisAnswers(live.connect(pbx.settings.redis_url))
        playing = Player(pbx, PublishedTenants(pbx.settings.home), follower, answers)
        application = Application(loop=asyncio.get_running_loop())
        application.add_route("step", playing.step)
        application.add_route("transfer", playing.transfer)
        await asyncio.to_thread(pbx.runtime.asterisk_cli, "module load res_clioriginate.so")      # only tests use it
        server = await start_server(application, pbx.settings.agi_address, pbx.settings.agi_port)
        try:
            yield playing
        finally:
            server.close()
            await asyncio.wait_for(server.wait_closed(), 5)


def key_of(scene: Scene) -> str:
    return f"{scene.tenant.tenant}: {scene.scenario.title}"
