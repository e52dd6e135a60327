"""What the other side of a trunk is shown. Pure.

A tenant shows only numbers that it owns, or passes on the number of an outside caller; then one of its own vouches for the
call (RFC 3325, P-Asserted-Identity).
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
    """The number shown, '' for that of the caller, and the tenant's number that vouches for it. A colleague, whose extension
    says nothing outside, is shown as the tenant."""
    own = tenant.main_number if presentation == CALLER else presentation
    return ("" if presentation == CALLER and not facts.caller_extension else own), own
