"""What would happen to a call: the engine that decides live calls, played against a script. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from routing.admission import NOTHING_USED, Usage
from routing.calendars import Fetched
from routing.call import (
    Awaits,
    CallAs,
    CallBack,
    Cause,
    CheckVoicemail,
    Conference,
    ConferenceLeft,
    Decision,
    Dial,
    DialEnded,
    DialStatus,
    Digits,
    Echo,
    Entered,
    Event,
    Failover,
    Hangup,
    Listen,
    Move,
    Origin,
    Park,
    Parked,
    ParkEnded,
    PickUp,
    Play,
    Played,
    Queue,
    QueueEnd,
    QueueLeft,
    Read,
    Say,
    SetCall,
    Spoken,
    Started,
    State,
    Step,
    Unpark,
    Visit,
    Voicemail,
    VoicemailEnded,
)
from routing.call_server import Failed, Reply
from routing.callers import caller_number
from routing.cast import Says
from routing.engine import next_step
from routing.facts import DeviceState, Facts, Personal
from routing.hunting import Load
from routing.keying import entered
from routing.numbers import dialled_number
from routing.questions import Answer, Answers, Question, Unanswered
from routing.simulated_answers import Asked
from routing.tenant import Tenant, trunk_endpoint_name

RINGING = (DeviceState.IDLE, DeviceState.IN_USE, DeviceState.RINGING)
ABSENT = (DeviceState.UNAVAILABLE, DeviceState.UNKNOWN)
MAX_STEPS = 500      # far above what the engine's own limit lets through


@dataclass(frozen=True, slots=True)
class Script:
    """The outside world. `keys` are what the caller presses or says, one entry a question, '' for nothing;
    `states` are by extension (all devices of the user), by device ('201-dect') where one is unlike the others, or by number
    outside, which is idle unless they say otherwise, and so is all that tells how a phone behaves. `silent`
    lists the extensions and numbers that ring and do not answer. `answers` are those to questions; a turn that is not among
    them is 0. `call_servers` says what each call server answers; one that is not among them is away. The extensions in
    `refusing` are idle and say busy when they are called, those in `declining` refuse otherwise; the numbers in `keyless`
    answer and press no key. `answer_after_s` is how long a
    phone rings before it is answered, else 0. `hangs_up_in` is where the caller gives up, having pressed all keys: the first
    wait at this node."""

    origin: Origin
    dialled: str
    moment: datetime
    caller_extension: str = ""
    keys: tuple[str | Says, ...] = ()
    states: Mapping[str, DeviceState] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()
    caller: str = ""
    chance: float = 0.0
    switches: Mapping[str, str] = field(default_factory=dict)
    personal: Mapping[str, Personal] = field(default_factory=dict)
    answers: Answers = field(default_factory=dict)
    refusing: frozenset[str] = frozenset()
    answer_after_s: Mapping[str, int] = field(default_factory=dict)
    hangs_up_in: str = ""
    call_servers: Mapping[str, Reply | Failed] = field(default_factory=dict)
    calendars: Mapping[str, Fetched] = field(default_factory=dict)
    waiting: Mapping[str, int] = field(default_factory=dict)      # by queue: callers in its line
    closed_rooms: frozenset[str] = frozenset()                    # conference rooms that are full or locked
    declining: frozenset[str] = frozenset()
    keyless: frozenset[str] = frozenset()
    loads: Mapping[str, Load] = field(default_factory=dict)       # by extension: today's conversations
    last_callers: Mapping[str, str] = field(default_factory=dict)      # by extension: the number, as it was shown
    failing_trunks: frozenset[str] = frozenset()                  # that carry no call, by their names
    pins: Mapping[str, str] = field(default_factory=dict)         # by extension, to dial from the mobile; else any is right
    usage: Usage = NOTHING_USED                                   # calls with the outside before this one
    countries: frozenset[str] = frozenset()                       # foreign ones that somebody has confirmed
    permission_pins: Mapping[str, str] = field(default_factory=dict)      # by extension, and '' for all others


    def permission_pin(self, extension: str) -> str:
        return self.permission_pins.get(extension, self.permission_pins.get("", ""))

    def is_among(self, phone: "_Rung", named: frozenset[str]) -> bool:
        """Whether it, or its owner with all devices, is one of these."""
        return phone.name in named or phone.owner in named

    def after_s(self, phone: "_Rung") -> int:
        """How long it rings before it is answered."""
        return self.answer_after_s.get(phone.name, self.answer_after_s.get(phone.owner, 0))


@dataclass(frozen=True, slots=True)
class Simulation:
    """The path with its reasons, and where the call ended: 'answered 201', 'voicemail 201', 'hung up: NORMAL', 'failover',
    'caller hung up'. `steps` are what the phone system was asked for, `asked` the nodes that asked for keys, in their order;
    `rang` the users of whom any could have answered at the end. `changed` is what users have set afterwards, of those for whom
    a code changed it, and `moved` where the switches stand that were moved."""

    path: tuple[Visit, ...]
    outcome: str
    steps: tuple[Step, ...] = ()
    asked: tuple[str, ...] = ()
    rang: tuple[str, ...] = ()
    changed: Mapping[str, Personal] = field(default_factory=dict)
    moved: Mapping[str, str] = field(default_factory=dict)


def simulate(tenant: Tenant, script: Script) -> Simulation:
    """What would happen, and what would be set afterwards."""
    asked = Asked(script)
    return replace(_played(tenant, script, asked), changed=asked.changed, moved=asked.moved)


def _played(tenant: Tenant, script: Script, questions: Asked) -> Simulation:
    devices = {
        endpoint: script.states.get(device_of(endpoint), script.states.get(extension, DeviceState.IDLE))
        for extension in tenant.users for endpoint in tenant.endpoints_of(extension)
    }
    dialled = dialled_number(script.dialled, tenant.country, tenant.numbers)
    facts = Facts(
        script.moment, script.caller_extension, caller_number(script.caller, tenant.country), dialled, script.chance, devices,
        script.switches, script.personal, script.calendars)
    event: Event = Started(script.origin, script.dialled, script.caller_extension)
    state: State | None = None
    path: tuple[Visit, ...] = ()
    steps: tuple[Step, ...] = ()
    outcome, keys = "", list(script.keys)
    asked: tuple[str, ...] = ()
    rang: tuple[str, ...] = ()
    for _ in range(MAX_STEPS):
        decision = _decide(tenant, facts, questions, state, event)
        state, path = decision.state, (*path, *decision.path)
        steps = (*steps, decision.step)
        match decision.step:
            case Hangup(cause=cause):
                return Simulation(path, outcome or f"hung up: {cause.name}", steps, asked, rang)
            case Failover():
                return Simulation(path, "failover", steps, asked)
            case CallBack(outside=leg):
                event, outcome = Played(), f"called back {leg.number}"
            case Conference(room=room, moderator=moderator) if moderator or room not in script.closed_rooms:
                event, outcome = ConferenceLeft(), f"in conference {room}"
                if script.hangs_up_in == state.node and not keys:
                    return Simulation(path, outcome, steps, asked, rang)
            case Conference():
                event = ConferenceLeft(refused=True)
            case _ if script.hangs_up_in == state.node and not keys:
                return Simulation(path, outcome or "caller hung up", steps, asked, rang)
            case Read(max_digits=most, longer=longer):
                pressed = _pressed(keys)
                event = Digits(entered(pressed, longer) if longer else pressed[:most])
                facts = replace(facts, keys="" if state.awaits is Awaits.PIN else event.keys)
                asked = (*asked, state.node)
            case Listen(max_digits=most):
                questions.said = keys[0].words if keys and isinstance(keys[0], Says) else ""
                event = Spoken(_pressed(keys)[:most])
                facts = replace(facts, keys=event.keys)
                asked = (*asked, state.node)
            case Play() | Echo() | Say() | Move() | PickUp() | Unpark():
                event = Played()
            case Park(limit_s=limit_s):
                event = ParkEnded(Parked.BACK)
                facts = replace(facts, moment=facts.moment + timedelta(seconds=limit_s))
            case SetCall():
                event = Entered()
            case CallAs(extension=extension, number=number):
                facts = replace(
                    facts, caller_extension=extension, caller=extension, keys="",
                    dialled=dialled_number(number, tenant.country, tenant.numbers))
                event, state = Started(Origin.PHONE, number, extension), None
                continue
            case Voicemail(mailbox=mailbox):
                event, outcome = VoicemailEnded(), f"voicemail {mailbox}"
            case CheckVoicemail(mailbox=mailbox):
                event, outcome = VoicemailEnded(), f"listened to mailbox {mailbox}"
            case Queue(max_wait_s=limit_s) as waits:
                key = _pressed(keys) if waits.keys else ""
                left, answered_by, rang = _wait(script, facts, waits, key)
                asked = (*asked, state.node) if waits.keys else asked
                if left is None:
                    return Simulation(path, "caller hung up", steps, asked, rang)
                event, outcome = left, f"answered {answered_by}" if answered_by else ""
                if left.end is QueueEnd.TIMEOUT:
                    facts = replace(facts, moment=facts.moment + timedelta(seconds=limit_s))
            case Dial(endpoints=endpoints, outside=outside, ring_s=ring_s, delays_s=delays_s):
                pairs = zip(endpoints, delays_s or [0] * len(endpoints), strict=True)
                rung = [_phone(facts, endpoint, after_s) for endpoint, after_s in pairs]
                far = script.states
                failing = {trunk_endpoint_name(tenant.tenant, name) for name in script.failing_trunks}
                rung += [
                    _Rung(leg.number, leg.number, far.get(leg.number, DeviceState.IDLE), leg.after_s, leg.confirm)
                    for leg in outside if leg.trunk not in failing]
                event, answered_by = _dial(script, rung, ring_s)
                outcome = f"answered {answered_by}" if answered_by else ""
                rang = _able(script, rung) if answered_by else ()
                if event.status is DialStatus.NOANSWER:
                    facts = replace(facts, moment=facts.moment + timedelta(seconds=ring_s))
        if state.awaits is Awaits.ENTERED:
            event = Entered()
    raise AssertionError(f"the engine asked for more than {MAX_STEPS} steps")


def _pressed(actions: list[str | Says]) -> str:
    """The keys of the caller's next action."""
    action = actions.pop(0) if actions else ""
    return action if isinstance(action, str) else ""


def _decide(tenant: Tenant, facts: Facts, questions: Asked, state: State | None, event: Event) -> Decision:
    answers: dict[Question, Answer] = {}
    questions.decides()
    while True:
        try:
            return next_step(tenant, replace(facts, answers=answers), state, event)
        except Unanswered as unanswered:
            answers[unanswered.question] = questions.answer(unanswered.question)


def _wait(script: Script, facts: Facts, waits: Queue, key: str) -> tuple[QueueLeft | None, str, tuple[str, ...]]:
    """How a caller leaves the line, None for one who waits without end; the agent who answered, and all who could have. Of
    those who are free the quickest answers, and nobody stands before the caller."""
    if waits.max_waiting and script.waiting.get(waits.queue, 0) >= waits.max_waiting:
        return QueueLeft(QueueEnd.FULL), "", ()
    free: dict[str, int] = {}
    for agent in waits.agents:
        pairs = zip(agent.endpoints, agent.delays_s or [0] * len(agent.endpoints), strict=True)
        phones = [_phone(facts, endpoint, agent.after_s + after_s) for endpoint, after_s in pairs]
        answers = [
            each.after_s + script.after_s(each) for each in phones
            if each.state in (DeviceState.IDLE, DeviceState.UNKNOWN)
            and not script.is_among(each, script.silent | script.refusing | script.declining)]
        if answers:
            free[agent.extension] = min(answers)
    if key and key in waits.keys:
        return QueueLeft(QueueEnd.KEY, key, max(waits.place, script.waiting.get(waits.queue, 0) + 1)), "", ()
    first = min(free, key=lambda agent: free[agent], default="")
    if first and (not waits.max_wait_s or free[first] < waits.max_wait_s):
        return QueueLeft(QueueEnd.ANSWERED), first, tuple(free)
    return QueueLeft(QueueEnd.TIMEOUT) if waits.max_wait_s else None, "", ()


@dataclass(frozen=True, slots=True)
class _Rung:
    """A phone, `name` of `owner`, or a number outside. It begins to ring `after_s` seconds later than the first."""

    name: str
    owner: str
    state: DeviceState
    after_s: int = 0
    confirms: bool = False

    def takes_calls(self, script: Script) -> bool:
        """Somebody answers there, sooner or later, and confirms if that is asked for."""
        return not script.is_among(self, script.silent) and not (self.confirms and self.owner in script.keyless)


def device_of(endpoint: str) -> str:
    """'201-desk' of 'acme-201-desk'."""
    return endpoint.partition("-")[2]


def _phone(facts: Facts, endpoint: str, after_s: int) -> _Rung:
    device = device_of(endpoint)
    return _Rung(device, device.partition("-")[0], facts.state_of(endpoint), after_s)


def _able(script: Script, rung: list[_Rung]) -> tuple[str, ...]:
    """Those who could have answered, each once."""
    return tuple(dict.fromkeys(each.owner for each in rung if each.state in RINGING and each.takes_calls(script)))


def _dial(script: Script, rung: list[_Rung], ring_s: int) -> tuple[DialEnded, str]:
    """How the phones and numbers answer: the quickest one that is free and not silent; and who it was. One that declines counts
    for Asterisk as one that cannot be reached: the cause of 603 is none that Dial() has a word for."""
    there = [each for each in rung if each.state not in ABSENT and not script.is_among(each, script.declining)]
    ringing = [each for each in there if each.state in RINGING and not script.is_among(each, script.refusing)]
    answers = [
        (each.after_s + script.after_s(each), each.owner) for each in ringing if each.takes_calls(script)]
    quickest_s, quickest = min(answers, key=lambda answer: answer[0], default=(ring_s, ""))
    if quickest_s < ring_s:
        return DialEnded(DialStatus.ANSWER), quickest
    if not there:
        return DialEnded(DialStatus.UNAVAILABLE, _cause(script, rung)), ""
    return DialEnded(DialStatus.NOANSWER if ringing else DialStatus.BUSY), ""


def _cause(script: Script, rung: list[_Rung]) -> int:
    """Why none of them is there: the trunk fails, or else the last of them declines or is not in use."""
    if not rung:
        return Cause.CONGESTION
    return Cause.REFUSED if rung[-1].owner in script.declining else Cause.UNKNOWN_NUMBER
