"""The call's state machine: (tenant, facts, state, event) -> what to do next. Pure; names no kind of node."""

from dataclasses import replace

from routing.call.admission import NOBODY, Limit, in_words
from routing.call.codes import Keyed, SwitchKeyed
from routing.call.effects import Unanswered
from routing.call.facts import Facts
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
    awaits,
    cause_in,
)
from routing.call.step import CallBack, Cause, Conference, Dial, Failover, Hangup, Listen, Play, Read, Step
from routing.engine.keypad import CodeStep, Dials, play_code, woken
from routing.nodes import SYSTEM_NODES
from routing.nodes.node import Do, Go, Here, UnexpectedEvent
from routing.nodes.outbound_policy import let_out
from routing.nodes.outgoing import OUTGOING, take_line, without_prefix
from routing.numbering.dialled import CallClass, read_dialled
from routing.numbering.numbers import e164, find_did, is_emergency
from routing.tenant.tenant import Tenant

MAX_HOPS = 60
START = "start"    # the path's entry for where a call comes in; no element may have this name


def next_step(tenant: Tenant, facts: Facts, state: State | None, event: Event) -> Decision:
    """The one decision, for live calls and for the simulator. `state` is None at the start of a call.

    Never fails for anything a caller, a phone or a service can send: what cannot go on goes to the failover. Raises Unanswered
    where a node needs to know more than `facts` says: the same is to be asked again, with the answer in `facts.answers`.
    """
    if isinstance(event, Started):
        return _transferred(tenant, facts, event) if event.origin is Origin.TRANSFER else _start(tenant, facts, event)
    if state is None:
        return _give_up(START, "an event without a call", 0)
    if state.node == START:
        return _end_of_start(state)
    trail = () if isinstance(event, Digits | Listened) and event.keys else state.trail
    return _walk(tenant, facts, replace(state, trail=trail), event, ())


def transfer_refusal(tenant: Tenant, facts: Facts, dialled: str) -> tuple[str, ...]:
    """The prompts that tell why the user `facts.transferrer` cannot transfer a call to what was dialled for it; () where that
    is possible."""
    try:
        return _pass_on(tenant, facts, Started(Origin.TRANSFER, dialled, facts.transferrer))[1]
    except Unanswered:
        return ()       # some element is entered, and asks


def _transferred(tenant: Tenant, facts: Facts, event: Started) -> Decision:
    """A call that may not go where it is sent comes back to who sent it, who hears why."""
    decision, refusal = _pass_on(tenant, facts, replace(event, caller_extension=facts.transferrer))
    user = tenant.users.get(facts.transferrer)
    if not refusal or user is None:
        return decision
    back = Dial(tenant.endpoints_of(facts.transferrer), user.ring_s, told=refusal)
    state = State(facts.transferrer, awaits(back), 0)
    return Decision(state, back, (*decision.path, Visit(facts.transferrer, "the call comes back and rings")))


def _pass_on(tenant: Tenant, facts: Facts, event: Started) -> tuple[Decision, tuple[str, ...]]:
    """Where a transfer leads, and the prompts that tell why it leads nowhere, () where it does. Codes are for those who key
    them, and not for whom they talk to."""
    number = e164(event.dialled, tenant.country, tenant.area_code)
    why = tenant.refusal_of(number) if event.dialled not in tenant.internal_numbers else ""
    if why or not event.dialled.removeprefix("+").isdigit():
        why = f"{event.caller_extension} transfers to {event.dialled or 'nothing'}, which {why or 'is no number'}"
        decision = _ask(START, Play(("sys_transfer_refused",)), why, (int(Cause.REFUSED),))
    else:
        decision = _start(tenant, facts, event)
    match decision:
        case Decision(state=State(node=node), step=Play(prompts=prompts)) if node in (START, OUTGOING):
            return decision, prompts
        case _:
            return decision, ()


def _start(tenant: Tenant, facts: Facts, event: Started) -> Decision:
    if event.origin is Origin.WAKE_UP:
        awake = woken(tenant, facts, event.caller_extension)
        return _ask(START, awake.step, awake.why, (int(Cause.NORMAL),))
    is_inside = event.origin is not Origin.TRUNK
    dialled = without_prefix(tenant.codes, event.dialled)[1] if is_inside else event.dialled
    area_code = tenant.area_code if is_inside else ""
    does = "transfers to" if event.origin is Origin.TRANSFER else "dials"
    did = find_did(dialled, tenant.country, tenant.numbers, area_code)
    if is_inside:
        if is_emergency(dialled, tenant.country):      # before all else that could be meant
            return _enter(tenant, facts, OUTGOING, f"{event.caller_extension} {does} {event.dialled}")
        if (keyed := tenant.codes.keyed(dialled)) and (done := _code(tenant, facts, event, keyed)):
            return done
        inside = dialled in tenant.internal_numbers or did is not None
        if inside and CallClass.INTERNAL not in tenant.permissions_of(event.caller_extension):
            return _refuse("sys_not_permitted", f"internal is not among {event.caller_extension}'s permissions", Cause.REFUSED)
        if dialled in tenant.internal_numbers:
            node = tenant.internal_numbers[dialled]
            return _enter(tenant, facts, node, f"{event.caller_extension} {does} {dialled}")
    if did and event.origin is Origin.TRUNK and tenant.blacklist.bars_caller(facts.caller):
        return _refuse(tenant.blacklist.prompt, f"{facts.caller} is on the blacklist", Cause.REFUSED)
    if did and event.origin is Origin.TRUNK:
        limit = take_line(Here(START, tenant, facts), NOBODY, outgoing=False)
        if limit is not Limit.NONE:
            return _refuse("sys_outside_lines_taken", in_words(limit, tenant.caps, NOBODY), Cause.BUSY)
    if did:
        return _enter(tenant, facts, tenant.numbers[did].to, f"to {did}")
    if is_inside and read_dialled(dialled, tenant.country, tenant.area_code):
        return _enter(tenant, facts, OUTGOING, f"{event.caller_extension} {does} {event.dialled}")
    return _refuse("sys_unknown_number", f"{dialled or 'nothing'} is no number here", Cause.UNKNOWN_NUMBER)


def _refuse(prompt: str, why: str, cause: Cause) -> Decision:
    """The caller is told before anything answers."""
    return _ask(START, Play((prompt,), early=True), why, (int(cause),))


def _code(tenant: Tenant, facts: Facts, event: Started, keyed: Keyed | SwitchKeyed) -> Decision | None:
    match play_code(tenant, facts, event.caller_extension, keyed):
        case CodeStep(step=step, why=why):
            return _ask(START, step, why, (int(Cause.NORMAL),))
        case Dials(number=number, why=why):
            decision = _start(tenant, replace(facts, dialled=number), replace(event, dialled=number))
            return replace(decision, path=(Visit(START, why), *decision.path))
        case None:
            return None


def _end_of_start(state: State) -> Decision:
    """After what was played or done at the entry, the call ends with the cause that the state remembers."""
    try:
        cause = cause_in(state.memory)
    except CorruptMemory as error:
        return _give_up(START, f"cannot go on: {error}", state.hops)
    return _ask(START, Hangup(cause), "hangs up", hops=state.hops)


def _enter(tenant: Tenant, facts: Facts, node: str, why: str) -> Decision:
    return _walk(tenant, facts, State(node, Awaits.ENTERED, 0), Entered(), (Visit(START, why),))


def _walk(tenant: Tenant, facts: Facts, state: State, event: Event, path: tuple[Visit, ...]) -> Decision:
    """From node to node until one asks for a step."""
    while state.hops < MAX_HOPS:
        name = state.node
        node = SYSTEM_NODES.get(name) or tenant.nodes.get(name)
        if node is None:
            return _give_up(name, "no such element any more", state.hops, path)
        here = Here(name, tenant, facts, state.trail, state.chosen)
        try:
            answer = node.decide(here, state.memory, event)
        except (UnexpectedEvent, CorruptMemory) as error:
            return _give_up(name, f"cannot go on: {error}", state.hops, path)
        if not isinstance(answer, Go):
            step, barred = let_out(here, answer.step)
            if step is not None:
                whys = [answer.why, barred] if barred else [answer.why]
                return _asked(tenant, state, replace(answer, step=step), (*path, *(Visit(name, why) for why in whys)))
            path = (*path, Visit(name, barred))
            state = replace(state, hops=state.hops + 1, memory=answer.memory)
            event = DialEnded(DialStatus.UNAVAILABLE)      # nobody has been rung
            continue
        path = (*path, Visit(name, answer.why))
        trail = (*state.trail, answer.passed_by) if answer.passed_by else state.trail
        state, event = State(answer.target, Awaits.ENTERED, state.hops + 1, (), trail, state.chosen), Entered()
    return _give_up(state.node, f"stopped after {MAX_HOPS} elements", state.hops, path)


def _asked(tenant: Tenant, state: State, answer: Do, path: tuple[Visit, ...]) -> Decision:
    """The step that a node asks for, in the language that is chosen for the call."""
    step = _in_language(tenant, answer.step, state.chosen.language)
    state = replace(state, chosen=answer.chosen or state.chosen)
    if answer.then:
        after = replace(state, node=answer.then, awaits=Awaits.ENTERED, hops=state.hops + 1, memory=())
    else:
        after = replace(state, awaits=awaits(step), memory=answer.memory)
    return Decision(after, step, path)


def _in_language(tenant: Tenant, step: Step, language: str) -> Step:
    if not language:
        return step

    def told(prompts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(tenant.prompt_in(prompt, language) for prompt in prompts)

    match step:
        case Read(prompts=prompts, told=before):
            return replace(step, prompts=told(prompts), told=told(before))
        case Play(prompts=prompts) | Conference(prompts=prompts) | Listen(prompts=prompts):
            return replace(step, prompts=told(prompts))
        case Dial(told=before) if before:
            return replace(step, told=told(before))
        case CallBack(agreed=agreed):
            return replace(step, agreed=tenant.prompt_in(agreed, language))
        case _:
            return step


def _ask(node: str, step: Step, why: str, memory: tuple[int, ...] = (), hops: int = 0) -> Decision:
    """A step of the entry itself."""
    return Decision(State(node, awaits(step), hops, memory), step, (Visit(node, why),))


def _give_up(node: str, why: str, hops: int, path: tuple[Visit, ...] = ()) -> Decision:
    return Decision(State(node, Awaits.NOTHING, hops), Failover(), (*path, Visit(node, why)))
