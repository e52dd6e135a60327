"""What would happen to a call: the engine that decides live calls, played against a script. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from routing.call import (
    CheckVoicemail,
    Decision,
    Dial,
    DialEnded,
    DialStatus,
    Digits,
    Event,
    Failover,
    Hangup,
    Origin,
    Play,
    Played,
    Read,
    Started,
    State,
    Visit,
    Voicemail,
    VoicemailEnded,
)
from routing.callers import caller_number
from routing.engine import next_step
from routing.facts import DeviceState, Facts, Personal
from routing.numbers import dialled_number
from routing.questions import Answers, Flip, Question, Turn, Unanswered
from routing.tenant import Tenant

MAX_STEPS = 500      # far above what the engine's own limit lets through


@dataclass(frozen=True, slots=True)
class Script:
    """The outside world. `keys` are what the caller presses, one entry a question, '' for nothing;
    `states` are by extension (all devices of the user); `silent` lists the extensions that ring and do not answer.
    `answers` are those to questions; a turn that is not among them is the first."""

    origin: Origin
    dialled: str
    moment: datetime
    caller_extension: str = ""
    keys: tuple[str, ...] = ()
    states: Mapping[str, DeviceState] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()
    caller: str = ""
    chance: float = 0.0
    switches: Mapping[str, str] = field(default_factory=dict)
    personal: Mapping[str, Personal] = field(default_factory=dict)
    answers: Answers = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Simulation:
    """The path with its reasons, and where the call ended: 'answered 201', 'voicemail 201', 'hung up: NORMAL', 'failover'."""

    path: tuple[Visit, ...]
    outcome: str


def simulate(tenant: Tenant, script: Script) -> Simulation:
    devices = {
        endpoint: script.states.get(extension, DeviceState.IDLE)
        for extension in tenant.users for endpoint in tenant.endpoints_of(extension)
    }
    owners = {endpoint: extension for extension in tenant.users for endpoint in tenant.endpoints_of(extension)}
    dialled = dialled_number(script.dialled, tenant.country, tenant.numbers)
    facts = Facts(
        script.moment, script.caller_extension, caller_number(script.caller, tenant.country), dialled, script.chance, devices,
        script.switches, script.personal)
    event: Event = Started(script.origin, script.dialled, script.caller_extension)
    state: State | None = None
    path: tuple[Visit, ...] = ()
    outcome, keys = "", list(script.keys)
    for _ in range(MAX_STEPS):
        decision = _decide(tenant, facts, script.answers, state, event)
        state, path = decision.state, (*path, *decision.path)
        match decision.step:
            case Hangup(cause=cause):
                return Simulation(path, outcome or f"hung up: {cause.name}")
            case Failover():
                return Simulation(path, "failover")
            case Read(max_digits=most):
                event = Digits(keys.pop(0)[:most] if keys else "")
            case Play():
                event = Played()
            case Voicemail(mailbox=mailbox):
                event, outcome = VoicemailEnded(), f"voicemail {mailbox}"
            case CheckVoicemail(mailbox=mailbox):
                event, outcome = VoicemailEnded(), f"listened to mailbox {mailbox}"
            case Dial(endpoints=endpoints):
                event, answered_by = _dial(script, facts, owners, endpoints)
                outcome = f"answered {answered_by}" if answered_by else ""
    raise AssertionError(f"the engine asked for more than {MAX_STEPS} steps")


def _decide(tenant: Tenant, facts: Facts, known: Answers, state: State | None, event: Event) -> Decision:
    answers: dict[Question, int] = {}
    while True:
        try:
            return next_step(tenant, replace(facts, answers=answers), state, event)
        except Unanswered as unanswered:
            answers[unanswered.question] = known.get(unanswered.question, _usual(facts, unanswered.question))


def _usual(facts: Facts, question: Question) -> int:
    match question:
        case Turn():
            return 0
        case Flip(switch=switch):
            return question.after(facts.switches.get(switch))


def _dial(
    script: Script, facts: Facts, owners: Mapping[str, str], endpoints: tuple[str, ...],
) -> tuple[DialEnded, str]:
    """How the phones answer: the first free one that is not silent; and who it was."""
    states = [facts.state_of(endpoint) for endpoint in endpoints]
    for endpoint, state in zip(endpoints, states, strict=True):
        if state in (DeviceState.IDLE, DeviceState.IN_USE, DeviceState.RINGING) and owners[endpoint] not in script.silent:
            return DialEnded(DialStatus.ANSWER), owners[endpoint]
    if all(state in (DeviceState.UNAVAILABLE, DeviceState.UNKNOWN) for state in states):
        return DialEnded(DialStatus.UNAVAILABLE), ""
    if any(state in (DeviceState.IDLE, DeviceState.IN_USE, DeviceState.RINGING) for state in states):
        return DialEnded(DialStatus.NOANSWER), ""
    return DialEnded(DialStatus.BUSY), ""
