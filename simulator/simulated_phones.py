"""Simulated phones and agents: their answers to a call. Pure."""

from dataclasses import dataclass

from routing.call.facts import DeviceState, Facts
from routing.call.state import DialEnded, DialStatus, QueueEnd, QueueLeft
from routing.call.step import Cause, Queue
from routing.numbering.endpoint import device_of
from simulator.script import Script

RINGING = (DeviceState.IDLE, DeviceState.IN_USE, DeviceState.RINGING)
ABSENT = (DeviceState.UNAVAILABLE, DeviceState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Rung:
    """A phone, `name` of `owner`, or an external number. It begins to ring `after_s` seconds later than the first."""

    name: str
    owner: str
    state: DeviceState
    after_s: int = 0
    confirms: bool = False

    def is_among(self, named: frozenset[str]) -> bool:
        """True if the set names it, or its owner with all devices."""
        return self.name in named or self.owner in named

    def answered_after_s(self, script: Script) -> int:
        """Ringing time before it is answered."""
        return script.answer_after_s.get(self.name, script.answer_after_s.get(self.owner, 0))

    def takes_calls(self, script: Script) -> bool:
        """Somebody answers sooner or later, and confirms if required."""
        return not self.is_among(script.silent) and not (self.confirms and self.owner in script.keyless)


def phone(facts: Facts, endpoint: str, after_s: int) -> Rung:
    device = device_of(endpoint)
    return Rung(str(device), device.extension, facts.state_of(endpoint), after_s)


def able(script: Script, rung: list[Rung]) -> tuple[str, ...]:
    """Users and numbers that could have answered, each once."""
    return tuple(dict.fromkeys(each.owner for each in rung if each.state in RINGING and each.takes_calls(script)))


def dial(script: Script, rung: list[Rung], ring_s: int) -> tuple[DialEnded, str]:
    """The result of a Dial: the quickest phone that is free and not silent answers; and its owner. One that declines counts
    for Asterisk as unreachable: Dial() has no status for the cause of 603."""
    there = [each for each in rung if each.state not in ABSENT and not each.is_among(script.declining)]
    ringing = [each for each in there if each.state in RINGING and not each.is_among(script.refusing)]
    answers = [
        (each.after_s + each.answered_after_s(script), each.owner) for each in ringing if each.takes_calls(script)]
    quickest_s, quickest = min(answers, key=lambda answer: answer[0], default=(ring_s, ""))
    if quickest_s < ring_s:
        return DialEnded(DialStatus.ANSWER), quickest
    if not there:
        return DialEnded(DialStatus.UNAVAILABLE, _cause(script, rung)), ""
    return DialEnded(DialStatus.NOANSWER if ringing else DialStatus.BUSY), ""


def _cause(script: Script, rung: list[Rung]) -> int:
    """The cause when none is reachable: the trunk fails, or else the last of them declines or is not registered."""
    if not rung:
        return Cause.CONGESTION
    return Cause.REFUSED if rung[-1].owner in script.declining else Cause.UNKNOWN_NUMBER


def wait(script: Script, facts: Facts, waits: Queue, key: str) -> tuple[QueueLeft | None, str, tuple[str, ...]]:
    """The caller's way out of the line, None for an endless wait; the agent who answered, and all who could have. Of
    the free agents the quickest answers, and nobody is ahead of the caller."""
    if waits.max_waiting and script.waiting.get(waits.queue, 0) >= waits.max_waiting:
        return QueueLeft(QueueEnd.FULL), "", ()
    free: dict[str, int] = {}
    for agent in waits.agents:
        pairs = zip(agent.endpoints, agent.delays_s or [0] * len(agent.endpoints), strict=True)
        phones = [phone(facts, endpoint, agent.after_s + after_s) for endpoint, after_s in pairs]
        answers = [
            each.after_s + each.answered_after_s(script) for each in phones
            if each.state in (DeviceState.IDLE, DeviceState.UNKNOWN)
            and not each.is_among(script.silent | script.refusing | script.declining)]
        if answers:
            free[agent.extension] = min(answers)
    if key and key in waits.keys:
        return QueueLeft(QueueEnd.KEY, key, max(waits.place, script.waiting.get(waits.queue, 0) + 1)), "", ()
    first = min(free, key=lambda agent: free[agent], default="")
    if first and (not waits.max_wait_s or free[first] < waits.max_wait_s):
        return QueueLeft(QueueEnd.ANSWERED), first, tuple(free)
    return QueueLeft(QueueEnd.TIMEOUT) if waits.max_wait_s else None, "", ()
