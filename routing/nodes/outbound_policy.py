"""Which numbers outside a call flow may ring: users' forwards and mobiles, and the numbers of elements. Pure.

What users dial themselves, nodes/outgoing.py decides by the same rules, and tells them why not.
"""

from dataclasses import replace

from routing.call.admission import Limit, in_words
from routing.call.facts import Facts
from routing.call.step import Dial, Outside, Step
from routing.nodes.node import Directory, Here
from routing.nodes.outgoing import OUTGOING, is_new_country, take_line, why_forbidden
from routing.numbering.dialled import CallClass, class_of
from routing.numbering.numbers import country_of
from routing.numbering.value_types import Extension


def let_out(here: Here, step: Step) -> tuple[Step | None, str]:
    """The step with those of its numbers outside that may ring, None where nothing is left that could; why others may not."""
    if not isinstance(step, Dial) or not step.outside or here.name == OUTGOING:
        return step, ""
    whys = {leg: why_barred(here, leg) for leg in step.outside}
    legs = tuple(leg for leg, why in whys.items() if not why)
    left = replace(step, outside=legs) if legs or step.endpoints else None
    return left, "; ".join(f"{leg.number} is not called: {why}" for leg, why in whys.items() if why)


def why_not_called(tenant: Directory, facts: Facts, payer: Extension, number: str) -> str:
    """The same for a number that the dialplan calls by itself: an agent's mobile, a caller who is called back."""
    return why_barred(Here(payer, tenant, facts), Outside(number, "", payer=payer, permitted=True))


def why_barred(here: Here, leg: Outside) -> str:
    """Why the number may not ring now, '' where it may: then it counts as a call outside. Nobody is there who could confirm a
    new foreign country."""
    call_class = class_of(leg.number, here.tenant.country)
    if call_class is None:
        return "it is no number of any dialling plan"
    if leg.payer and not leg.permitted and (forbidden := why_forbidden(here, leg.payer, call_class)):
        return forbidden[1]
    if call_class is CallClass.INTERNATIONAL and is_new_country(here, leg.number):
        return f"nobody has called {country_of(leg.number)} before"
    limit = take_line(here, leg.payer, outgoing=True, number=leg.number, after_s=leg.after_s)
    return "" if limit is Limit.NONE else in_words(limit, here.tenant.caps, leg.payer)
