"""User: all devices of a person ring by the forwarding table; if nobody answers, the mailbox or another element takes
the call."""

from enum import StrEnum
from functools import cached_property
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from routing.call.facts import Forwarding
from routing.call.reasons import Reasons, Why
from routing.call.state import DialEnded, DialStatus, Entered, Event, Played, VoicemailEnded, cause_in
from routing.call.step import Cause, Dial, Diversion, Diverted, Hangup, Play
from routing.hunt.caller_id import CALLER, Identity, Presentation, identity
from routing.hunt.forwarding import MAX_FORWARDS, Nobody, Passed, Reachable, passed_to, who_rings
from routing.hunt.hunting import rings_after
from routing.hunt.presence import is_there
from routing.hunt.ring_rules import MOBILE, CallKind, RingTable
from routing.nodes.node import Do, Go, Here, UnexpectedEvent, Uses
from routing.nodes.voicemail import LEAVE_MESSAGE, take_message
from routing.nodes.when import Inquiry, When
from routing.numbering.dialled import Permissions
from routing.numbering.endpoint import device_of
from routing.numbering.value_types import Destination, Did, Label, Name, Target, all_differ
from routing.platform.platform import STANDARD
from yaml_models.strict_model import Part

DIRECT_CALLS = (CallKind.INTERNAL, CallKind.DIRECT, CallKind.MAIN)      # which ring for the user's own ring_s
MISSED = {
    DialStatus.BUSY: (Why.BUSY(), Cause.BUSY),
    DialStatus.NOANSWER: (Why.NO_ANSWER(), Cause.NO_ANSWER),
    DialStatus.UNAVAILABLE: (Why.NOT_REGISTERED(), Cause.UNAVAILABLE),
    DialStatus.CONGESTION: (Why.REFUSED(), Cause.UNAVAILABLE),
    DialStatus.CANCEL: (Why.CALLER_GAVE_UP(), Cause.NORMAL),
}
class Shows(StrEnum):
    """The number that external parties see when the user calls."""

    OWN = "own"              # the user's own number; the main one where there is none
    MAIN = "main"
    NOTHING = "nothing"


DIVERTED = {DialStatus.BUSY: Diverted.BUSY, DialStatus.NOANSWER: Diverted.NO_ANSWER}
OUTSIDE = 1      # remembered while an external number is called for the user: no forward follows it


class PersonalRule(Part):
    """The target of direct calls to the user while all of `when` holds."""

    title: Label | None = None           # shown in the reasons, such as 'my boss'
    when: When
    to: Destination


class User(Part):
    """A person with an extension, which is the key in the tenant's file."""

    name: Label
    devices: Annotated[tuple[Name, ...], AfterValidator(all_differ)] = Field(default=("phone",), min_length=1, max_length=8)
    ring_s: int = Field(default=20, ge=3, le=120)
    voicemail: bool = True
    call_waiting: bool = True        # rings during a call, too; else that user is busy then
    missed: Target | None = None     # where an unanswered call goes; without it, to the mailbox
    forwards: dict[Forwarding, Destination] = Field(default_factory=dict)      # what the user sets by code or page goes first
    forward_ring_s: int = Field(default=30, ge=3, le=120)                      # for a forward to an external number
    rules: tuple[PersonalRule, ...] = Field(default=(), max_length=50)         # the first that holds goes before all forwards
    mobile: Did | None = None                                                  # rings with the devices, confirms with a key
    mobile_after_s: int = Field(default=0, ge=0, le=60)
    rings: RingTable = Field(default_factory=dict)                             # by kind of call: what rings, after how long
    presentation: Presentation = CALLER                                        # what the mobile and external forwards see
    number: Did | None = None                                                  # of the tenant's; external calls show it
    shows: Shows = Shows.OWN
    site: Name | None = None                                                   # of `sites`; emergency calls show its number
    type: Name = STANDARD                                                      # of the platform's extension types
    permissions: Permissions | None = None                                     # whom the user may call; without it as the type
    closed_outside: When | None = None                                         # no external calls then

    @model_validator(mode="after")
    def rings_are_there(self) -> Self:
        if self.rings and MOBILE in self.devices:
            raise ValueError(f"rings: found a device named {MOBILE!r}, which is the word for the mobile, expected another name")
        known = (*self.devices, *((MOBILE,) if self.mobile else ()))
        for kind, delays in self.rings.items():
            if strangers := [way for way in delays if way not in known]:
                raise ValueError(f"rings.{kind}: found {', '.join(strangers)}, expected some of {', '.join(known)}")
            late = [way for way, delay_s in delays.items() if delay_s - min(delays.values()) >= self.ring_s]
            if late and kind in DIRECT_CALLS:
                raise ValueError(f"rings.{kind}: {', '.join(late)} would never ring, expected less than ring_s, {self.ring_s}")
            if kind is CallKind.QUEUE and set(delays) == {MOBILE}:
                raise ValueError(f"rings.{kind}: found only {MOBILE}, expected a device, without which a queue rings nobody")
        return self

    def uses(self) -> Uses:
        return self._uses

    @cached_property
    def _uses(self) -> Uses:
        targets = [("missed", self.missed)] if self.missed else []
        targets += [(f"forwards.{when}", to) for when, to in self.forwards.items() if not to.startswith("+")]
        outside = [(f"forwards.{when}", to) for when, to in self.forwards.items() if to.startswith("+")]
        outside += [("mobile", self.mobile)] if self.mobile else []
        goals = [(f"rules.{place}.to", rule.to) for place, rule in enumerate(self.rules)]
        targets += [(field, to) for field, to in goals if not to.startswith("+")]
        outside += [(field, to) for field, to in goals if to.startswith("+")]
        shown = [("presentation", self.presentation)] if self.presentation != CALLER else []
        shown += [("number", self.number)] if self.number else []
        rules = [("closed_outside.", self.closed_outside)] if self.closed_outside else []
        rules += [(f"rules.{place}.when.", rule.when) for place, rule in enumerate(self.rules)]
        settings = [(path + field, section, key) for path, when in rules for field, section, key in when.settings()]
        positions = [
            (f"{path}switches.{switch}", switch, position)
            for path, when in rules for switch, position in when.switches.items()]
        return Uses(
            targets=tuple(targets), outside=tuple(outside), shown=tuple(shown), ends=True,
            settings=tuple(settings), positions=tuple(positions))

    def decide(self, here: Here, memory: tuple[int, ...], event: Event) -> Go | Do:
        match event:
            case Entered():
                passed = self._by_rule(here)
                return self._passed(here, passed, (), Diverted.UNCONDITIONAL) if passed else self._ring(here)
            case DialEnded(status=DialStatus.ANSWER):
                return Do(Hangup(Cause.NORMAL), Why.CONVERSATION_OVER())
            case DialEnded(status=status) if memory:
                return self._missed(here, status, MISSED[status][0])
            case DialEnded(status=DialStatus.UNAVAILABLE) if is_there(here.facts, self._rung(here)):
                return self._pass_on(here, DialStatus.BUSY, Why.DECLINED())
            case DialEnded(status=DialStatus.NOANSWER, cause=Cause.NO_ANSWER) if self._rang_one_phone(here):
                # 480, by which a telephone's own key for do not disturb answers: where it rings on, no cause is known.
                return self._pass_on(here, DialStatus.BUSY, Why.DECLINED())
            case DialEnded(status=status):
                return self._pass_on(here, status, MISSED[status][0])
            case Played() if memory:
                return Do(Hangup(cause_in(memory)), Why.CALLER_TOLD() + Why.HANGS_UP())
            case Played() | VoicemailEnded():
                return take_message(here, here.name, LEAVE_MESSAGE, memory, event)
            case _:
                raise UnexpectedEvent(here, event)

    def _by_rule(self, here: Here) -> Passed | None:
        """The target of the first rule that holds and has a reachable target."""
        if not self.rules:
            return None
        asked = Inquiry(here, here.facts.moment.astimezone(ZoneInfo(here.tenant.timezone)))
        for place, rule in enumerate(self.rules):
            if why := rule.when.why(asked, place):
                rule_reason = Why.THIS_CALL(rule.title or Why.RULE(place + 1), why)
                if passed := passed_to(here.tenant, here.facts, here.name, rule.to, here.trail, rule_reason):
                    return passed
        return None

    def _ring(self, here: Here) -> Go | Do:
        match who_rings(here.tenant, here.facts, here.name, trail=here.trail):
            case Reachable(endpoints=endpoints, outside=outside) as found:
                seen = identity(here.tenant, here.facts, self.presentation) if outside else Identity("", "")
                delays_s = found.delays_s if any(found.delays_s) else ()
                rung = [(device_of(endpoint).name, s) for endpoint, s in zip(endpoints, found.delays_s, strict=True)]
                rung += [(leg.number, leg.after_s) for leg in outside]
                rings = tuple(reason for what, delay_s in rung for reason in rings_after(Why.WHO(what), delay_s))
                step = Dial(
                    endpoints, self.ring_s, outside=outside, shown=seen.shown, vouching=seen.vouching, hidden=seen.hidden,
                    delays_s=delays_s)
                return Do(step, Why.RINGS(rings))
            case Passed() as passed:
                return self._passed(here, passed, (), Diverted.UNCONDITIONAL)
            case Nobody(status=status, why=why):
                return self._missed(here, status, why)

    def _rung(self, here: Here) -> tuple[str, ...]:
        """The phones that have rung."""
        found = who_rings(here.tenant, here.facts, here.name, trail=here.trail)
        return found.endpoints if isinstance(found, Reachable) else ()

    def _rang_one_phone(self, here: Here) -> bool:
        """True if nothing else has rung, here or before, so the cause is that of this phone: Asterisk keeps it for the call."""
        if here.trail:
            return False
        found = who_rings(here.tenant, here.facts, here.name, trail=here.trail)
        return isinstance(found, Reachable) and len(found.endpoints) == 1 and not found.outside and not any(found.delays_s)

    def _pass_on(self, here: Here, status: DialStatus, reason: Reasons) -> Go | Do:
        found = who_rings(here.tenant, here.facts, here.name, trail=here.trail, ended=status)
        if not isinstance(found, Passed):
            return self._missed(here, status, reason)
        return self._passed(here, found, reason, DIVERTED.get(status, Diverted.UNAVAILABLE))

    def _passed(self, here: Here, passed: Passed, before: Reasons, reason: Diverted) -> Go | Do:
        if not passed.outside:
            return Go(passed.target, before + passed.why, here.name)
        seen = identity(here.tenant, here.facts, self.presentation)
        dialled = here.facts.dialled
        called = dialled if here.tenant.find_node(dialled) == here.name else here.tenant.number_of(here.name)
        diversion = Diversion(called, reason) if called.startswith("+") else None
        step = Dial(
            (), self.forward_ring_s, outside=passed.outside, shown=seen.shown, vouching=seen.vouching, hidden=seen.hidden,
            diversion=diversion)
        return Do(step, before + passed.why, (OUTSIDE,))

    def _missed(self, here: Here, status: DialStatus, reason: Reasons) -> Go | Do:
        may_pass = here.name not in here.trail and len(here.trail) < MAX_FORWARDS
        if self.missed and may_pass:
            return Go(self.missed, reason + Why.ON_TO(self.missed), here.name)
        if self.voicemail:
            greeting = take_message(here, here.name, LEAVE_MESSAGE, (), Entered())
            return Do(greeting.step, reason + greeting.why)
        return Do(Play(("sys_unavailable",), early=True), reason + Why.NO_MAILBOX(), (int(MISSED[status][1]),))

