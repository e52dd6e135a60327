"""Outgoing: a user's call to a number outside leaves by the tenant's trunks, one after the other until one of them carries it.

No element of a tenant's file: whatever a phone dials that is no number inside comes here.
"""

from dataclasses import dataclass, replace
from enum import IntEnum

from routing.call import Cause, Dial, DialEnded, DialStatus, Entered, Event, Hangup, Outside, Play, Played
from routing.codes import Codes, Feature, Keyed
from routing.dialled import CallClass, class_of, read_dialled
from routing.names import Name
from routing.nodes.node import Do, Go, Here, UnexpectedEvent
from routing.numbers import MAX_SHORT_DIGITS

OUTGOING = "outgoing"     # the node's name, which no element may have
RING_S = 120              # the caller decides when it is enough
HALF = 10**8              # a number is remembered as two
TRUNK_FAILED = frozenset({3, 18, 20, 27, 34, 38, 41, 42, 102})
"""Causes that tell of the trunk and not of whoever is called: no way there, no answer to the INVITE, carrier not reachable, and
what the SIP codes 500 to 599 become. Source: chan_pjsip's hangup_sip2cause, ITU-T Q.850."""


class Stage(IntEnum):
    """What the call waits for; the first number of its memory."""

    CALLING = 0
    ENDING = 1        # the second number is the cause


class Shown(IntEnum):
    """What the caller has chosen for this one call."""

    AS_EVER = 0
    MAIN = 1
    NOTHING = 2


PREFIXES = {Feature.SHOW_MAIN: Shown.MAIN, Feature.HIDE_NUMBER: Shown.NOTHING}


@dataclass(frozen=True, slots=True)
class Called:
    """Whom the caller means, and by the way of which trunk: the place among those that lead there."""

    number: str
    call_class: CallClass
    shown: Shown
    place: int = 0

    def memory(self, stage: Stage) -> tuple[int, ...]:
        return (stage, self.place, self.shown, *divmod(int(f"1{self.number.removeprefix('+')}"), HALF))


def remembered(country: str, memory: tuple[int, ...]) -> Called:
    """Raises ValueError for what no call remembers."""
    _, place, shown, *halves = memory
    high, low = halves
    digits = str(high * HALF + low)[1:]
    number = digits if len(digits) <= MAX_SHORT_DIGITS else f"+{digits}"
    call_class = class_of(number, country)
    if call_class is None:
        raise ValueError(f"{number} is no number any more")
    return Called(number, call_class, Shown(shown), place)


class Outgoing:
    def decide(self, here: Here, memory: tuple[int, ...], event: Event) -> Go | Do:
        match event:
            case Entered():
                return self._begin(here, _called(here, event))
            case Played() if memory[0] == Stage.ENDING:
                return Do(Hangup(Cause(memory[1])), "told the caller, hangs up")
            case DialEnded() as ended if memory[0] == Stage.CALLING:
                return self._ended(here, remembered(here.tenant.country, memory), ended)
            case _:
                raise UnexpectedEvent(here, event)

    def _begin(self, here: Here, called: Called) -> Do:
        if not here.tenant.trunks_for(called.call_class):
            return refusal("sys_no_line", Cause.CONGESTION, "no trunk leads outside")
        return _call(here, called, "")

    def _ended(self, here: Here, called: Called, ended: DialEnded) -> Do:
        match ended.status:
            case DialStatus.ANSWER:
                return Do(Hangup(Cause.NORMAL), "the conversation is over")
            case DialStatus.BUSY:
                return Do(Hangup(Cause.BUSY), "busy")
            case DialStatus.NOANSWER | DialStatus.CANCEL:
                return Do(Hangup(Cause.NO_ANSWER), "no answer")
            case DialStatus.UNAVAILABLE | DialStatus.CONGESTION:
                return self._failed(here, called, ended.cause)

    def _failed(self, here: Here, called: Called, cause: int) -> Do:
        if cause == Cause.UNKNOWN_NUMBER:
            return refusal("sys_unknown_number", Cause.UNKNOWN_NUMBER, f"{called.number} is not in use")
        if cause == Cause.REFUSED:
            return Do(Hangup(Cause.REFUSED), "declined")
        if cause not in TRUNK_FAILED:
            return refusal("sys_unreachable", Cause.UNAVAILABLE, f"{called.number} cannot be reached")
        trunks = here.tenant.trunks_for(called.call_class)
        failed = f"trunk {trunks[called.place]} fails"
        if called.place + 1 < len(trunks):
            return _call(here, replace(called, place=called.place + 1), f"{failed}, ")
        return refusal("sys_no_line", Cause.CONGESTION, f"{failed}, no other is left")


def refusal(prompt: Name, cause: Cause, why: str) -> Do:
    """The caller is told, unanswered and so free of charge, and the call ends."""
    return Do(Play((prompt,), early=True), why, (Stage.ENDING, int(cause)))


def without_prefix(codes: Codes, dialled: str) -> tuple[Shown, str]:
    """What was dialled without the code that says what this one call shows."""
    match codes.keyed(dialled):
        case Keyed(feature=feature, rest=rest) if feature in PREFIXES and rest:
            return PREFIXES[feature], rest
        case _:
            return Shown.AS_EVER, dialled


def _called(here: Here, event: Event) -> Called:
    shown, dialled = without_prefix(here.tenant.codes, here.facts.dialled)
    called = read_dialled(dialled, here.tenant.country, here.tenant.area_code)
    if called is None:
        raise UnexpectedEvent(here, event)
    return Called(called.number, called.call_class, shown)


def _call(here: Here, called: Called, before: str) -> Do:
    trunk = here.tenant.trunks_for(called.call_class)[called.place]
    number, hidden = _identity(here, called)
    leg = Outside(called.number, here.tenant.trunk_endpoint(trunk, called.number))
    step = Dial((), RING_S, outside=(leg,), shown=number, vouching=number, hidden=hidden)
    shown = "its number hidden" if hidden else f"shown as {number}"
    why = f"{before}calls {called.number} ({called.call_class}) by {trunk}, {shown}"
    return Do(step, why, called.memory(Stage.CALLING))


def _identity(here: Here, called: Called) -> tuple[str, bool]:
    """The number shown, and whether it is hidden from whoever is called. An emergency call shows where help is needed; a tenant
    without any number has nothing to show but an extension."""
    extension = here.facts.payer
    if called.call_class is CallClass.EMERGENCY:
        number, hidden = here.tenant.site_number(extension), False
    elif called.shown is Shown.MAIN:
        number, hidden = here.tenant.main_number, False
    else:
        number, hidden = here.tenant.number_of(extension), called.shown is Shown.NOTHING or here.tenant.hides_number(extension)
    return number, hidden or not number
