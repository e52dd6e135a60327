"""The call's state machine: (tenant, facts, state, event) -> decision. Pure; names no kind of node."""

from dataclasses import replace

from routing.call.facts import Facts, Unanswered
from routing.call.reasons import Reasons, Why
from routing.call.state import (
    Awaits,
    CorruptMemory,
    Decision,
    DialEnded,
    DialStatus,
    Digits,
    Entered,
    Event,
    Listened,
    Origin,
    Started,
    State,
    Visit,
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
from routing.engine.entry import START, end, enter, returned
from routing.nodes import SYSTEM_NODES
from routing.nodes.node import Do, Go, Here, UnexpectedEvent
from routing.nodes.outbound_policy import screen
from routing.tenant.tenant import Tenant

MAX_HOPS = 60


def next_step(tenant: Tenant, facts: Facts, state: State | None, event: Event) -> Decision:
    """The decision about a call, for live calls and for the simulator. `state` is None at the start of a call.

    Never fails for anything a caller, a phone or a service can send: a call that cannot go on goes to the failover. Raises
    Unanswered where a node needs more than `facts`: call again with the answer in `facts.answers`.
    """
    if isinstance(event, Started):
        decision = _begin(tenant, facts, event)
        refusal = _refusal(decision) if event.origin is Origin.TRANSFER else ()
        back = returned(tenant, facts.transferrer, refusal) if refusal else None
        if back is None:
            return decision
        path = (*decision.path, Visit(facts.transferrer, back.why))
        return _asked(tenant, _entering(facts.transferrer), back, path)
    if state is None:
        return _give_up(START, Why.NO_CALL(), 0)
    trail = () if isinstance(event, Digits | Listened) and event.keys else state.trail
    return _walk(tenant, facts, replace(state, trail=trail), event, ())


def transfer_refusal(tenant: Tenant, facts: Facts, dialled: str) -> tuple[str, ...]:
    """The prompts that explain why the user `facts.transferrer` cannot transfer a call to the dialled number; () where that
    is possible."""
    try:
        return _refusal(_begin(tenant, facts, Started(Origin.TRANSFER, dialled)))
    except Unanswered:
        return ()       # an element is entered, and asks


def _begin(tenant: Tenant, facts: Facts, started: Started) -> Decision:
    entry = enter(tenant, facts, started)
    path = tuple(Visit(START, why) for why in (*entry.before, entry.answer.why))
    match entry.answer:
        case Go(target=target):
            facts = replace(facts, dialled=entry.dialled or facts.dialled)
            return _walk(tenant, facts, _entering(target), Entered(), path)
        case Do() as step:
            return _asked(tenant, _entering(START), step, path)


def _refusal(decision: Decision) -> tuple[str, ...]:
    """The prompts of a decision that refuses the call."""
    return decision.step.prompts if decision.refuses and isinstance(decision.step, Play) else ()


def _entering(node: str) -> State:
    return State(node, Awaits.ENTERED, 0)


def _walk(tenant: Tenant, facts: Facts, state: State, event: Event, path: tuple[Visit, ...]) -> Decision:
    """Walks from node to node until one asks for a step."""
    while state.hops < MAX_HOPS:
        name = state.node
        here = Here(name, tenant, facts, state.trail, state.chosen)
        node = SYSTEM_NODES.get(name) or tenant.nodes.get(name)
        if node is None and name != START:
            return _give_up(name, Why.NODE_GONE(), state.hops, path)
        try:
            answer = node.decide(here, state.memory, event) if node else end(state.memory)
        except (UnexpectedEvent, CorruptMemory) as error:
            return _give_up(name, Why.CANNOT_GO_ON(str(error)), state.hops, path)
        if isinstance(answer, Do):
            step, barred = (answer.step, ()) if answer.is_screened else screen(here, answer.step)
            if step is not None:
                whys = [answer.why, barred] if barred else [answer.why]
                return _asked(tenant, state, replace(answer, step=step), (*path, *(Visit(name, why) for why in whys)))
            path = (*path, Visit(name, barred))
            state = replace(state, hops=state.hops + 1, memory=answer.memory)
            event = DialEnded(DialStatus.UNAVAILABLE)      # nothing has rung
            continue
        path = (*path, Visit(name, answer.why))
        trail = (*state.trail, answer.passed_by) if answer.passed_by else state.trail
        state, event = State(answer.target, Awaits.ENTERED, state.hops + 1, (), trail, state.chosen), Entered()
    return _give_up(state.node, Why.TOO_MANY_NODES(MAX_HOPS), state.hops, path)


def _asked(tenant: Tenant, state: State, answer: Do, path: tuple[Visit, ...]) -> Decision:
    """The step that a node asks for, in the language chosen for the call."""
    step = _in_language(tenant, answer.step, state.chosen.language)
    state = replace(state, chosen=answer.chosen or state.chosen)
    if answer.then:
        after = replace(state, node=answer.then, awaits=Awaits.ENTERED, hops=state.hops + 1, memory=())
    else:
        after = replace(state, awaits=awaits(step), memory=answer.memory)
    return Decision(after, step, path, answer.refuses)


def awaits(step: Step) -> Awaits:
    match step:
        case Read(secret=secret):
            return Awaits.PIN if secret else Awaits.DIGITS
        case Listen():
            return Awaits.SPEECH
        case Play() | Echo() | Say() | Move() | PickUp() | Unpark() | CallBack():
            return Awaits.PLAYED
        case Dial():
            return Awaits.DIAL
        case Voicemail() | CheckVoicemail():
            return Awaits.VOICEMAIL
        case Park():
            return Awaits.PARKED
        case Conference():
            return Awaits.CONFERENCE
        case Queue():
            return Awaits.QUEUE
        case SetCall():
            return Awaits.ENTERED
        case Hangup() | Failover() | CallAs():
            return Awaits.NOTHING


def _in_language(tenant: Tenant, step: Step, language: str) -> Step:
    if not language:
        return step

    def translated(prompts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(tenant.prompt_in(prompt, language) for prompt in prompts)

    match step:
        case Read(prompts=prompts, first_prompts=before):
            return replace(step, prompts=translated(prompts), first_prompts=translated(before))
        case Play(prompts=prompts) | Conference(prompts=prompts) | Listen(prompts=prompts):
            return replace(step, prompts=translated(prompts))
        case Dial(first_prompts=before) if before:
            return replace(step, first_prompts=translated(before))
        case CallBack(agreed=agreed):
            return replace(step, agreed=tenant.prompt_in(agreed, language))
        case _:
            return step


def _give_up(node: str, why: Reasons, hops: int, path: tuple[Visit, ...] = ()) -> Decision:
    return Decision(State(node, Awaits.NOTHING, hops), Failover(), (*path, Visit(node, why)))
