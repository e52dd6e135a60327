"""Number entry: asks for an internal number and reads it, for the menu and for the dial-internal element. Pure."""

from collections.abc import Collection, Mapping

from routing.call.step import Read
from routing.nodes.node import Here
from routing.numbering.dtmf import beginnings
from routing.numbering.value_types import Extension, Name

MAX_DIGITS = 6


def allowed_numbers(here: Here, excluded: Collection[Extension]) -> dict[Extension, str]:
    """The node that each internal number allowed here reaches."""
    return {number: target for number, target in here.tenant.internal_numbers.items() if number not in excluded}


def read_number(
    prompt: Name, wait_s: int, numbers: Mapping[Extension, str], first_prompts: tuple[Name, ...] = (),
) -> Read:
    """A step that ends without waiting once no longer number is possible; the prompts in `first_prompts` come first."""
    return Read((prompt,), MAX_DIGITS, wait_s, beginnings(numbers), first_prompts)
