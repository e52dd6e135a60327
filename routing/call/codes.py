"""Feature codes that users dial: one table with defaults; a tenant changes each, or disables it with null. Pure.

A new code is one entry of Feature and one field of Codes of the same name; its implementation reads `Keyed.rest`.
"""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cached_property
from itertools import combinations
from typing import Any, Self

from pydantic import BaseModel, Field

from routing.numbering.value_types import Code, InCallCode, Name
from yaml_models.strict_model import Part


class Feature(StrEnum):
    """The function of a dialled code. Comments: <required> and (optional) keys after the code."""

    VOICEMAIL = "voicemail"                                          # the user's own mailbox
    LOGIN = "login"                                                  # (internal number of a group or queue); without it: all
    LOGOUT = "logout"
    PAUSE = "pause"
    RESUME = "resume"
    STATUS = "status"                                                # plays the user's current settings
    DO_NOT_DISTURB_ON = "do_not_disturb_on"
    DO_NOT_DISTURB_OFF = "do_not_disturb_off"
    FORWARD_UNCONDITIONAL = "forward_unconditional"                  # <number>
    FORWARD_UNCONDITIONAL_OFF = "forward_unconditional_off"
    FORWARD_BUSY = "forward_busy"                                    # <number>
    FORWARD_BUSY_OFF = "forward_busy_off"
    FORWARD_NO_ANSWER = "forward_no_answer"                          # <number>
    FORWARD_NO_ANSWER_OFF = "forward_no_answer_off"
    FORWARD_UNAVAILABLE = "forward_unavailable"                      # <number>
    FORWARD_UNAVAILABLE_OFF = "forward_unavailable_off"
    HIDE_NUMBER = "hide_number"                                      # <number>: called without showing the caller's number
    SHOW_MAIN = "show_main"                                          # <number>: called with the tenant's main number
    CALL_LAST_CALLER = "call_last_caller"
    WAKE_UP = "wake_up"                                              # <HHMM>
    WAKE_UP_OFF = "wake_up_off"
    ECHO = "echo"
    PICK_UP = "pick_up"                                              # a call that rings in one of the user's own groups
    PICK_UP_EXTENSION = "pick_up_extension"                          # <internal number>: a call that rings at that number
    PARK = "park"
    MOVE = "move"                                                    # moves the call of the user's other device here


class Shown(IntEnum):
    """The number that the caller has chosen to show for one call."""

    AS_EVER = 0
    MAIN = 1
    NOTHING = 2


PREFIXES = {Feature.SHOW_MAIN: Shown.MAIN, Feature.HIDE_NUMBER: Shown.NOTHING}


class InCallCodes(Part):
    """Codes keyed during a conversation."""

    blind_transfer: InCallCode | None = "##"
    attended_transfer: InCallCode | None = "*2"
    back: InCallCode | None = "*1"                        # while consulting: back to the party to be transferred
    park: InCallCode | None = "*3"
    move: InCallCode | None = "*5"                        # the user's other phones ring, and the mobile; one takes over


class Codes(Part):
    """All dialled codes, by feature. A code of `switches` moves that switch to its next position, or, followed by a digit, to
    that position of its list."""

    voicemail: Code | None = "*97"
    login: Code | None = "*50"
    logout: Code | None = "*51"
    pause: Code | None = "*52"
    resume: Code | None = "*53"
    status: Code | None = "*54"
    do_not_disturb_on: Code | None = "*78"
    do_not_disturb_off: Code | None = "*79"
    forward_unconditional: Code | None = "*72"
    forward_unconditional_off: Code | None = "*73"
    forward_busy: Code | None = "*90"
    forward_busy_off: Code | None = "*91"
    forward_no_answer: Code | None = "*92"
    forward_no_answer_off: Code | None = "*93"
    forward_unavailable: Code | None = "*94"
    forward_unavailable_off: Code | None = "*95"
    hide_number: Code | None = "*67"
    show_main: Code | None = "*68"
    call_last_caller: Code | None = "*69"
    wake_up: Code | None = "*55"
    wake_up_off: Code | None = "*56"
    echo: Code | None = "*43"
    pick_up: Code | None = "*8"
    pick_up_extension: Code | None = "**"
    park: Code | None = "*70"
    move: Code | None = "*71"
    switches: dict[Name, Code] = Field(default_factory=dict)
    in_call: InCallCodes = InCallCodes()

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """pydantic would copy the default for every tenant; it is frozen."""
        return self

    @cached_property
    def _dialled(self) -> tuple[tuple[Code, Feature], ...]:
        return tuple((code, feature) for feature in Feature if (code := getattr(self, feature)))

    def keyed(self, dialled: str) -> "Keyed | SwitchKeyed | None":
        """The code that was dialled, with the keys after it; None if the number begins with no code."""
        for code, feature in self._dialled:
            if dialled.startswith(code):
                return Keyed(feature, dialled.removeprefix(code))
        for switch, code in self.switches.items():
            if dialled.startswith(code):
                return SwitchKeyed(switch, dialled.removeprefix(code))
        return None

    def without_prefix(self, dialled: str) -> tuple[Shown, str]:
        """The number to show that a prefix code selects, and the dialled number without that code."""
        match self.keyed(dialled):
            case Keyed(feature=feature, rest=rest) if feature in PREFIXES and rest:
                return PREFIXES[feature], rest
            case _:
                return Shown.AS_EVER, dialled

    def problems(self, switches: Container[Name]) -> Iterator[tuple[tuple[str, ...], str]]:
        """Ambiguous codes, and codes of unknown switches: the field's path and what is wrong. No code can be mistaken for
        an internal or an emergency number, since each begins with '*'."""
        yield from self._clashes
        for switch in self.switches:
            if switch not in switches:
                yield ("switches", switch), f"no switch named {switch!r}"

    @cached_property
    def _clashes(self) -> tuple[tuple[tuple[str, ...], str], ...]:
        return tuple(self._found_clashes())

    def _found_clashes(self) -> Iterator[tuple[tuple[str, ...], str]]:
        dialled: dict[tuple[str, ...], str] = {(feature.value,): code for code, feature in self._dialled}
        dialled |= {("switches", switch): code for switch, code in self.switches.items()}
        during = {("in_call", field): code for field in InCallCodes.model_fields if (code := getattr(self.in_call, field))}
        for table in (dialled, during):
            for (path, code), (other_path, other) in combinations(table.items(), 2):
                if not code.startswith(other) and not other.startswith(code):
                    continue
                if self._is_written(path):
                    yield path, f"{code} and {other}, which is {'.'.join(other_path)}: the same keys could mean both"
                else:
                    yield other_path, f"{other} and {code}, which is {'.'.join(path)}: the same keys could mean both"

    def _is_written(self, path: tuple[str, ...]) -> bool:
        """True if the tenant's file sets this code."""
        table: BaseModel = self.in_call if path[0] == "in_call" else self
        return path[0] == "switches" or path[-1] in table.model_fields_set


@dataclass(frozen=True, slots=True)
class Keyed:
    feature: Feature
    rest: str                  # keys after the code: digits, '*', '#' and '+', in any number and order


@dataclass(frozen=True, slots=True)
class SwitchKeyed:
    switch: Name
    rest: str
