"""Feature codes that users dial: each is one step, after which the call ends, or a number that is called instead. Pure."""

import re
from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from routing.call.changes import DoNotDisturb, Forward, LoggedOut, Paused, Setting, WakeUp
from routing.call.codes import Feature, Keyed, SwitchKeyed
from routing.call.effects import CHANGED, NOT_CHANGED, PAUSES, ChangeSetting, Flip, FlipPause, PutSwitch
from routing.call.facts import Facts, Forwarding
from routing.call.questions import NOT_KNOWN, LastCaller
from routing.call.reasons import Reasons, Why
from routing.call.step import Cause, CheckVoicemail, Echo, Move, PickUp, Play, Step
from routing.nodes.node import Do
from routing.numbering.numbers import e164, find_did
from routing.numbering.value_types import Extension, Name
from routing.speech.code_phrases import digits
from routing.speech.prompts import name_of_element
from routing.tenant.settings import checked_forward, groups_of
from routing.tenant.tenant import Tenant


@dataclass(frozen=True, slots=True)
class Dials:
    """The call goes on as if this internal or full number had been dialled."""

    number: str
    why: Reasons


def _last(step: Step, why: Reasons) -> Do:
    """The step, after which the call is over."""
    return Do(step, why, (int(Cause.NORMAL),))


WRONG = Play(("sys_code_wrong",))
NOTHING_TO_PICK_UP = Play(("sys_nothing_to_pick_up",), early=True)
FAILED = Play(("sys_code_failed",))
FORWARDS = {
    Feature.FORWARD_UNCONDITIONAL: Forwarding.UNCONDITIONAL, Feature.FORWARD_BUSY: Forwarding.BUSY,
    Feature.FORWARD_NO_ANSWER: Forwarding.NO_ANSWER, Feature.FORWARD_UNAVAILABLE: Forwarding.UNAVAILABLE,
}
ELSEWHERE = {Feature.HIDE_NUMBER, Feature.SHOW_MAIN}
FORWARDS_OFF = {
    Feature.FORWARD_UNCONDITIONAL_OFF: Forwarding.UNCONDITIONAL, Feature.FORWARD_BUSY_OFF: Forwarding.BUSY,
    Feature.FORWARD_NO_ANSWER_OFF: Forwarding.NO_ANSWER, Feature.FORWARD_UNAVAILABLE_OFF: Forwarding.UNAVAILABLE,
}


def play_code(tenant: Tenant, facts: Facts, extension: Extension, keyed: Keyed | SwitchKeyed) -> Do | Dials | None:
    """The function of the code for the user who dials it. None for a code not implemented here, or dialled by a phone without
    a user. Raises Unanswered."""
    if extension not in tenant.users:
        return None
    code = _Code(tenant, facts, extension)
    match keyed:
        case SwitchKeyed(switch=switch, rest=rest):
            return code.move(switch, rest)
        case Keyed(feature=Feature.LOGIN | Feature.LOGOUT | Feature.PAUSE | Feature.RESUME as feature, rest=rest):
            return code.attend(feature, rest)
        case Keyed(feature=feature, rest=rest) if feature in FORWARDS:
            return code.forward(FORWARDS[feature], rest)
        case Keyed(feature=Feature.PICK_UP_EXTENSION, rest=other):
            return code.pick_up_for(other)
        case Keyed(feature=Feature.WAKE_UP, rest=rest):
            return code.wake_up(rest)
        case Keyed(feature=feature) if feature in ELSEWHERE:
            return None
        case Keyed(feature=feature, rest=rest) if rest:
            return _last(WRONG, Why.CODE_TAKES_NOTHING(feature, rest))
        case Keyed(feature=feature) if feature in FORWARDS_OFF:
            return code.no_forward(FORWARDS_OFF[feature])
        case Keyed(feature=Feature.VOICEMAIL):
            return code.voicemail()
        case Keyed(feature=Feature.PICK_UP):
            return code.pick_up()
        case Keyed(feature=Feature.STATUS):
            return _last(Play(code.status() or ("sys_nothing_set",)), Why.ASKS_WHAT_IS_SET(extension))
        case Keyed(feature=Feature.DO_NOT_DISTURB_ON):
            return code.change(DoNotDisturb(on=True), ("sys_dnd_on",), Why.NOT_TO_BE_DISTURBED(extension))
        case Keyed(feature=Feature.DO_NOT_DISTURB_OFF):
            return code.change(DoNotDisturb(on=False), ("sys_dnd_off",), Why.MAY_BE_DISTURBED(extension))
        case Keyed(feature=Feature.WAKE_UP_OFF):
            return code.change(WakeUp(None), ("sys_wake_up_off",), Why.NOT_WOKEN_UP(extension))
        case Keyed(feature=Feature.CALL_LAST_CALLER):
            return code.call_last_caller()
        case Keyed(feature=Feature.MOVE):
            move = Move(extension, tenant.users[extension].mobile or "", "sys_nothing_to_move")
            return _last(move, Why.TAKES_OWN_CALL(extension))
        case Keyed(feature=Feature.PARK) if tenant.park_extension:
            return Dials(tenant.park_extension, Why.PARKS(extension))
        case Keyed(feature=Feature.PARK):
            return _last(WRONG, Why.NO_LOT())
        case Keyed(feature=Feature.ECHO):
            return _last(Echo("sys_echo"), Why.HEARS_ITSELF(extension))
        case _:
            raise AssertionError(f"nothing is known of {keyed}")


def woken(tenant: Tenant, facts: Facts, extension: Extension) -> Do:
    """The prompts of a wake-up call for the user who answers it. The call then ends."""
    noted = facts.perform(ChangeSetting(extension, WakeUp(None))) == CHANGED
    clock = facts.moment.astimezone(ZoneInfo(tenant.timezone))
    why = Why.IS_AWAKE(extension) if noted else Why.IS_AWAKE_NOT_NOTED(extension)
    return _last(Play(("sys_time_is", *digits(f"{clock:%H%M}"))), why)


@dataclass(frozen=True, slots=True)
class _Code:
    """A code dialled by this user."""

    tenant: Tenant
    facts: Facts
    extension: Extension

    def change(self, setting: Setting, prompts: tuple[Name, ...], why: Reasons) -> Do:
        if self.facts.perform(ChangeSetting(self.extension, setting)) == NOT_CHANGED:
            return _last(FAILED, Why.CANNOT_BE_CHANGED(why))
        return _last(Play(prompts), why)

    def voicemail(self) -> Do:
        if self.tenant.users[self.extension].voicemail:
            return _last(CheckVoicemail(self.extension), Why.CHECKS_MAILBOX(self.extension))
        return _last(Play(("sys_no_mailbox",)), Why.HAS_NO_MAILBOX(self.extension))

    def pick_up(self) -> Do:
        groups = self.tenant.pickup_groups_of(self.extension)
        if not groups:
            return _last(NOTHING_TO_PICK_UP, Why.IN_NO_PICKUP_GROUP(self.extension))
        return _last(PickUp((), "sys_nothing_to_pick_up"), Why.PICKS_UP_IN(self.extension, ", ".join(groups)))

    def pick_up_for(self, other: str) -> Do:
        """A user in no common pickup group hears the same as if nothing rang."""
        if not self.tenant.may_pick_up(self.extension, other):
            return _last(NOTHING_TO_PICK_UP, Why.NO_PICKUP_GROUP_WITH(self.extension, other))
        ringing = PickUp(self.tenant.endpoints_of(other), "sys_nothing_to_pick_up")
        return _last(ringing, Why.PICKS_UP_FOR(self.extension, other))

    def attend(self, feature: Feature, number: str) -> Do:
        """Log in or out, pause or resume: in one group or queue, by its internal number, or in all. Pausing with the user's own
        extension is what a key with a lamp dials."""
        if number == self.extension and feature is Feature.PAUSE:
            return self.flip_pause()
        own = groups_of(self.tenant, self.extension)
        group = self.tenant.internal_numbers.get(number, "") if number else ""
        if number and group not in own:
            return _last(Play(("sys_code_no_group",)), Why.IN_NO_GROUP(self.extension, number))
        others = tuple(name for name in own if name != group)
        settings: dict[Feature, tuple[Setting, str, str, Why, Why]] = {
            Feature.LOGIN: (LoggedOut(False, group, others), "sys_logged_in", "_to", Why.LOGS_IN, Why.LOGS_IN_TO),
            Feature.LOGOUT: (LoggedOut(True, group, others), "sys_logged_out", "_of", Why.LOGS_OUT, Why.LOGS_OUT_OF),
            Feature.PAUSE: (Paused(True, group, others), "sys_paused", "_in", Why.PAUSES, Why.PAUSES_IN),
            Feature.RESUME: (Paused(False, group, others), "sys_resumed", "_in", Why.RESUMES, Why.RESUMES_IN),
        }
        setting, prompt, in_one, everywhere, why = settings[feature]
        if not group:
            return self.change(setting, (prompt,), everywhere(self.extension))
        return self.change(setting, (prompt + in_one, name_of_element(group)), why(self.extension, group))

    def flip_pause(self) -> Do:
        found = self.facts.perform(FlipPause(self.extension))
        if found == NOT_CHANGED:
            return _last(FAILED, Why.CANNOT_BE_CHANGED(Why.FLIPS_PAUSE(self.extension)))
        if found == PAUSES:
            return _last(Play(("sys_paused",)), Why.PAUSES(self.extension))
        return _last(Play(("sys_resumed",)), Why.RESUMES(self.extension))

    def forward(self, kind: Forwarding, number: str) -> Do:
        try:
            to = self._forward_target(number)
        except ValueError as error:
            why = Why.CANNOT_FORWARD(self.extension, number, str(error))
            return _last(Play(("sys_forward_refused",)), why)
        prompts = (f"sys_forward_{kind}", *digits(to))
        return self.change(Forward(kind, to), prompts, Why.FORWARDS_TO(self.extension, to, kind))

    def _forward_target(self, number: str) -> str:
        """The target as it is stored: an internal or a full number. Raises ValueError that says why no call can go there."""
        if not re.fullmatch(r"\+?[0-9]{1,20}", number, re.ASCII):
            raise ValueError("is no number")
        if number in self.tenant.internal_numbers:
            if number == self.extension:
                raise ValueError("is the user's own")
            return number
        if did := find_did(number, self.tenant.country, self.tenant.numbers, self.tenant.area_code):
            return did
        to = self.tenant.destination(number)
        self.tenant.trunk_endpoint(None)
        checked_forward(self.tenant, self.extension, to)
        return to

    def no_forward(self, kind: Forwarding) -> Do:
        setting = Forward(kind, "", fixed=kind in self.tenant.forwards_of(self.extension))
        return self.change(setting, (f"sys_forward_{kind}_off",), Why.FORWARDS_NOTHING(self.extension, kind))

    def wake_up(self, clock: str) -> Do:
        if not re.fullmatch("([01][0-9]|2[0-3])[0-5][0-9]", clock, re.ASCII):
            return _last(Play(("sys_wake_up_wrong",)), Why.NO_TIME(clock))
        at = next_moment(self.facts.moment, time(int(clock[:2]), int(clock[2:])), ZoneInfo(self.tenant.timezone))
        shown = f"{clock[:2]}:{clock[2:]}"
        return self.change(WakeUp(at), ("sys_wake_up_at", *digits(clock)), Why.WOKEN_UP_AT(self.extension, shown))

    def move(self, name: Name, place: str) -> Do:
        """Moves a switch to the position with this place in its list, or to the next."""
        switch = self.tenant.switches[name]
        if not place:
            moved = self.facts.perform(Flip(name, switch.positions, switch.standing(None)))
        elif re.fullmatch("[1-9]|10", place, re.ASCII) and int(place) <= len(switch.positions):
            moved = int(place) - 1
            if self.facts.perform(PutSwitch(name, switch.positions[moved])) != CHANGED:
                moved = NOT_CHANGED
        else:
            return _last(WRONG, Why.NO_POSITION(name, place))
        if moved == NOT_CHANGED:
            return _last(Play(("sys_switch_stuck",)), Why.SWITCH_STUCK(name))
        position = switch.positions[moved]
        return _last(Play((switch.prompt_of(position),)), Why.MOVES_SWITCH(self.extension, name, position))

    def status(self) -> tuple[Name, ...]:
        """The prompts that announce the user's settings."""
        found = self.facts.set_by(self.extension)
        forwards = {**self.tenant.forwards_of(self.extension), **found.forwards}
        own = groups_of(self.tenant, self.extension)
        prompts: list[Name] = ["sys_dnd_on"] if found.do_not_disturb else []
        prompts += ["sys_logged_out"] if found.logged_out else _in_each("sys_logged_out_of", own, found.logged_out_of)
        prompts += ["sys_paused"] if found.paused else _in_each("sys_paused_in", own, found.paused_in)
        for kind in Forwarding:
            if to := forwards.get(kind):
                prompts += [f"sys_forward_{kind}", *((name_of_element(to),) if to in self.tenant.named_aloud else digits(to))]
        if found.wake_up:
            local = found.wake_up.astimezone(ZoneInfo(self.tenant.timezone))
            prompts += ["sys_wake_up_at", *digits(f"{local:%H%M}")]
        return tuple(prompts)

    def call_last_caller(self) -> Do | Dials:
        shown = self.facts.answer(LastCaller(self.extension))
        if shown == NOT_KNOWN:
            return _last(FAILED, Why.LAST_CALLER_NOT_KNOWN())
        number = shown if shown in self.tenant.internal_numbers else e164(shown, self.tenant.country)
        if number not in self.tenant.internal_numbers and not re.fullmatch(r"\+[1-9][0-9]{6,14}", number, re.ASCII):
            return _last(Play(("sys_no_last_caller",)), Why.NO_LAST_CALLER(self.extension))
        return Dials(number, Why.CALLS_LAST_CALLER(self.extension))


def next_moment(now: datetime, clock: time, zone: ZoneInfo) -> datetime:
    """The next moment, later than `now`, at this local time. On the day when the clock skips it, an hour later."""
    today = now.astimezone(zone).date()
    moments = (datetime.combine(today + timedelta(days=days), clock, zone) for days in range(3))
    return next(moment for each in moments if (moment := each.astimezone(UTC)) > now)


def _in_each(prompt: Name, own: Iterable[Name], found: Container[Name]) -> list[Name]:
    return [piece for group in own if group in found for piece in (prompt, name_of_element(group))]
