"""A scenario: one call as a receptionist would describe it, and its expected result. Pure.

    at: 2026-11-25 10:00                       # for every call that has no moment of its own; the tenant's local time
    scenarios:
      - title: The caller presses one and sales answers
        call: {from: "+48600100200", to: "+48221234567"}
        phones: {"201": rings, "202": answers after 1 s}      # a phone that is not named is not registered
        caller: [presses nothing, presses 1]                  # one entry a question; no more are nothing pressed
        expect: {ends: answered by 202, path: [main, sales], hears: [welcome, welcome]}

To describe more of the world (a switch, a setting, an external number's answer): a field of Given, its place in Scene.script in
scenario_run.py, and what sets it on the real system in tests/scenario_player/player.py.
"""

from typing import Annotated, Literal

from pydantic import Field

from routing.call.admission import Usage
from routing.call.call_server import CallServerReply, Failure
from routing.hours.calendars import Title as CalendarTitle
from routing.numbering.value_types import Country, DeviceName, Did, Extension, Name, Pin, Target
from simulator.scenario_grammar import Action, Cast, Ending, From, HangsUp, Heard, Moment, Number, Presses, Says, Talk, Title
from yaml_models.strict_model import Part


class ScenarioCall(Part):
    """`caller` is `from` in the file: an external number, `anonymous`, or the extension of the user who calls."""

    caller: From = Field(alias="from")
    to: Number
    at: Moment | None = None


class ExternalUsage(Part):
    """External calls before this one: lines taken, users' calls and minutes of the day, stopped users ('all' for
    the whole tenant), foreign countries already confirmed, the PIN that overrides permissions by user."""

    lines: Annotated[int, Field(ge=0, le=1000)] = 0
    calls: dict[Extension, Annotated[int, Field(ge=0, le=1000)]] = Field(default_factory=dict)
    minutes: dict[Extension, Annotated[int, Field(ge=0, le=100_000)]] = Field(default_factory=dict)
    stopped: tuple[Extension | Literal["all"], ...] = ()
    countries: tuple[Country, ...] = ()
    pins: dict[Extension | Literal["all"], Pin] = Field(default_factory=dict)

    def usage(self) -> Usage:
        return Usage(self.lines, self.calls, self.minutes, frozenset(_of_all(who) for who in self.stopped))

    def pins_by_user(self) -> dict[str, str]:
        return {_of_all(who): pin for who, pin in self.pins.items()}


def _of_all(who: str) -> str:
    return "" if who == "all" else who


class Given(Part):
    """The world before the call."""

    turns: dict[Name, Annotated[int, Field(ge=0, lt=1_000_000)]] = Field(default_factory=dict)     # calls a group has had
    call_servers: dict[Name, CallServerReply | Failure] = Field(default_factory=dict)                    # the answer of each
    waiting: dict[Name, Annotated[int, Field(ge=0, le=100)]] = Field(default_factory=dict)         # callers in a queue's line
    closed_rooms: tuple[Name, ...] = ()                                                            # full or locked
    guessed_rooms: tuple[Name, ...] = ()                           # with too many recent wrong PINs
    failing_trunks: tuple[Name, ...] = ()                                                          # that carry no call
    outside: ExternalUsage = ExternalUsage()                                                       # before this call
    calendars: dict[Name, CalendarTitle] = Field(default_factory=dict)     # content of each with an address on that day
    settings: dict[Extension, tuple[str, ...]] = Field(default_factory=dict)     # what users have set: [dnd, busy=202]
    switches: dict[Name, Name] = Field(default_factory=dict)                     # position of each
    last_callers: dict[Extension, From] = Field(default_factory=dict)            # the last caller of each user
    pins: dict[Extension, Pin] = Field(default_factory=dict)                     # for dialling from mobiles


class Expect(Part):
    """The expected result; omitted fields are not checked. `path`: the elements and users in their order, each once a stay.
    `hears`: the prompts, in their order. `sip`: the final code that the caller's phone gets for its INVITE. `settings`: what
    these users have set afterwards, all of it; `switches`: their positions afterwards."""

    ends: Ending
    path: tuple[Target, ...] | None = None
    hears: tuple[Heard, ...] | None = None
    sip: Annotated[int, Field(ge=200, le=699)] | None = None
    settings: dict[Extension, tuple[str, ...]] = Field(default_factory=dict)
    switches: dict[Name, Name] = Field(default_factory=dict)


class Scenario(Part):
    title: Title
    call: ScenarioCall
    given: Given = Given()
    # By user (all devices) or device such as 201-dect; an external number that is not named answers.
    phones: dict[Extension | DeviceName | Did, Cast] = Field(default_factory=dict)
    caller: tuple[Action, ...] = Field(default=(), max_length=50)
    talk: tuple[Talk, ...] = Field(default=(), max_length=10)      # actions of users in a conversation, one after another
    expect: Expect

    @property
    def keys(self) -> tuple[str | Says, ...]:
        """The caller's keys or words, one entry a question."""
        return tuple(
            action.keys if isinstance(action, Presses) else action for action in self.caller if not isinstance(action, HangsUp))

    @property
    def hangs_up_in(self) -> str:
        return next((action.node for action in self.caller if isinstance(action, HangsUp)), "")


class Scenarios(Part):
    at: Moment | None = None
    scenarios: tuple[Scenario, ...] = Field(min_length=1, max_length=1000)
