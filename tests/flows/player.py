"""Plays scenarios live: a real Asterisk, phones by SIPp, callers by baresip, and the decision service with a clock that the
scenario sets and call servers that say what the scenario says they do: what a service answers over HTTP is tested in
tests/live/test_call_server.py. Everything else of that service is the production's own.

The service runs in the test's own process, so the player sees each decision when it is made, and the caller presses a key
when asked for one. Scenarios of one tenant are played one after another, those of different tenants at once.
"""

import asyncio
import re
import time
import wave
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import redis

from agi.call_servers import CallServers
from agi.decision_service import Answer, DecisionService
from agi.fastagi import Application, Hold, Query, start_server
from agi.outside import Asking, Outside
from agi.published import Published, PublishedTenant
from agi.speech import Speech
from agi.step_text import read_state
from agi.understanding import Understanding
from centralka.serve_agi import make_speech
from routing.call import Awaits, Visit
from routing.call_server import Failed, Failure, Reply
from routing.cast import PhoneDoes, Says
from routing.facts import DeviceState
from routing.phrases import Language
from routing.questions import AskServer, SlowQuestion, Understand
from routing.scenario import ANSWERED_SIP, CANCELLED_SIP, Scene, Told
from routing.simulated_answers import meant
from routing.tenant import AddressTrunk, Tenant
from sipp import Answer as Answers
from sipp import Callee, Cast, Ring
from store import live
from store.answers import RedisAnswers
from store.follower import LiveFollower
from store.loads import ENDED
from store.records import Call, Outcome
from store.turns import TURNS
from tests.agents import baresip
from tests.agents.audio import Samples
from tests.agents.voice import spoken
from tests.flows.world import (
    ABSENT_PHONE,
    behaviour,
    carriers,
    device_phones,
    numbers_in,
    put_calendars,
    put_outside,
    put_settings,
    what_is_set,
    where_switches_stand,
)
from tests.live.pbx import Pbx, until

CALLER_ADDRESS = "127.78.{lane}.2"     # of a phone that calls
AT_ONCE = 6                            # tenants: two cores
LIMIT_S = 60.0                         # for one call
BEFORE_KEY_S = 0.4                     # from a decision until its step has begun: a key pressed earlier is lost
BEFORE_HANG_UP_S = 0.6
BEEP_S = 1.2                           # with what it takes to begin; whoever speaks earlier is not heard
MESSAGE_S = 2.5                        # a message that the mailbox keeps: over a second after the beep
QUIET = 300                            # of 32767
ABSENT = (DeviceState.UNAVAILABLE, DeviceState.UNKNOWN)


class ScriptedServers(Outside):
    """What call servers say is the scenario's; what is to be spoken is spoken as ever."""

    def __init__(self, pbx: Pbx, scene: Scene) -> None:
        super().__init__(CallServers(), Speech(make_speech, pbx.settings.home / "said"), Understanding(pbx.settings.home / "heard"))
        self._replies = scene.script().call_servers
        self._said = [action.words for action in scene.scenario.keys if isinstance(action, Says)]

    async def answer(self, asking: Asking, question: SlowQuestion, hold: Hold) -> Reply | Failed | str | tuple[str, ...]:
        if isinstance(question, AskServer):
            return self._replies.get(question.server, Failed(Failure.NO_CONNECTION))
        answer = await super().answer(asking, question, hold)
        if isinstance(question, Understand) and isinstance(answer, tuple) and self._said:
            return without_others(answer, meant(question, self._said[0]))
        return answer


def without_others(understood: tuple[str, ...], wanted: tuple[str, ...]) -> tuple[str, ...]:
    """A recogniser may offer names behind those that were said; how many is no promise. Before them is one."""
    return understood[:len(wanted)] if set(understood[:len(wanted)]) == set(wanted) else understood


class ScriptedPins(Published):
    """PINs are the scenario's: those of the instance nobody can know beforehand."""

    def __init__(self, home: Path, scene: Scene) -> None:
        super().__init__(home)
        self._given = scene.scenario.given

    def tenant(self, slug: str) -> PublishedTenant:
        return replace(
            super().tenant(slug), mobile_pins=self._given.pins, permission_pins=self._given.outside.pins_by_user())


class Stage(DecisionService):
    """One tenant's decisions: at the scenario's moment, and each told to the player."""

    def __init__(self, published: Published, follower: LiveFollower, answers: RedisAnswers, pbx: Pbx, scene: Scene) -> None:
        super().__init__(published, follower.live, answers, ScriptedServers(pbx, scene), pbx.settings.asterisk_home, now=self.clock)
        self._moment = scene.moment
        self._began: float | None = None               # the first decision
        self.decisions: asyncio.Queue[Answer] = asyncio.Queue()
        self.sounds = pbx.settings.home / "sounds" / scene.tenant.tenant

    def clock(self) -> datetime:
        return self._moment + timedelta(seconds=time.monotonic() - (self._began or time.monotonic()))

    async def answer(self, query: Query, hold: Hold) -> Answer:
        self._began = self._began or time.monotonic()
        answer = await super().answer(query, hold)
        self.decisions.put_nowait(answer)
        return answer


class Player:
    def __init__(self, pbx: Pbx, published: Published, follower: LiveFollower, answers: RedisAnswers) -> None:
        self._pbx = pbx
        self._published = published
        self._follower = follower
        self._answers = answers
        self._stages: dict[str, Stage] = {}

    async def step(self, query: Query, hold: Hold) -> list[str]:
        return await self._stages[query.arguments[0]].step(query, hold)

    async def play_all(self, scenes: Sequence[Scene]) -> dict[str, Told | Exception]:
        """What came of each, by tenant and title."""
        results: dict[str, Told | Exception] = {}
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

    async def _play(self, scene: Scene, caller_address: str) -> Told:
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
            self._pbx.cast(limit_s=LIMIT_S) as cast, self._phones(cast, scene), baresip.phone(address, speaks=microphone(scene)) as phone,
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
            steps, hung_up = await follow(phone, stage, scene)
            heard = phone.heard()
            await self._hang_up(f"Local/{slug}-[a-z0-9_-]+@others-[0-9a-f]+;1")
        record = await self._pbx.record(call.caller, slug, since=began)
        hears = self._prompts(slug, steps)
        if hears and (not len(heard) or np.abs(heard).max() < QUIET):
            raise AssertionError(f"Asterisk was told to play {hears}, and the caller heard nothing")
        return Told(
            tuple(Visit(entry.node, entry.why) for entry in record.path), hears, ending(record, steps, hung_up),
            sip_code(phone, hung_up), sum(asks(step, scene.tenant) for step in steps),
            await what_is_set(self._pbx, scene), await where_switches_stand(self._pbx, scene))

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
            if phone.does is PhoneDoes.UNREGISTERED:
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


DEPEND_ON_OTHERS = ("Gosub(conference", "Gosub(queue", "Gosub(call_back", "Gosub(park")     # what of their prompts is played


def asks(step: str, tenant: Tenant) -> bool:
    """Whether a key is awaited."""
    with_keys = tuple(f"Gosub(queue,s,1({tenant.queue_name(name)}," for name, queue in tenant.queues.items() if queue.exit_keys)
    return step.startswith(("Read(DIGITS,", "Gosub(digits,", "Gosub(listen,", *with_keys))


def in_order(step: str) -> str:
    """The step with its sounds as they are heard: those that no key interrupts, the last argument of [digits], come first."""
    before, _, told = step.rpartition(",")
    return f"{told} {before}" if step.startswith("Gosub(digits") else step


def told_s(step: str, sounds: Path) -> float:
    """How long the sounds are that are heard before a key counts, or a word."""
    if step.startswith("Gosub(listen"):
        return BEEP_S + sum(duration_s(sounds / f"{name}.wav") for name in re.findall(r"/sounds/[a-z0-9_-]+/([a-z0-9_-]+)", step))
    if not step.startswith("Gosub(digits"):
        return 0.0
    return length_s(step.rpartition(",")[2], sounds)


def length_s(text: str, sounds: Path) -> float:
    """How long all sounds are that this part of a step names."""
    return sum(duration_s(sounds / f"{name}.wav") for name in re.findall(r"/([a-z0-9_-]+)(?=[&)]|$)", text))


def duration_s(file: Path) -> float:
    with wave.open(str(file)) as sound:
        return sound.getnframes() / sound.getframerate()


REGISTERED = (PhoneDoes.ANSWERS, PhoneDoes.RINGS, PhoneDoes.BUSY, PhoneDoes.DECLINES, PhoneDoes.REDIRECTS)


@asynccontextmanager
async def player(pbx: Pbx) -> AsyncIterator[Player]:
    """In place of the instance's own decision service, which must not run."""
    async with LiveFollower(pbx.settings.redis_url) as follower:
        answers = RedisAnswers(live.connect(pbx.settings.redis_url))
        playing = Player(pbx, Published(pbx.settings.home), follower, answers)
        application = Application(loop=asyncio.get_running_loop())
        application.add_route("step", playing.step)
        await asyncio.to_thread(pbx.runtime.asterisk_cli, "module load res_clioriginate.so")      # only tests use it
        server = await start_server(application, pbx.settings.agi_address, pbx.settings.agi_port)
        try:
            yield playing
        finally:
            server.close()
            await asyncio.wait_for(server.wait_closed(), 5)


def key_of(scene: Scene) -> str:
    return f"{scene.tenant.tenant}: {scene.scenario.title}"


async def follow(phone: baresip.Phone, stage: Stage, scene: Scene) -> tuple[list[str], bool]:
    """The caller does what the scenario says, decision by decision, until the call has ended. Returns the steps that Asterisk was
    told and whether the caller hung up."""
    keys, steps, hung_up = list(scene.scenario.keys), [], False
    closed = asyncio.create_task(phone.until("CALL_CLOSED", unless="", within_s=LIMIT_S))
    try:
        while True:
            decision = asyncio.create_task(stage.decisions.get())
            await asyncio.wait({closed, decision}, return_when=asyncio.FIRST_COMPLETED)
            if not decision.done():
                decision.cancel()
                await closed
                return steps, hung_up
            answer = decision.result()
            steps.append(answer.step)
            state = read_state(answer.state)
            if state is None or state.awaits is Awaits.NOTHING:
                continue
            if state.node == scene.scenario.hangs_up_in and not keys:
                await asyncio.sleep(BEFORE_HANG_UP_S)
                await phone.hang_up()
                hung_up = True
            elif state.awaits in (Awaits.DIGITS, Awaits.PIN, Awaits.QUEUE) and asks(answer.step, scene.tenant) and keys:
                await press(phone, pressed(keys.pop(0)), BEFORE_KEY_S + told_s(answer.step, stage.sounds))
            elif state.awaits is Awaits.SPEECH and keys:
                action = keys.pop(0)
                if isinstance(action, Says):
                    await say(phone, action, scene.tenant.language, told_s(answer.step, stage.sounds))
                else:
                    await press(phone, action, BEFORE_KEY_S)
            elif answer.step.startswith("Gosub(echo"):
                await press(phone, "#", BEFORE_KEY_S + length_s(answer.step, stage.sounds))
            elif state.awaits is Awaits.VOICEMAIL:
                await press(phone, "#", MESSAGE_S)
    finally:
        closed.cancel()
        await asyncio.gather(closed, return_exceptions=True)


async def say(phone: baresip.Phone, action: Says, language: Language, after_s: float) -> None:
    sound = await spoken(action.words, language)
    await until(lambda: is_answered(phone), "the call is answered")
    await asyncio.sleep(after_s)
    await phone.say(sound)


def pressed(action: str | Says) -> str:
    """Whoever is asked for keys and speaks presses nothing."""
    return action if isinstance(action, str) else ""


def microphone(scene: Scene) -> Samples | None:
    """What is heard of a caller who does nothing: silence, if that one is to speak later."""
    speaks = any(isinstance(action, Says) for action in scene.scenario.keys)
    return np.zeros(60 * 8000, dtype=np.int16) if speaks else None


async def press(phone: baresip.Phone, keys: str, after_s: float) -> None:
    """Once the call is answered, since no key is sent before."""
    await until(lambda: is_answered(phone), "the call is answered")
    await asyncio.sleep(after_s)
    if keys:
        await phone.press(keys)


def is_answered(phone: baresip.Phone) -> bool:
    return any(event.kind == "CALL_ESTABLISHED" for event in phone.events)


def sip_code(phone: baresip.Phone, hung_up: bool) -> int | None:
    if is_answered(phone):
        return ANSWERED_SIP
    closed = next(event for event in phone.events if event.kind == "CALL_CLOSED")
    code = re.match(r"([3-6][0-9]{2}) ", closed.detail)
    return int(code[1]) if code else CANCELLED_SIP if hung_up else None


def ending(record: Call, steps: Sequence[str], hung_up: bool) -> str:
    match record.outcome:
        case Outcome.ANSWERED:
            numbers = numbers_in(steps)
            return f"answered by {numbers[-1] if numbers and '-trunk-' in str(record.answered_by) else record.answered_by}"
        case Outcome.VOICEMAIL:
            return f"message for {mailbox(steps, 'VoiceMail')}"
        case Outcome.MAILBOX:
            return f"mailbox of {mailbox(steps, 'VoiceMailMain')}"
        case Outcome.CONFERENCE:
            return f"in conference {record.path[-1].node}"
        case Outcome.UNANSWERED:
            back = re.search(r"Gosub\(call_back,s,1\((?:[^,]*,){3}(\+[0-9]+),", " ".join(steps))
            if back:
                return f"to be called back at {back[1]}"
            return "caller hangs up" if hung_up else "failover" if steps and "-failover" in steps[-1] else "refused"
        case Outcome.INTERRUPTED:
            return "Asterisk stopped"


def mailbox(steps: Sequence[str], application: str) -> str:
    """The mailbox of the last such step."""
    return next(found[1] for step in reversed(steps) if (found := re.match(rf"{application}\(([0-9]+)@", step)))
