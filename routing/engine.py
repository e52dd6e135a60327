"""The call's state machine: (tenant, facts, state, event) -> what to do next. Pure; names no kind of node."""

from routing.call import (
    Awaits,
    Cause,
    CheckVoicemail,
    Decision,
    Digits,
    Entered,
    Event,
    Failover,
    Hangup,
    Origin,
    Play,
    Started,
    State,
    Step,
    Visit,
    awaits,
)
from routing.facts import Facts
from routing.nodes.node import Go, Here, UnexpectedEvent
from routing.numbers import find_did
from routing.tenant import Tenant

MAX_HOPS = 60
START = "start"    # the path's entry for where a call comes in; no element may have this name


def next_step(tenant: Tenant, facts: Facts, state: State | None, event: Event) -> Decision:
    """The one decision, for live calls and for the simulator. `state` is None at the start of a call.

    Never fails for anything a caller, a phone or a service can send: what cannot go on goes to the failover. Raises Unanswered
    where a node needs to know more than `facts` says: the same is to be asked again, with the answer in `facts.answers`.
    """
    if isinstance(event, Started):
        return _start(tenant, facts, event)
    if state is None:
        return _give_up(START, "an event without a call", 0)
    if state.node == START:
        return _end_of_start(state, event)
    trail = () if isinstance(event, Digits) and event.keys else state.trail
    return _walk(tenant, facts, state.node, state.hops, state.memory, event, (), trail)


def _start(tenant: Tenant, facts: Facts, event: Started) -> Decision:
    dialled = event.dialled
    area_code = tenant.area_code if event.origin is Origin.PHONE else ""
    did = find_did(dialled, tenant.country, tenant.numbers, area_code)
    if event.origin is Origin.PHONE:
        if dialled == tenant.codes.voicemail:
            return _own_voicemail(tenant, event.caller_extension)
        if dialled in tenant.internal_numbers:
            node = tenant.internal_numbers[dialled]
            return _walk(tenant, facts, node, 0, (), Entered(), (Visit(START, f"{event.caller_extension} dials {dialled}"),))
    if did and event.origin is Origin.TRUNK and tenant.blacklist.bars_caller(facts.caller):
        blocked = Play((tenant.blacklist.prompt,), early=True)
        return _ask(START, blocked, f"{facts.caller} is on the blacklist", 0, (int(Cause.REFUSED),), ())
    if did:
        node = tenant.numbers[did].to
        return _walk(tenant, facts, node, 0, (), Entered(), (Visit(START, f"to {did}"),))
    step = Play(("sys_unknown_number",), early=True)
    return _ask(START, step, f"{dialled or 'nothing'} is no number here", 0, (int(Cause.UNKNOWN_NUMBER),), ())


def _own_voicemail(tenant: Tenant, extension: str) -> Decision:
    user = tenant.users.get(extension)
    if user and user.voicemail:
        return _ask(START, CheckVoicemail(extension), f"{extension} listens to its mailbox", 0, (int(Cause.NORMAL),), ())
    return _ask(START, Play(("sys_no_mailbox",)), f"{extension or 'nobody'} has no mailbox", 0, (int(Cause.NORMAL),), ())


def _end_of_start(state: State, event: Event) -> Decision:
    """After what was played or done at the entry, the call ends with the cause that the state remembers."""
    try:
        cause = Cause(state.memory[0])
    except (IndexError, ValueError):
        return _give_up(START, f"found {event}, expected nothing", state.hops)
    return _ask(START, Hangup(cause), "hangs up", state.hops, (), ())


def _walk(
    tenant: Tenant, facts: Facts, name: str, hops: int, memory: tuple[int, ...], event: Event, path: tuple[Visit, ...],
    trail: tuple[str, ...] = (),
) -> Decision:
    """From node to node until one asks for a step."""
    while hops < MAX_HOPS:
        node = tenant.nodes.get(name)
        if node is None:
            return _give_up(name, "no such element any more", hops, path)
        try:
            answer = node.decide(Here(name, tenant, facts, trail), memory, event)
        except (UnexpectedEvent, IndexError, ValueError) as error:
            return _give_up(name, f"cannot go on: {error}", hops, path)
        if not isinstance(answer, Go) and answer.then:
            return Decision(State(answer.then, Awaits.ENTERED, hops + 1), answer.step, (*path, Visit(name, answer.why)))
        if not isinstance(answer, Go):
            return _ask(name, answer.step, answer.why, hops, answer.memory, path, trail)
        trail = (*trail, answer.passed_by) if answer.passed_by else trail
        path = (*path, Visit(name, answer.why))
        name, memory, event, hops = answer.target, (), Entered(), hops + 1
    return _give_up(name, f"stopped after {MAX_HOPS} elements", hops, path)


def _ask(
    node: str, step: Step, why: str, hops: int, memory: tuple[int, ...], path: tuple[Visit, ...],
    trail: tuple[str, ...] = (),
) -> Decision:
    return Decision(State(node, awaits(step), hops, memory, trail), step, (*path, Visit(node, why)))


def _give_up(node: str, why: str, hops: int, path: tuple[Visit, ...] = ()) -> Decision:
    return Decision(State(node, Awaits.NOTHING, hops), Failover(), (*path, Visit(node, why)))
