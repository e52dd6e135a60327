"""Entry: the first node for the number dialled, and the end of a call whose number leads nowhere. Pure."""

from dataclasses import dataclass, replace

from routing.call.admission import NOBODY, Limit, reasons_of
from routing.call.facts import Facts
from routing.call.reasons import Reasons, Why
from routing.call.state import Origin, Started, cause_in
from routing.call.step import Cause, Dial, Hangup, Play
from routing.engine.keypad import Dials, play_code, woken
from routing.nodes.node import Do, Go, Here
from routing.nodes.outbound_policy import take_line
from routing.nodes.outgoing import OUTGOING
from routing.numbering.dialled import CallClass, read_dialled
from routing.numbering.numbers import e164, find_did, is_emergency
from routing.numbering.value_types import Name
from routing.tenant.tenant import Tenant

START = "start"    # the path's entry for the start of a call; no element may have this name


@dataclass(frozen=True, slots=True)
class EntryDecision:
    """The entry's answer, the reasons before it, and the number that a code dialled instead, else ''."""

    answer: Go | Do
    before: tuple[Reasons, ...] = ()
    dialled: str = ""


def enter(tenant: Tenant, facts: Facts, started: Started) -> EntryDecision:
    """The element that a call enters first, or a step after which it ends. Raises Unanswered."""
    match started.origin:
        case Origin.TRANSFER:
            return _transferred(tenant, facts, replace(started, caller_extension=facts.transferrer))
        case Origin.WAKE_UP:
            return EntryDecision(woken(tenant, facts, started.caller_extension))
        case Origin.PHONE:
            return _dialled_inside(tenant, facts, started, Why.DIALS)
        case Origin.TRUNK:
            return EntryDecision(_called_from_trunk(tenant, facts, started.dialled))


def end(memory: tuple[int, ...]) -> Do:
    """The end of a call whose entry was a step, with the cause that this step has stored. Raises CorruptMemory."""
    return Do(Hangup(cause_in(memory)), Why.HANGS_UP())


def returned(tenant: Tenant, transferrer: str, refusal: tuple[Name, ...]) -> Do | None:
    """The step that returns a refused transfer to the transferring user, who then hears the prompts
    of the refusal; None where there is no such user."""
    user = tenant.users.get(transferrer)
    return None if user is None else Do(
        Dial(tenant.endpoints_of(transferrer), user.ring_s, first_prompts=refusal), Why.COMES_BACK())


def _transferred(tenant: Tenant, facts: Facts, started: Started) -> EntryDecision:
    """Codes work only for the users who dial them, not for a transferred caller."""
    number = e164(started.dialled, tenant.country, tenant.area_code)
    why = tenant.refusal_of(number) if started.dialled not in tenant.internal_numbers else ""
    if not why and started.dialled.removeprefix("+").isdigit():
        return _dialled_inside(tenant, facts, started, Why.TRANSFERS_TO)
    reasons = Why.TRANSFERS_NOWHERE(started.caller_extension, started.dialled, why or "is no number")
    return EntryDecision(Do(Play(("sys_transfer_refused",)), reasons, (int(Cause.REFUSED),), refuses=True))


def _dialled_inside(tenant: Tenant, facts: Facts, started: Started, does: Why) -> EntryDecision:
    """A call or a transfer by one of the tenant's own phones."""
    extension = started.caller_extension
    dialled = tenant.codes.without_prefix(started.dialled)[1]
    to_external = Go(OUTGOING, does(extension, started.dialled))
    if is_emergency(dialled, tenant.country):      # before any other meaning
        return EntryDecision(to_external)
    if keyed := tenant.codes.keyed(dialled):
        match play_code(tenant, facts, extension, keyed):
            case Dials(number=number, why=why):
                entry = _dialled_inside(tenant, facts, replace(started, dialled=number), does)
                return replace(entry, before=(why, *entry.before), dialled=number)
            case Do() as step:
                return EntryDecision(step)
            case None:
                pass
    did = find_did(dialled, tenant.country, tenant.numbers, tenant.area_code)
    node = tenant.internal_numbers.get(dialled)
    if (node or did) and CallClass.INTERNAL not in tenant.permissions_of(extension):
        why = Why.NOT_PERMITTED(CallClass.INTERNAL, extension)
        return EntryDecision(_refusal("sys_not_permitted", why, Cause.REFUSED))
    if node:
        return EntryDecision(Go(node, does(extension, dialled)))
    if did:
        return EntryDecision(Go(tenant.numbers[did].to, Why.TO_DID(did)))
    return EntryDecision(to_external if read_dialled(dialled, tenant.country, tenant.area_code) else _unknown(dialled))


def _called_from_trunk(tenant: Tenant, facts: Facts, dialled: str) -> Go | Do:
    did = find_did(dialled, tenant.country, tenant.numbers, "")
    if not did:
        return _unknown(dialled)
    if tenant.blacklist.bars_caller(facts.caller):
        return _refusal(tenant.blacklist.prompt, Why.ON_BLACKLIST(facts.caller), Cause.REFUSED)
    limit = take_line(Here(START, tenant, facts), NOBODY, outgoing=False)
    if limit is not Limit.NONE:
        return _refusal("sys_outside_lines_taken", reasons_of(limit, tenant.caps, NOBODY), Cause.BUSY)
    return Go(tenant.numbers[did].to, Why.TO_DID(did))


def _unknown(dialled: str) -> Do:
    return _refusal("sys_unknown_number", Why.UNKNOWN_NUMBER(dialled), Cause.UNKNOWN_NUMBER)


def _refusal(prompt: Name, why: Reasons, cause: Cause) -> Do:
    """The caller hears the reason before the call is answered."""
    return Do(Play((prompt,), early=True), why, (int(cause),), refuses=True)
