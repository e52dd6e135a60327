"""What is seen of a scenario that is played live, in a scenario's words: the steps that Asterisk was told, the SIP code, the end."""

import re
import wave
from collections.abc import Sequence
from pathlib import Path

from routing.tenant.tenant import Tenant
from simulator.scenario_run import ANSWERED_SIP, CANCELLED_SIP
from store.records import CallRecord, Outcome
from tests.agents import baresip
from tests.scenario_player.world import numbers_in

BEEP_S = 1.2                           # with what it takes to begin; whoever speaks earlier is not heard
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


def is_answered(phone: baresip.Phone) -> bool:
    return any(event.kind == "CALL_ESTABLISHED" for event in phone.events)


def sip_code(phone: baresip.Phone, hung_up: bool) -> int | None:
    if is_answered(phone):
        return ANSWERED_SIP
    closed = next(event for event in phone.events if event.kind == "CALL_CLOSED")
    code = re.match(r"([3-6][0-9]{2}) ", closed.detail)
    return int(code[1]) if code else CANCELLED_SIP if hung_up else None


def ending(record: CallRecord, steps: Sequence[str], hung_up: bool) -> str:
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
