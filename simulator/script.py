"""Script and result of a simulated call. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from routing.call.admission import NOTHING_USED, Usage
from routing.call.call_server import CallServerReply, Failed
from routing.call.facts import Answers, DeviceState, Personal
from routing.call.questions import UserLoad
from routing.call.state import Origin, Visit
from routing.call.step import Cause, Step
from routing.hours.calendars import FetchedCalendar
from simulator.scenario_grammar import Says, Transfers

REFUSED, HANGS_UP, FAILOVER = "refused", "caller hangs up", "failover"
WHY_REFUSED = {
    Cause.UNKNOWN_NUMBER: "no such number", Cause.NORMAL: "", Cause.BUSY: "busy", Cause.NO_ANSWER: "no answer",
    Cause.UNAVAILABLE: "not reachable", Cause.REFUSED: "not allowed", Cause.CONGESTION: "no line free"}


@dataclass(frozen=True, slots=True)
class Script:
    """The world around the call. `keys` are what the caller presses or says, one entry a question, '' for nothing;
    `states` are by extension (all devices of the user), by device ('201-dect') where one differs from the others, or by
    external number, which is idle by default; the other fields about phones use the same keys. `silent`
    lists the extensions and numbers that ring and do not answer. `answers` are those to questions; a turn that is not among
    them is 0. `call_servers` is each call server's answer; one without an answer is unreachable. The extensions in
    `refusing` are idle and report busy when called, those in `declining` refuse otherwise; the numbers in `keyless`
    answer and press no key. `answer_after_s` is how long a
    phone rings before it is answered, else 0. `hangs_up_in` is where the caller gives up, having pressed all keys: the first
    wait at this node."""

    origin: Origin
    dialled: str
    moment: datetime
    caller_extension: str = ""
    keys: tuple[str | Says, ...] = ()
    states: Mapping[str, DeviceState] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()
    caller: str = ""
    chance: float = 0.0
    switches: Mapping[str, str] = field(default_factory=dict)
    personal: Mapping[str, Personal] = field(default_factory=dict)
    answers: Answers = field(default_factory=dict)
    refusing: frozenset[str] = frozenset()
    answer_after_s: Mapping[str, int] = field(default_factory=dict)
    hangs_up_in: str = ""
    call_servers: Mapping[str, CallServerReply | Failed] = field(default_factory=dict)
    calendars: Mapping[str, FetchedCalendar] = field(default_factory=dict)
    waiting: Mapping[str, int] = field(default_factory=dict)      # by queue: callers in its line
    closed_rooms: frozenset[str] = frozenset()                    # conference rooms that are full or locked
    guessed_rooms: frozenset[str] = frozenset()                   # rooms with too many recent wrong PINs
    declining: frozenset[str] = frozenset()
    keyless: frozenset[str] = frozenset()
    loads: Mapping[str, UserLoad] = field(default_factory=dict)       # by extension: today's conversations
    last_callers: Mapping[str, str] = field(default_factory=dict)      # by extension: the number, as it was shown
    failing_trunks: frozenset[str] = frozenset()                  # that carry no call, by their names
    pins: Mapping[str, str] = field(default_factory=dict)         # by extension, to dial from the mobile; else any is right
    usage: Usage = NOTHING_USED                                   # external calls before this one
    countries: frozenset[str] = frozenset()                       # foreign ones already confirmed
    permission_pins: Mapping[str, str] = field(default_factory=dict)      # by extension, and '' for all others
    talk: tuple[Transfers, ...] = ()                              # actions of users in a conversation, one after another
    transferrer: str = ""                                         # the user who has transferred the call to `dialled`

    def permission_pin(self, extension: str) -> str:
        return self.permission_pins.get(extension, self.permission_pins.get("", ""))


@dataclass(frozen=True, slots=True)
class Simulation:
    """The path with its reasons, and how the call ended, in the words of a scenario: 'answered by 201', 'message for 201',
    'refused', for which see `cause`, 'failover', 'caller hangs up'. `steps` are the requests to the phone system,
    `asked` the nodes that asked for keys, in their order; `rang` the users who could have answered at the end.
    `changed` is the settings afterwards of users for whom a code changed them, and `moved` the positions of the switches that
    were moved."""

    path: tuple[Visit, ...]
    outcome: str
    steps: tuple[Step, ...] = ()
    asked: tuple[str, ...] = ()
    rang: tuple[str, ...] = ()
    changed: Mapping[str, Personal] = field(default_factory=dict)
    moved: Mapping[str, str] = field(default_factory=dict)
    talked: int = 0                  # number of actions in `talk` that were done
    cause: Cause | None = None       # of a call that was refused
    answered_by: str = ""            # the user or number that answered last, '' where the call ended otherwise

    @property
    def ends(self) -> str:
        """The outcome, with the cause."""
        why = WHY_REFUSED[self.cause] if self.cause else ""
        return f"{self.outcome} ({why})" if why else self.outcome
