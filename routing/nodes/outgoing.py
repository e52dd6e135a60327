"""Outgoing: a user's call to an external number uses the tenant's trunks, one after the other until one carries it.

Not an element of a tenant's file: every number dialled by a phone that is not an internal number comes here.
"""

from dataclasses import dataclass, replace
from enum import IntEnum

from routing.call.admission import NOBODY, REFUSALS, Limit, reasons_of
from routing.call.codes import Shown
from routing.call.effects import CheckPin, ConfirmCountry, PinIs
from routing.call.questions import HasPin, PinOf
from routing.call.reasons import Reasons, Why
from routing.call.state import (
    REDIRECTED,
    CorruptMemory,
    DialEnded,
    DialStatus,
    Digits,
    Entered,
    Event,
    Played,
    cause_in,
    counters,
)
from routing.call.step import Cause, Dial, ExternalNumber, Hangup, Play, Read
from routing.hunt.caller_id import Identity, user_identity
from routing.nodes.node import Do, Go, Here, UnexpectedEvent
from routing.nodes.outbound_policy import is_new_country, take_line, why_forbidden
from routing.numbering.dialled import CallClass, class_of, read_dialled
from routing.numbering.numbers import MAX_SHORT_DIGITS, country_of
from routing.numbering.value_types import Name

OUTGOING = "outgoing"     # the node's name, which no element may have
RING_S = 120              # the caller decides when to give up
KEY_WAIT_S = 5
MAX_PINS = 3              # tried in one call
MAX_PIN_DIGITS = 11       # those of a PIN, and '#'
HALF = 10**8              # a number is remembered as two
TRUNK_FAILED = frozenset({3, 18, 20, REDIRECTED, 27, 34, 38, 41, 42, 102})
"""Causes that describe the trunk, not the called party: no route, no answer to the INVITE, carrier not reachable, a
redirection, and what the SIP codes 500 to 599 become. Source: chan_pjsip's hangup_sip2cause, ITU-T Q.850."""


class Stage(IntEnum):
    """The input or event that the call waits for; the first number of its memory."""

    CALLING = 0
    ENDING = 1        # the second number is the cause
    PIN = 2           # that overrides the user's missing permission
    COUNTRY = 3       # a key that confirms it


@dataclass(frozen=True, slots=True)
class OutgoingCall:
    """The called number, and the trunk in use, as its place among the trunks for the number."""

    number: str
    call_class: CallClass
    shown: Shown
    place: int = 0
    failures: int = 0     # wrong PINs

    def memory(self, stage: Stage) -> tuple[int, ...]:
        return (stage, self.place, self.shown, *divmod(int(f"1{self.number.removeprefix('+')}"), HALF), self.failures)


def remembered(country: str, memory: tuple[int, ...]) -> OutgoingCall:
    """The call that this memory describes. Raises CorruptMemory for any other memory."""
    _, place, shown, high, low, failures = counters(memory, 6)
    digits = str(high * HALF + low)[1:]
    number = digits if len(digits) <= MAX_SHORT_DIGITS else f"+{digits}"
    call_class = class_of(number, country)
    if call_class is None or shown not in set(Shown):
        raise CorruptMemory(memory, "a number that can be called")
    return OutgoingCall(number, call_class, Shown(shown), place, failures)


class Outgoing:
    def decide(self, here: Here, memory: tuple[int, ...], event: Event) -> Go | Do:
        match event, memory:
            case Entered(), _:
                return self._begin(here, _called(here, event))
            case Played(), (Stage.ENDING, *_):
                return Do(Hangup(cause_in(memory)), Why.CALLER_TOLD() + Why.HANGS_UP())
            case DialEnded() as ended, (Stage.CALLING, *_):
                return self._ended(here, remembered(here.tenant.country, memory), ended)
            case Digits(keys=keys), (Stage.PIN, *_):
                return self._tried(here, remembered(here.tenant.country, memory), keys.rstrip("#"))
            case Digits(keys=keys), (Stage.COUNTRY, *_):
                return self._confirmed(here, remembered(here.tenant.country, memory), keys)
            case _:
                raise UnexpectedEvent(here, event)

    def _begin(self, here: Here, called: OutgoingCall) -> Do:
        if not here.tenant.trunks_for(called.call_class):
            return _refusal("sys_no_line", Cause.CONGESTION, Why.NO_TRUNK())
        if called.call_class is CallClass.EMERGENCY:
            return self._admitted(here, called, ())
        forbidden = why_forbidden(here, here.facts.payer, called.call_class)
        if forbidden is None:
            return self._permitted(here, called, ())
        prompt, why = forbidden
        if _is_there(here) and here.facts.answer(HasPin(here.facts.payer, PinOf.PERMISSIONS)):
            return _ask_pin(called, (prompt, "sys_outside_pin"), why + Why.ASKS_FOR_PIN())
        return _refusal(prompt, Cause.REFUSED, why)

    def _tried(self, here: Here, called: OutgoingCall, keys: str) -> Do:
        if not keys:
            return _refusal("sys_not_permitted", Cause.REFUSED, Why.NO_PIN())
        match here.facts.perform(CheckPin(here.facts.payer, keys, PinOf.PERMISSIONS)):
            case PinIs.RIGHT:
                return self._permitted(here, called, Why.RIGHT_PIN())
            case PinIs.WRONG if called.failures + 1 < MAX_PINS:
                again = replace(called, failures=called.failures + 1)
                return _ask_pin(again, ("sys_outside_wrong_pin",), Why.WRONG_PIN() + Why.ASKS_AGAIN())
            case PinIs.LOCKED:
                return _refusal("sys_not_permitted", Cause.REFUSED, Why.TOO_MANY_PINS())
            case PinIs.WRONG:
                return _refusal("sys_not_permitted", Cause.REFUSED, Why.WRONG_PIN() + Why.IN_ALL(called.failures + 1))

    def _permitted(self, here: Here, called: OutgoingCall, before: Reasons) -> Do:
        if called.call_class is CallClass.INTERNATIONAL and is_new_country(here, called.number):
            why = before + Why.NEW_COUNTRY(country_of(called.number))
            if not _is_there(here):
                return _refusal("sys_not_permitted", Cause.REFUSED, why)
            step = Read(("sys_outside_new_country",), 1, KEY_WAIT_S)
            return Do(step, why + Why.ASKS_FOR_KEY(), called.memory(Stage.COUNTRY))
        return self._admitted(here, called, before)

    def _confirmed(self, here: Here, called: OutgoingCall, keys: str) -> Do:
        country = country_of(called.number)
        if keys != "1":
            return _refusal("sys_not_permitted", Cause.REFUSED, Why.COUNTRY_NOT_CONFIRMED(country))
        is_noted = here.facts.perform(ConfirmCountry(country))
        noted = () if is_noted else Why.NOT_NOTED()
        return self._admitted(here, called, Why.COUNTRY_CONFIRMED(country) + noted)

    def _admitted(self, here: Here, called: OutgoingCall, before: Reasons) -> Do:
        """Nothing refuses an emergency call; it counts all the same."""
        helps = called.call_class is CallClass.EMERGENCY
        user = NOBODY if helps else here.facts.payer
        limit = take_line(here, user, outgoing=not helps, anyway=helps, number=called.number)
        if limit is Limit.NONE:
            return _call(here, called, before)
        prompt, cause = REFUSALS[limit]
        return _refusal(prompt, cause, before + reasons_of(limit, here.tenant.caps, user))

    def _ended(self, here: Here, called: OutgoingCall, ended: DialEnded) -> Do:
        """After any status but an answer, the next trunk may carry an emergency call."""
        over = ended.status in (DialStatus.ANSWER, DialStatus.CANCEL)
        trunks = here.tenant.trunks_for(called.call_class)
        if called.call_class is CallClass.EMERGENCY and not over and called.place + 1 < len(trunks):
            return _call(here, replace(called, place=called.place + 1), Why.NO_HELP_BY(_trunk(here, called)))
        match ended.status:
            case DialStatus.ANSWER:
                return Do(Hangup(Cause.NORMAL), Why.CONVERSATION_OVER())
            case DialStatus.BUSY if ended.cause != REDIRECTED:
                return _refusal("sys_outside_busy", Cause.BUSY, Why.BUSY())
            case DialStatus.NOANSWER:
                return _refusal("sys_outside_no_answer", Cause.NO_ANSWER, Why.NO_ANSWER())
            case DialStatus.CANCEL:
                return Do(Hangup(Cause.NORMAL), Why.CALLER_GIVES_UP())
            case DialStatus.BUSY | DialStatus.UNAVAILABLE | DialStatus.CONGESTION:
                return self._failed(here, called, ended.cause)

    def _failed(self, here: Here, called: OutgoingCall, cause: int) -> Do:
        if cause == Cause.UNKNOWN_NUMBER:
            return _refusal("sys_unknown_number", Cause.UNKNOWN_NUMBER, Why.NOT_IN_USE(called.number))
        if cause == Cause.REFUSED:
            return _refusal("sys_outside_declined", Cause.REFUSED, Why.DECLINED())
        if cause not in TRUNK_FAILED:
            return _refusal("sys_unreachable", Cause.UNAVAILABLE, Why.CANNOT_BE_REACHED(called.number))
        trunks = here.tenant.trunks_for(called.call_class)
        failed = Why.TRUNK_FAILS(_trunk(here, called))
        if called.place + 1 < len(trunks):
            return _call(here, replace(called, place=called.place + 1), failed)
        return _refusal("sys_no_line", Cause.CONGESTION, failed + Why.NO_OTHER_TRUNK())


def _is_there(here: Here) -> bool:
    """True if the paying user hears the prompts: a user who has transferred the call no longer does."""
    return not here.facts.transferrer


def _ask_pin(called: OutgoingCall, prompts: tuple[Name, ...], why: Reasons) -> Do:
    """A PIN ends with '#', or at the time limit: the length of the input must not show how much of it was right."""
    return Do(Read(prompts, MAX_PIN_DIGITS, KEY_WAIT_S, secret=True), why, called.memory(Stage.PIN))


def _refusal(prompt: Name, cause: Cause, why: Reasons) -> Do:
    """The caller hears the reason, unanswered and so free of charge, and the call ends."""
    return Do(Play((prompt,), early=True), why, (Stage.ENDING, int(cause)), refuses=True)


def _called(here: Here, event: Event) -> OutgoingCall:
    shown, dialled = here.tenant.codes.without_prefix(here.facts.dialled)
    called = read_dialled(dialled, here.tenant.country, here.tenant.area_code)
    if called is None:
        raise UnexpectedEvent(here, event)
    return OutgoingCall(called.number, called.call_class, shown)


def _trunk(here: Here, called: OutgoingCall) -> Name:
    """The trunk of the call's place. Raises CorruptMemory where the configuration has fewer trunks than when the call began."""
    trunks = here.tenant.trunks_for(called.call_class)
    if called.place >= len(trunks):
        raise CorruptMemory((called.place,), f"the place of one of {len(trunks)} trunks")
    return trunks[called.place]


def _call(here: Here, called: OutgoingCall, before: Reasons) -> Do:
    trunk = _trunk(here, called)
    identity = _identity(here, called)
    leg = ExternalNumber(called.number, here.tenant.trunk_endpoint(trunk, called.number), payer=here.facts.payer)
    own = bool(here.tenant.refusal_of(called.number))
    step = Dial((), RING_S, outside=(leg,), shown=identity.shown, vouching=identity.vouching, hidden=identity.hidden, own=own)
    shown = Why.SHOWN_HIDDEN() if identity.hidden else Why.SHOWN_AS(identity.shown)
    why = before + Why.CALLS_BY(called.number, called.call_class, trunk) + shown
    return Do(step, why, called.memory(Stage.CALLING), is_screened=True)


def _identity(here: Here, called: OutgoingCall) -> Identity:
    """An emergency call shows its site's number, whatever was hidden."""
    extension = here.facts.payer
    if called.call_class is not CallClass.EMERGENCY:
        return user_identity(here.tenant, extension, called.shown)
    number = here.tenant.site_number(extension)
    return Identity(number, number, hidden=not number)
