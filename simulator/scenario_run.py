"""Scenario run: simulates a scenario's call and compares it with the expected result. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from routing.call.call_server import Failed, Failure
from routing.call.effects import Turn
from routing.call.english import in_english
from routing.call.facts import NOTHING_SET, DeviceState, Personal, Request
from routing.call.reasons import Why
from routing.call.state import Origin, Visit
from routing.call.step import (
    Cause,
    Echo,
    Failover,
    Hangup,
    Listen,
    Move,
    PickUp,
    Play,
    Queue,
    Read,
    Step,
    Unpark,
)
from routing.engine.entry import START
from routing.hours.calendars import CalendarEvent, Events, FetchedCalendar
from routing.numbering.value_types import Extension, Name
from routing.tenant.settings import read_settings
from routing.tenant.tenant import Tenant
from simulator.scenario import Scenario
from simulator.scenario_grammar import (
    STATES,
    PhoneDoes,
)
from simulator.script import Script, Simulation
from simulator.simulate import simulate, takes_call
from yaml_models.document import Document
from yaml_models.errors import Problem

OVER = Why.CONVERSATION_OVER()
ANSWERED_SIP, CANCELLED_SIP = 200, 487
SIP_CODES = {Cause.UNKNOWN_NUMBER: 404, Cause.NORMAL: 603, Cause.BUSY: 486, Cause.NO_ANSWER: 480, Cause.UNAVAILABLE: 480,
             Cause.REFUSED: 403, Cause.CONGESTION: 503}
"""The SIP code for a caller whose call was not answered. Source: chan_pjsip's hangup_cause2sip."""


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """The result of a call, as visible to a caller, a phone and the record: the same for both players."""

    path: tuple[Visit, ...]
    hears: tuple[str, ...]
    ends: str
    sip: int | None                        # None where the failover took the call
    questions: int                         # how often the caller was asked for keys
    settings: Mapping[Extension, Personal] = field(default_factory=dict)      # users' settings afterwards, where there are any
    switches: Mapping[Name, Name] = field(default_factory=dict)               # the positions of all switches afterwards
    talked: int = 0                        # number of transfers begun, refused ones too

    @property
    def nodes(self) -> tuple[str, ...]:
        """The elements and users on the path, each once a stay."""
        names = [visit.node for visit in self.path]
        return tuple(name for i, name in enumerate(names) if name != START and (i == 0 or names[i - 1] != name))


@dataclass(frozen=True, slots=True)
class Scene:
    """One scenario of a tenant with its moment and its place in the file."""

    tenant: Tenant
    scenario: Scenario
    moment: datetime                       # aware
    document: Document
    place: int

    def script(self) -> Script:
        call, phones = self.scenario.call, self.scenario.phones
        extension = call.caller if call.caller in self.tenant.users else ""
        states = dict.fromkeys(self.tenant.users, DeviceState.UNAVAILABLE)
        states |= {user: STATES[phone.does] for user, phone in phones.items()}
        if extension:
            states[extension] = DeviceState.IN_USE
        answers: dict[Request, int] = {Turn(group): count for group, count in self.scenario.given.turns.items()}
        return Script(
            Origin.PHONE if extension else Origin.TRUNK, call.to, self.moment, extension, self.scenario.keys, states,
            silent=frozenset(user for user, phone in phones.items() if phone.does in (PhoneDoes.RINGS, PhoneDoes.IN_A_CALL)),
            caller=call.caller, answers=answers,
            refusing=frozenset(user for user, phone in phones.items() if phone.does in (PhoneDoes.BUSY, PhoneDoes.REDIRECTS)),
            answer_after_s={user: phone.after_s for user, phone in phones.items()},
            hangs_up_in=self.scenario.hangs_up_in,
            declining=frozenset(user for user, phone in phones.items() if phone.does is PhoneDoes.DECLINES),
            keyless=frozenset(user for user, phone in phones.items() if phone.does is PhoneDoes.NO_KEY),
            switches=self.scenario.given.switches, personal=self.settings(),
            last_callers=self.scenario.given.last_callers,
            closed_rooms=frozenset(self.scenario.given.closed_rooms),
            guessed_rooms=frozenset(self.scenario.given.guessed_rooms), calendars=self.calendars(),
            waiting=self.scenario.given.waiting, failing_trunks=frozenset(self.scenario.given.failing_trunks),
            pins=self.scenario.given.pins, usage=self.scenario.given.outside.usage(),
            countries=frozenset(self.scenario.given.outside.countries),
            permission_pins=self.scenario.given.outside.pins_by_user(),
            call_servers={
                name: Failed(said) if isinstance(said, Failure) else said
                for name, said in self.scenario.given.call_servers.items()
            }, talk=self.scenario.talk)

    def settings(self) -> dict[Extension, Personal]:
        """The users' settings, by extension."""
        given = self.scenario.given.settings
        return {extension: read_settings(self.tenant, extension, texts) for extension, texts in given.items()}

    def switches(self) -> dict[Name, Name]:
        """The positions of all switches before the call."""
        return {name: switch.standing(self.scenario.given.switches.get(name)) for name, switch in self.tenant.switches.items()}

    def calendars(self) -> dict[str, FetchedCalendar]:
        """The content at the addresses of calendars."""
        begins = self.moment.replace(hour=0, minute=0)
        events = {
            name: CalendarEvent(begins=begins, ends=begins + timedelta(days=1), title=title)
            for name, title in self.scenario.given.calendars.items()}
        return {
            name: FetchedCalendar(calendar.url, Events([events[name]] if name in events else []))
            for name, calendar in self.tenant.calendars.items() if calendar.url}

    def simulated(self) -> ScenarioResult:
        simulation = simulate(self.tenant, self.script())
        afterwards = {**self.settings(), **simulation.changed}
        settings = {extension: left for extension, left in afterwards.items() if left != NOTHING_SET}
        return replace(result_of(self, simulation), settings=settings, switches={**self.switches(), **simulation.moved})

    def problems(self, found: ScenarioResult) -> list[Problem]:
        """The differences between `found` and the scenario's expectation."""
        expect, title = self.scenario.expect, self.scenario.title
        pairs: list[tuple[str, object, object]] = [("ends", expect.ends, found.ends), ("path", expect.path, found.nodes),
                                                   ("hears", expect.hears, found.hears), ("sip", expect.sip, found.sip)]
        for extension, texts in expect.settings.items():
            wanted = read_settings(self.tenant, extension, texts)
            pairs.append((f"settings.{extension}", wanted, found.settings.get(extension, NOTHING_SET)))
        pairs += [(f"switches.{name}", position, found.switches[name]) for name, position in expect.switches.items()]
        wrong = [
            self._problem(("expect", *where.split(".")), f"{title!r}: found {_shown(is_so)}, expected {_shown(wanted)}")
            for where, wanted, is_so in pairs if wanted is not None and wanted != is_so
        ]
        if len(self.scenario.keys) > found.questions:
            text = f"{title!r}: the caller was asked {found.questions} times, expected {len(self.scenario.keys)}"
            wrong.append(self._problem(("caller",), text))
        if len(self.scenario.talk) > found.talked:
            by = self.scenario.talk[found.talked].by
            wrong.append(self._problem(("talk", str(found.talked)), f"{title!r}: {by} does not talk to anybody then"))
        if wrong:
            reasons = "; ".join(f"{visit.node}: {in_english(visit.why)}" for visit in found.path)
            wrong[0] = Problem(wrong[0].file, wrong[0].line, wrong[0].path, f"{wrong[0].text} ({reasons})")
        return wrong

    def _problem(self, path: tuple[str, ...], text: str) -> Problem:
        return self.document.problem(("scenarios", str(self.place), *path), text)


def path_in_any_order(scene: Scene, path: Iterable[Visit]) -> tuple[Visit, ...]:
    """After a transfer, each channel of the call reports the end of its own conversation, in no fixed order."""
    return tuple(visit for visit in path if not (scene.scenario.talk and visit.why == OVER))


def result_of(scene: Scene, simulation: Simulation) -> ScenarioResult:
    """A simulation as the result of a scenario."""
    steps = simulation.steps
    hears = tuple(prompt for step in steps for prompt in _heard(step))
    sip = ANSWERED_SIP if simulation.talked else _sip(steps, simulation.answered_by)
    return ScenarioResult(
        path_in_any_order(scene, simulation.path), hears, simulation.outcome, sip, sum(_asks(step) for step in steps),
        talked=simulation.talked)


def _asks(step: Step) -> bool:
    """True if a key is awaited."""
    return isinstance(step, Read | Listen) or (isinstance(step, Queue) and bool(step.keys))


def _heard(step: Step) -> tuple[str, ...]:
    match step:
        case Read(first_prompts=before, prompts=prompts):
            return (*before, *prompts)
        case Play(prompts=prompts) | Listen(prompts=prompts):
            return prompts
        case Move(nothing=prompt) | PickUp(nothing=prompt) | Unpark(nothing=prompt) | Echo(prompt=prompt):
            return (prompt,)
        case _:
            return ()


def _sip(steps: tuple[Step, ...], answered_by: str) -> int | None:
    """The final answer to the caller's INVITE."""
    if answered_by or any(takes_call(step) for step in steps):
        return ANSWERED_SIP
    match steps[-1]:
        case Hangup(cause=cause):
            return SIP_CODES[cause]
        case Failover():
            return None
        case _:
            return CANCELLED_SIP


def failures(scenes: Iterable[Scene]) -> list[Problem]:
    """The differences between the simulator's results and the scenarios' expectations."""
    return [problem for scene in scenes for problem in scene.problems(scene.simulated())]


def _shown(value: object) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, tuple) else str(value)
