"""Outbound policy: decides which calls between a tenant and external numbers are allowed now. Pure.

The entry takes the line of an incoming call here, nodes/outgoing.py asks about numbers that users dial, and `screen` decides
about all other external numbers that a flow would ring: users' forwards and mobiles, the numbers of elements.
"""

from dataclasses import replace
from zoneinfo import ZoneInfo

from routing.call.admission import NO_CAPS, Limit, reasons_of
from routing.call.effects import Admit
from routing.call.facts import Facts
from routing.call.questions import KnownCountry, Stopped
from routing.call.reasons import Reasons, Why
from routing.call.step import Dial, ExternalNumber, Step
from routing.nodes.node import Directory, Here
from routing.nodes.when import Inquiry
from routing.numbering.dialled import CallClass, class_of
from routing.numbering.numbers import country_of
from routing.numbering.value_types import Extension, Name


def screen(here: Here, step: Step) -> tuple[Step | None, Reasons]:
    """The step with those of its external numbers that may ring, None if none is left; and the reasons against the others."""
    if not isinstance(step, Dial) or not step.outside:
        return step, ()
    whys = {leg: _why_barred(here, leg) for leg in step.outside}
    legs = tuple(leg for leg, why in whys.items() if not why)
    left = replace(step, outside=legs) if legs or step.endpoints else None
    barred = tuple(reason for leg, why in whys.items() if why for reason in Why.NOT_CALLED(leg.number, why))
    return left, Why.SCREENED(barred) if barred else ()


def why_not_called(tenant: Directory, facts: Facts, payer: Extension, number: str) -> Reasons:
    """The same for a number that the dialplan calls by itself: an agent's mobile, a caller who is called back."""
    return _why_barred(Here(payer, tenant, facts), ExternalNumber(number, "", payer=payer, permitted=True))


def _why_barred(here: Here, leg: ExternalNumber) -> Reasons:
    """The reasons for which the number may not ring now, () where it may: then it counts as an outgoing call. No caller hears a
    question who could confirm a new foreign country."""
    call_class = class_of(leg.number, here.tenant.country)
    if call_class is None:
        return Why.NO_DIALLING_PLAN()
    if leg.payer and not leg.permitted and (forbidden := why_forbidden(here, leg.payer, call_class)):
        return forbidden[1]
    if call_class is CallClass.INTERNATIONAL and is_new_country(here, leg.number):
        return Why.NEW_COUNTRY(country_of(leg.number))
    limit = take_line(here, leg.payer, outgoing=True, number=leg.number, after_s=leg.after_s)
    return () if limit is Limit.NONE else reasons_of(limit, here.tenant.caps, leg.payer)


def why_forbidden(here: Here, extension: Extension, call_class: CallClass) -> tuple[Name, Reasons] | None:
    """The prompt for a user who may not make such a call now, and the reasons; None for a user who may."""
    if call_class not in here.tenant.permissions_of(extension):
        return "sys_not_permitted", Why.NOT_PERMITTED(call_class, extension)
    asked = Inquiry(here, here.facts.moment.astimezone(ZoneInfo(here.tenant.timezone)))
    for rule in here.tenant.closing_rules(extension):
        if why := rule.why(asked, 0):
            return "sys_outside_closed", Why.CLOSED(why)
    return None


def is_stopped(here: Here) -> bool:
    """Are all outgoing calls of the tenant stopped until somebody releases them?"""
    return here.tenant.caps != NO_CAPS and here.facts.answer(Stopped())


def is_new_country(here: Here, number: str) -> bool:
    """Does a call to this foreign number need a confirmation first?"""
    return here.tenant.asks_new_countries and not here.facts.answer(KnownCountry(country_of(number)))


def take_line(
    here: Here, extension: Extension, *, outgoing: bool, anyway: bool = False, number: str = "", after_s: int = 0,
) -> Limit:
    """The limit that refuses one more call; NONE if the call is admitted, and then it counts. A tenant without limits asks
    nothing."""
    limits = here.tenant.caps
    if limits == NO_CAPS:
        return Limit.NONE
    today = here.facts.moment.astimezone(ZoneInfo(here.tenant.timezone)).date().isoformat()
    return here.facts.perform(Admit(limits, today, extension, outgoing, anyway, number, after_s))
