"""Blacklist: callers whose calls a tenant refuses; no forward or transfer may go to these numbers either. Pure."""

from functools import cached_property

from routing.numbering.number_list import NumberPatterns, NumberSet
from routing.numbering.value_types import Name
from yaml_models.strict_model import Part


class Blacklist(Part):
    """`prompt` is what a caller on the list hears before the call ends. Numbers are +E.164 or short ones."""

    callers: NumberPatterns = ()
    targets: NumberPatterns = ()
    prompt: Name = "sys_blocked"

    def bars_caller(self, number: str) -> bool:
        return number in self._callers

    def bars_target(self, number: str) -> bool:
        return number in self._targets

    @cached_property
    def _callers(self) -> NumberSet:
        return NumberSet(self.callers)

    @cached_property
    def _targets(self) -> NumberSet:
        return NumberSet(self.targets)
