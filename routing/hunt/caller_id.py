"""Caller ID shown to the other side of a trunk. Pure.

A tenant shows only numbers that it owns, or passes on the number of an external caller; then one of its own numbers is the
asserted identity (RFC 3325, P-Asserted-Identity).
"""

from typing import Annotated, Literal, Protocol

from pydantic import Field

from routing.call.facts import Facts
from routing.numbering.value_types import Did

CALLER: Literal["caller"] = "caller"
Presentation = Annotated[Literal["caller"] | Did, Field(union_mode="left_to_right")]


class Identity(Protocol):
    @property
    def main_number(self) -> str: ...


def identity(tenant: Identity, facts: Facts, presentation: str) -> tuple[str, str]:
    """The number shown, '' for that of the caller, and the tenant's asserted number. A colleague's extension means nothing to
    external parties, so the tenant's number is shown instead."""
    own = tenant.main_number if presentation == CALLER else presentation
    return ("" if presentation == CALLER and not facts.caller_extension else own), own
