"""Queue: callers wait in a line for agents, who log in and out."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from routing.call.reasons import Reasons, Why
from routing.call.state import Digits, Entered, Event, Played, QueueEnd, QueueLeft
from routing.call.step import Agent, CallBack, Cause, ExternalNumber, Hangup, Play, Queue, Read
from routing.hunt.hunting import Algorithm
from routing.hunt.presence import GroupPresence, is_out, presence_in
from routing.hunt.ring_rules import CallKind
from routing.nodes.node import Do, Element, Go, Here, UnexpectedEvent, Uses, numbered
from routing.nodes.outbound_policy import is_stopped
from routing.numbering.dialled import class_of
from routing.numbering.numbers import NumberClass, classify
from routing.numbering.value_types import Extension, Extensions, Key, Name, Target
from yaml_models.strict_model import Part

MAX_AGENTS = 200
CALL_BACK_PROMPTS = (
    "sys_queue_call_back", "sys_queue_call_back_agreed", "sys_queue_call_back_agent", "sys_queue_call_back_unanswered",
    "sys_queue_call_back_refused")
IN_LINE = frozenset({Why.WAITS_FOR, Why.OFFERS_CALL_BACK, Why.WAITS_TO_CALL_BACK})      # reasons of a caller in the line
Strategy = Literal[
    Algorithm.RING_ALL, Algorithm.ORDERED, Algorithm.ROUND_ROBIN, Algorithm.LONGEST_IDLE, Algorithm.LEAST_LOADED,
    Algorithm.RANDOM]
Seconds = Annotated[int, Field(ge=5, le=3600)]


class Later(Part):
    """Additional agents, who ring once a caller has waited this long."""

    after_s: Seconds
    members: Extensions = Field(min_length=1, max_length=MAX_AGENTS)


class Announce(Part):
    """Announcements to a waiting caller: the place in the line, at once, when it changes and at this interval; the first time
    also the recent waiting time of others, in minutes, unless the caller is the next. No ringing is cut: a caller for whom
    an agent rings hears it between two attempts."""

    position: bool = True
    waiting_time: bool = False
    every_s: int = Field(default=60, ge=15, le=600)


class Periodic(Part):
    """Prompts for a waiting caller, one after another."""

    prompts: tuple[Name, ...] = Field(min_length=1, max_length=10)
    every_s: int = Field(default=60, ge=10, le=600)


class CallBackOffer(Part):
    """With this key a waiting caller asks for a call back at their turn, if the number is a fixed or mobile one of the
    tenant's country: anybody could claim to call from an expensive one."""

    key: Key = "1"
    ring_s: int = Field(default=30, ge=10, le=120)
    trunk: Name | None = None                # default: by the tenant's routes


class CallQueue(Element):
    """The member who answers gets the caller who has waited longest. Agents who are logged out, paused or in do-not-disturb
    are never rung, and those in a call are passed over; no forward is followed."""

    strategy: Strategy = Algorithm.RING_ALL
    members: Extensions = Field(min_length=1, max_length=MAX_AGENTS)
    later: tuple[Later, ...] = Field(default=(), max_length=9)               # in the order of time
    ring_s: int = Field(default=20, ge=3, le=120)                            # each attempt
    retry_s: int = Field(default=2, ge=1, le=60)                             # between two attempts
    wrap_up_s: int = Field(default=0, ge=0, le=600)                          # an agent's rest after each conversation
    service_level_s: int = Field(default=20, ge=1, le=600)                   # answered so soon counts as in time
    max_waiting: int | None = Field(default=None, ge=1, le=1000)             # callers in the line
    max_wait_s: int | None = Field(default=None, ge=5, le=7200)
    wait_when_empty: bool = False                                            # where no agent is available
    prompt: Name | None = None                                               # before the waiting
    music: Name | None = None                                                # while waiting
    announce: Announce | None = None
    periodic: Periodic | None = None
    keys: dict[Key, Target] = Field(default_factory=dict)                    # by which a waiting caller leaves
    call_back: CallBackOffer | None = None
    unanswered: Target                                                       # waited for max_wait_s
    full: Target | None = None                                               # max_waiting are waiting; or unanswered
    empty: Target | None = None                                              # no agent is available any more; or unanswered

    @model_validator(mode="after")
    def members_fit(self) -> Self:
        everybody = [*self.members, *(member for each in self.later for member in each.members)]
        if twice := sorted({member for member in everybody if everybody.count(member) > 1}):
            raise ValueError(f"found {', '.join(twice)} twice, expected each member once")
        if self.call_back and self.call_back.key in self.keys:
            raise ValueError(f"call_back: key {self.call_back.key} is also one of keys, expected another one")
        if self.wait_when_empty and not self.max_wait_s and not self.exit_keys:
            raise ValueError(
                "wait_when_empty: where nobody is there the wait never ends, expected max_wait_s, keys or call_back")
        times = [each.after_s for each in self.later]
        if times != sorted(set(times)):
            raise ValueError("later: expected each after_s later than the one before")
        return self

    @property
    def tiers(self) -> tuple[tuple[int, tuple[Extension, ...]], ...]:
        """Seconds of waiting, and the agents who ring from then on; the first entry has 0 seconds."""
        return ((0, self.members), *((each.after_s, each.members) for each in self.later))

    @property
    def agents(self) -> tuple[Extension, ...]:
        return tuple(member for _, members in self.tiers for member in members)

    def uses(self) -> Uses:
        exits = {"unanswered": self.unanswered, "full": self.full, "empty": self.empty}
        prompts = [("prompt", self.prompt)] if self.prompt else []
        prompts += numbered("periodic.prompts", self.periodic.prompts) if self.periodic else []
        prompts += [("call_back", name) for name in CALL_BACK_PROMPTS] if self.call_back else []
        later = [pair for i, each in enumerate(self.later) for pair in numbered(f"later.{i}.members", each.members)]
        return Uses(
            targets=(*((f"keys.{key}", target) for key, target in self.keys.items()),
                     *((field, target) for field, target in exits.items() if target)),
            prompts=tuple(prompts), users=(*numbered("members", self.members), *later),
            musics=(("music", self.music),) if self.music else (),
            trunks=(("call_back.trunk", self.call_back.trunk),) if self.call_back and self.call_back.trunk else (),
            ends=self.call_back is not None)

    @property
    def exit_keys(self) -> tuple[Key, ...]:
        """All keys that leave the line, for any caller."""
        return (*self.keys, *((self.call_back.key,) if self.call_back else ()))

    def decide(self, here: Here, memory: tuple[int, ...], event: Event) -> Go | Do:
        match event:
            case Entered() if not self.wait_when_empty and self._is_empty(here):
                return self._leave(self.empty, Why.NO_AGENT())
            case Entered() if self.prompt:
                return Do(Play((self.prompt,)), Why.PLAYS(self.prompt))
            case Played() if memory:
                return Do(Hangup(Cause.NORMAL), Why.HANGS_UP())
            case Entered() | Played():
                return self._wait(here)
            case QueueLeft(end=QueueEnd.ANSWERED):
                return Do(Hangup(Cause.NORMAL), Why.CONVERSATION_OVER())
            case QueueLeft(end=QueueEnd.KEY, key=key) if key in self.keys:
                return Go(self.keys[key], Why.KEY(key) + Why.ON_TO(self.keys[key]))
            case QueueLeft(end=QueueEnd.KEY, key=key, place=place) if self.call_back and key == self.call_back.key:
                if not _can_be_called(here, self.call_back) or is_stopped(here):
                    return self._wait(here, Why.CANNOT_BE_CALLED_BACK(here.facts.caller), place)
                return Do(Read(("sys_queue_call_back",), 1, 5), Why.KEY(key) + Why.OFFERS_CALL_BACK(), (place,))
            case Digits(keys="1") if memory and self.call_back and _can_be_called(here, self.call_back):
                return self._call_back(here, self.call_back, memory[0])
            case Digits() if memory:
                return self._wait(here, Why.NO_CALL_BACK(), memory[0])
            case QueueLeft(end=QueueEnd.KEY, key=key):
                return self._leave(None, Why.KEY(key) + Why.LEADS_NOWHERE())
            case QueueLeft(end=QueueEnd.TIMEOUT):
                return self._leave(None, Why.WAITED(self.max_wait_s) if self.max_wait_s else Why.WAITED_LONG())
            case QueueLeft(end=QueueEnd.FULL):
                return self._leave(self.full, Why.LINE_FULL())
            case QueueLeft(end=QueueEnd.EMPTY):
                return self._leave(self.empty, Why.NO_AGENT_LEFT())
            case _:
                raise UnexpectedEvent(here, event)

    def _wait(self, here: Here, before: Reasons = (), place: int = 0) -> Do:
        agents = tuple(
            _agent(here, member, after_s) for after_s, members in self.tiers for member in members if not _is_out(here, member))
        language = here.chosen.language or here.tenant.language
        step = Queue(
            here.name, agents, self.max_wait_s or 0, self.max_waiting or 0, self.exit_keys, len(self.tiers),
            self.music or here.chosen.music, language if self.announce else "", place)
        return Do(step, before + Why.WAITS_FOR(", ".join(agent.extension for agent in agents)))

    def _call_back(self, here: Here, offer: CallBackOffer, place: int) -> Do:
        leg = ExternalNumber(here.facts.caller, here.tenant.trunk_endpoint(offer.trunk, here.facts.caller))
        agreed, agent, unanswered, refused = CALL_BACK_PROMPTS[1:]
        step = CallBack(
            here.name, place, leg, offer.ring_s, here.tenant.main_number, agreed, agent, unanswered, refused,
            len(self.tiers))
        return Do(step, Why.CALLS_BACK(here.facts.caller, place), (place,))

    def _leave(self, target: Target | None, why: Reasons) -> Go:
        return Go(target or self.unanswered, why + Why.ON_TO(target or self.unanswered))

    def _is_empty(self, here: Here) -> bool:
        members = ((seat, here.tenant.endpoints_of(seat.member)) for seat in here.tenant.line_of(here.name))
        return presence_in(here.facts, members) is GroupPresence.NOBODY_THERE


def _can_be_called(here: Here, offer: CallBackOffer) -> bool:
    caller, tenant = here.facts.caller, here.tenant
    if classify(caller, tenant.country) not in (NumberClass.FIXED, NumberClass.MOBILE) or tenant.refusal_of(caller):
        return False
    call_class = class_of(caller, tenant.country)
    return call_class is not None and bool(offer.trunk or tenant.trunks_for(call_class))


def _agent(here: Here, member: Extension, after_s: int) -> Agent:
    ways = here.tenant.ways_of(member, CallKind.QUEUE)
    return Agent(member, ways.endpoints, after_s, ways.delays_s if any(ways.delays_s) else ())


def _is_out(here: Here, member: Extension) -> bool:
    """True for a member who never rings for this call."""
    personal = here.facts.set_by(member)
    return member == here.facts.caller_extension or personal.do_not_disturb or is_out(personal, (here.name,))
