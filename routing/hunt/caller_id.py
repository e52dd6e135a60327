"""Caller ID shown to the other side of a trunk. Pure.

A tenant shows only numbers that it owns, or passes on the number of an external caller; then one of its own numbers is the
asserted identity (RFC 3325, P-Asserted-Identity).
"""

from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

from pydantic import Field

from routing.call.codes import Codes, Shown
from routing.call.facts import Facts
from routing.numbering.value_types import Did, Extension

CALLER: Literal["caller"] = "caller"
Presentation = Annotated[Literal["caller"] | Did, Field(union_mode="left_to_right")]


class ShowsNumbers(Protocol):
    """A tenant, as far as it decides which number a user shows."""

    @property
    def codes(self) -> Codes: ...
    @property
    def main_number(self) -> str: ...
    def number_of(self, extension: Extension) -> str: ...
    def hides_number(self, extension: Extension) -> bool: ...


@dataclass(frozen=True, slots=True)
class Identity:
    """The number shown, '' for that of the caller; the tenant's asserted number; and True if the called party sees neither."""

    shown: str
    vouching: str
    hidden: bool = False


def identity(tenant: ShowsNumbers, facts: Facts, presentation: str) -> Identity:
    """The identity on a call to an external number that the flow makes for the caller. A colleague shows outside what the
    colleague's own external calls show: an extension means nothing there."""
    if presentation != CALLER:
        return Identity(presentation, presentation)
    if facts.caller_extension:
        return user_identity(tenant, facts.caller_extension, tenant.codes.without_prefix(facts.dialled)[0])
    return Identity("", tenant.main_number)


def user_identity(tenant: ShowsNumbers, extension: Extension, chosen: Shown) -> Identity:
    """The identity of a user who calls outside; `chosen` by a code before the number. A tenant without any number can show
    only an extension, which is hidden."""
    if chosen is Shown.MAIN:
        number, hidden = tenant.main_number, False
    else:
        number, hidden = tenant.number_of(extension), chosen is Shown.NOTHING or tenant.hides_number(extension)
    return Identity(number, number, hidden or not number)
