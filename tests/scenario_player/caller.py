"""The caller of a scenario that is played live: presses keys when asked for them, speaks, hangs up."""

import asyncio
from collections.abc import Coroutine

import numpy as np

from agi.channel_text import read_state
from routing.call.state import Awaits
from routing.speech.phrases import Language
from simulator.scenario_grammar import Says
from simulator.scenario_run import Scene
from tests.agents import baresip
from tests.agents.audio import Samples
from tests.agents.voice import spoken
from tests.live.pbx import until
from tests.scenario_player.seen import asks, is_answered, length_s, told_s
from tests.scenario_player.stage import Stage

BEFORE_KEY_S = 0.4                     # from a decision until its step has begun: a key pressed earlier is lost
BEFORE_WORDS_S = 0.8                   # after the beep, as people do: what is said before the recording begins is lost
BEFORE_HANG_UP_S = 0.6
MESSAGE_S = 2.5                        # a message that the mailbox keeps: over a second after the beep


async def follow(
    phone: baresip.Phone, stage: Stage, scene: Scene, over: Coroutine[object, object, object],
) -> tuple[list[str], bool]:
    """The caller does what the scenario says, decision by decision, until the call is over. Returns the steps that Asterisk was
    told and whether the caller hung up."""
    keys, steps, hung_up = list(scene.scenario.keys), [], False
    closed = asyncio.create_task(over)
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
            await stage.handed_over.wait()
            if state.node == scene.scenario.hangs_up_in and not keys:
                await asyncio.sleep(BEFORE_HANG_UP_S)
                await phone.hang_up()
                hung_up = True
            elif state.awaits in (Awaits.DIGITS, Awaits.PIN, Awaits.QUEUE) and asks(answer.step, scene.tenant) and keys:
                await press(phone, pressed(keys.pop(0)), BEFORE_KEY_S + told_s(answer.step, stage.sounds))
            elif state.awaits is Awaits.SPEECH and keys:
                action = keys.pop(0)
                if isinstance(action, Says):
                    await say(phone, action, scene.tenant.language, BEFORE_WORDS_S + told_s(answer.step, stage.sounds))
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
