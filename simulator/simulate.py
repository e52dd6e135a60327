"""Simulation of a call: the engine that decides live calls, run against a script. Pure."""

from dataclasses import replace
from datetime import timedelta

from routing.call.facts import Answer, DeviceState, Facts, Request, Unanswered
from routing.call.state import (
    Awaits,
    ConferenceLeft,
    Decision,
    DialStatus,
    Digits,
    Entered,
    Event,
    Listened,
    Origin,
    Parked,
    ParkEnded,
    Played,
    QueueEnd,
    Started,
    State,
    Visit,
    VoicemailEnded,
)
from routing.call.step import (
    CallAs,
    CallBack,
    CheckVoicemail,
    Conference,
    Dial,
    Echo,
    Failover,
    Hangup,
    Listen,
    Move,
    Park,
    PickUp,
    Play,
    Queue,
    Read,
    Say,
    SetCall,
    Step,
    Unpark,
    Voicemail,
)
from routing.engine.engine import next_step, transfer_refusal
from routing.numbering.dtmf import entered
from routing.numbering.endpoint import device_of
from routing.numbering.numbers import caller_number, dialled_number
from routing.tenant.tenant import Tenant
from simulator.scenario_grammar import Handing, Says
from simulator.script import FAILOVER, HANGS_UP, REFUSED, Script, Simulation
from simulator.simulated_answers import SimulatedAnswers
from simulator.simulated_phones import Rung, able, dial, phone, wait

MAX_STEPS = 500      # far above the engine's own limit


def simulate(tenant: Tenant, script: Script) -> Simulation:
    """The simulated call, and the settings after it."""
    asked = SimulatedAnswers(script)
    return replace(_played(tenant, script, asked), changed=asked.changed, moved=asked.moved)


def _played(tenant: Tenant, script: Script, questions: SimulatedAnswers) -> Simulation:
    devices = {
        endpoint: script.states.get(str(device_of(endpoint)), script.states.get(extension, DeviceState.IDLE))
        for extension in tenant.users for endpoint in tenant.endpoints_of(extension)
    }
    dialled = dialled_number(script.dialled, tenant.country, tenant.numbers)
    caller = caller_number(script.caller, tenant.country, tenant.internal_numbers if script.origin is Origin.TRUNK else ())
    facts = Facts(
        script.moment, script.caller_extension, caller, dialled, script.chance, devices,
        script.switches, script.personal, script.calendars, transferrer=script.transferrer)
    event: Event = Started(script.origin, script.dialled, script.caller_extension)
    state: State | None = None
    path: tuple[Visit, ...] = ()
    steps: tuple[Step, ...] = ()
    outcome, keys, answered = "", list(script.keys), ""      # `answered`: by which user or number
    asked: tuple[str, ...] = ()
    rang: tuple[str, ...] = ()
    for _ in range(MAX_STEPS):
        decision = _decide(tenant, facts, questions, state, event)
        state, path = decision.state, (*path, *decision.path)
        steps = (*steps, decision.step)
        match decision.step:
            case Hangup(cause=cause):
                return Simulation(
                    path, outcome or REFUSED, steps, asked, rang, cause=None if outcome else cause, answered_by=answered)
            case Failover():
                return Simulation(path, FAILOVER, steps, asked)
            case CallBack(outside=leg):
                event, answered, outcome = Played(), "", f"to be called back at {leg.number}"
            case Conference(room=room, moderator=moderator) if moderator or room not in script.closed_rooms:
                event, answered, outcome = ConferenceLeft(), "", f"in conference {room}"
                if script.hangs_up_in == state.node and not keys:
                    return Simulation(path, outcome, steps, asked, rang)
            case Conference():
                event = ConferenceLeft(refused=True)
            case _ if script.hangs_up_in == state.node and not keys:
                return Simulation(path, outcome or HANGS_UP, steps, asked, rang, answered_by=answered)
            case Read(max_digits=most, longer=longer):
                pressed = _pressed(keys)
                event = Digits(entered(pressed, longer) if longer else pressed[:most])
                facts = replace(facts, keys="" if state.awaits is Awaits.PIN else event.keys)
                asked = (*asked, state.node)
            case Listen(max_digits=most):
                questions.said = keys[0].words if keys and isinstance(keys[0], Says) else ""
                event = Listened(_pressed(keys)[:most])
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
                event, answered, outcome = VoicemailEnded(), "", f"message for {mailbox}"
            case CheckVoicemail(mailbox=mailbox):
                event, answered, outcome = VoicemailEnded(), "", f"mailbox of {mailbox}"
            case Queue(max_wait_s=limit_s) as waits:
                key = _pressed(keys) if waits.keys else ""
                left, answered, rang = wait(script, facts, waits, key)
                asked = (*asked, state.node) if waits.keys else asked
                if left is None:
                    return Simulation(path, HANGS_UP, steps, asked, rang)
                if answered and script.talk:
                    return _after(path, steps, _talk(tenant, replace(script, keys=tuple(keys)), questions, facts, answered))
                event, outcome = left, f"answered by {answered}" if answered else ""
                if left.end is QueueEnd.TIMEOUT:
                    facts = replace(facts, moment=facts.moment + timedelta(seconds=limit_s))
            case Dial(endpoints=endpoints, outside=outside, ring_s=ring_s, delays_s=delays_s):
                pairs = zip(endpoints, delays_s or [0] * len(endpoints), strict=True)
                rung = [phone(facts, endpoint, after_s) for endpoint, after_s in pairs]
                far = script.states
                failing = {tenant.trunk_endpoint(name) for name in script.failing_trunks}
                rung += [
                    Rung(leg.number, leg.number, far.get(leg.number, DeviceState.IDLE), leg.after_s, leg.confirm)
                    for leg in outside if leg.trunk not in failing]
                event, answered = dial(script, rung, ring_s)
                if answered and script.talk:
                    return _after(path, steps, _talk(tenant, replace(script, keys=tuple(keys)), questions, facts, answered))
                outcome = f"answered by {answered}" if answered else ""
                rang = able(script, rung) if answered else ()
                if event.status is DialStatus.NOANSWER:
                    facts = replace(facts, moment=facts.moment + timedelta(seconds=ring_s))
        if state.awaits is Awaits.ENTERED:
            event = Entered()
    raise AssertionError(f"the engine asked for more than {MAX_STEPS} steps")


def _after(path: tuple[Visit, ...], steps: tuple[Step, ...], rest: Simulation) -> Simulation:
    return replace(rest, path=(*path, *rest.path), steps=(*steps, *rest.steps))


def _talk(tenant: Tenant, script: Script, questions: SimulatedAnswers, facts: Facts, answered_by: str) -> Simulation:
    """The rest of a conversation whose users transfer it. A consultation is a call of its own; one that
    is not answered changes nothing. A caller transferred to a menu or a mailbox goes on there."""
    caller = facts.caller_extension or script.caller
    path: tuple[Visit, ...] = ()
    steps: tuple[Step, ...] = ()
    for done, action in enumerate(script.talk):
        if action.by not in (caller, answered_by):
            return Simulation(path, f"answered by {answered_by}", steps, talked=done, answered_by=answered_by)
        stays = answered_by if action.by == caller else caller
        asks = replace(facts, caller_extension="", caller="", transferrer=action.by, keys="",
                       dialled=dialled_number(action.to, tenant.country, tenant.numbers))
        if refusal := transfer_refusal(tenant, asks, action.to):
            steps = (*steps, Play(refusal))
            continue
        goes_on = replace(script, dialled=action.to, moment=facts.moment)
        if action.how is Handing.BLIND:
            rest = _played(tenant, replace(
                goes_on, origin=Origin.TRANSFER, caller_extension=stays if stays in tenant.users else "", caller=stays,
                talk=script.talk[done + 1:], transferrer=action.by), questions)
            return replace(_after(path, steps, rest), talked=done + 1 + rest.talked)
        keys = script.keys if action.how is Handing.ASKED else ()      # of the transferred party
        asked = _played(tenant, replace(
            goes_on, origin=Origin.PHONE, caller_extension=action.by, caller=action.by, keys=keys, talk=(), transferrer="",
        ), questions)
        path, steps = (*path, *asked.path), (*steps, *asked.steps)
        if action.how is Handing.ASKED and not asked.answered_by and any(map(takes_call, asked.steps)):
            return replace(asked, path=path, steps=steps, talked=done + 1)
        if action.how is Handing.ASKED and asked.answered_by:
            caller, answered_by = stays, asked.answered_by
    return Simulation(path, f"answered by {answered_by}", steps, talked=len(script.talk), answered_by=answered_by)


def takes_call(step: Step) -> bool:
    """True if this step answers the call."""
    taking = Read | Listen | Say | Echo | Voicemail | CheckVoicemail | Move | PickUp | Park | Unpark | Conference | Queue
    return isinstance(step, taking) or (isinstance(step, Play) and not step.early)


def _pressed(actions: list[str | Says]) -> str:
    """The keys of the caller's next action."""
    action = actions.pop(0) if actions else ""
    return action if isinstance(action, str) else ""


def _decide(tenant: Tenant, facts: Facts, questions: SimulatedAnswers, state: State | None, event: Event) -> Decision:
    answers: dict[Request, Answer] = {}
    questions.decides()
    while True:
        try:
            return next_step(tenant, replace(facts, answers=answers), state, event)
        except Unanswered as unanswered:
            answers[unanswered.question] = questions.answer(unanswered.question)
