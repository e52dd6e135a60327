"""Which numbers outside a call flow may ring: users' forwards and mobiles, and the numbers of elements. Pure.

What users dial themselves, nodes/outgoing.py decides by the same rules, and tells them why not.
"""

from dataclasses import replace

from routing.admission import NOBODY, Limit, in_words
from routing.call import Dial, Step
from routing.dialled import class_of
from routing.nodes.node import Here
from routing.nodes.outgoing import OUTGOING, take_line, why_forbidden


def let_out(here: Here, step: Step) -> tuple[Step | None, str]:
    """The step with those of its numbers outside that may ring, None where nothing is left that could; why others may not."""
    if not isinstance(step, Dial) or not step.outside or here.name == OUTGOING:
        return step, ""
    user = here.name if here.name in here.tenant.names else NOBODY
    legs, whys = [], []
    for leg in step.outside:
        call_class = class_of(leg.number, here.tenant.country)
        # A mobile, which confirms, is the administrator's choice; a forward may be the user's.
        forbidden = why_forbidden(here, user, call_class) if user and call_class and not leg.confirm else None
        if forbidden:
            whys.append(f"{leg.number} is not called: {forbidden[1]}")
        else:
            legs.append(leg)
    limit = take_line(here, user, outgoing=True) if legs else Limit.NONE
    if limit is not Limit.NONE:
        whys.append(f"nobody outside is called: {in_words(limit, here.tenant.caps, user or 'the tenant')}")
        legs = []
    left = replace(step, outside=tuple(legs)) if legs or step.endpoints else None
    return left, "; ".join(whys)
