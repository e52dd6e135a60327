"""Calls in progress, assembled from channel events, and the call record made from the events of one that has ended. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import accumulate
from typing import NamedTuple
from urllib.parse import unquote

from ami.records.events import UNSTORABLE, CelEvent, extra_of, said
from routing.call.reasons import Why, read_reasons
from routing.numbering.endpoint import DeviceEndpoint, read_endpoint
from store.records import CallRecord, Leg, Outcome, PathEntry

FAILOVER = ("failover", Why.NO_SERVICE())
_SERIAL = re.compile(r"-[0-9a-f]{8}(;[12])?$")
_CONTROL = re.compile("[\0-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class EndedCall:
    """An ended call, with its events in order. `whole`: the beginning of its first channel was read; `interrupted`: its end
    was not."""

    linkedid: str
    events: Sequence[CelEvent]
    interrupted: bool = False

    @property
    def whole(self) -> bool:
        return any(event.kind == "CHAN_START" and event.uniqueid == self.linkedid for event in self.events)


@dataclass(slots=True)
class PendingCalls:
    """The calls that have begun and not ended, by linkedid, the oldest first. No event raises, in any order.

    A channel may move from its call to an older one: a consultation becomes part of the call that it transfers, and so does the
    call of a user who picks up a call or retrieves a parked one. Its own call then ends without its HANGUP. The others of
    that call also belong to the older one, and may keep their old linkedid, as the far half of a Local channel does.
    After a transfer to an announcement no bridge joins the two calls: only ATTENDEDTRANSFER shows that they became one.
    """

    events: dict[str, list[CelEvent]] = field(default_factory=dict)
    _call_of: dict[str, str] = field(default_factory=dict)       # the linkedid of each channel that is up, by uniqueid
    _up: dict[str, set[str]] = field(default_factory=dict)       # the same, by linkedid
    _became: dict[str, str] = field(default_factory=dict)        # from each call that joined a pending call to that call
    _parts: dict[str, list[str]] = field(default_factory=dict)   # the same, by the pending one

    def place(self, event: CelEvent) -> None:
        """Adds the event to the call that its channel belongs to now. Call it before `join`."""
        event.linkedid = self._became.get(event.linkedid, event.linkedid)

    def join(self, event: CelEvent) -> str:
        """If this event moves a channel to another call, adds its old call to that one. Returns the linkedid that is no longer
        a call, else ''. Call it before `take`."""
        before = self._call_of.get(event.uniqueid, event.linkedid)
        if event.kind == "ATTENDEDTRANSFER" and not event.user_event:
            other = self._call_of.get(str(extra_of(event.extra).get("channel2_uniqueid")), before)
            event.linkedid, before = sorted((before, other), key=lambda call: self._began_at(call, event.at))
        call = event.linkedid
        if before == call:
            return ""
        if together := self.events.pop(before, []) + self.events.pop(call, []):
            self.events[call] = sorted(together, key=lambda each: each.at)
        moved = self._up.pop(before, set())
        self._up.setdefault(call, set()).update(moved)
        self._call_of.update(dict.fromkeys(moved, call))
        parts = [*self._parts.pop(before, []), before]
        self._became.update(dict.fromkeys(parts, call))
        self._parts.setdefault(call, []).extend(parts)
        return before

    def _began_at(self, linkedid: str, otherwise: datetime) -> datetime:
        return self.events[linkedid][0].at if linkedid in self.events else otherwise

    def take(self, event: CelEvent) -> EndedCall | None:
        """Adds an event and returns the call if this was its last event. The same event a second time changes nothing."""
        events = self.events.setdefault(event.linkedid, [])
        if events and event.at <= events[-1].at and event in events:
            return None
        events.append(event)
        if event.user_event:
            return None
        match event.kind:
            case "CHAN_START":
                self._call_of[event.uniqueid] = event.linkedid
                self._up.setdefault(event.linkedid, set()).add(event.uniqueid)
            case "HANGUP" if event.uniqueid in self._call_of:
                self._up.get(self._call_of.pop(event.uniqueid), set()).discard(event.uniqueid)
            case "LINKEDID_END" if not self._up.get(event.linkedid):
                return self._end(event.linkedid)
        return None

    def channels(self, linkedid: str) -> frozenset[str]:
        """The channels of a call of which no hang-up was read, by uniqueid."""
        events = self.events[linkedid]
        hung_up = {event.uniqueid for event in events if event.kind == "HANGUP" and not event.user_event}
        return frozenset({event.uniqueid for event in events} - hung_up | self._up.get(linkedid, set()))

    def interrupt(self, linkedid: str) -> EndedCall:
        """Ends a call whose last event will never come."""
        return self._end(linkedid, interrupted=True)

    def _end(self, linkedid: str, interrupted: bool = False) -> EndedCall:
        for uniqueid in self._up.pop(linkedid, ()):
            self._call_of.pop(uniqueid, None)
        for part in self._parts.pop(linkedid, ()):
            self._became.pop(part, None)
        return EndedCall(linkedid, self.events.pop(linkedid), interrupted)


class Start(NamedTuple):
    """The caller's number, name and the dialled number, as the caller sent them, without control characters."""

    caller: str
    caller_name: str
    dialled: str


def assemble(ended: EndedCall) -> tuple[CallRecord, tuple[Leg, ...]] | None:
    """The record of a call and its legs; None if the first channel belongs to no tenant."""
    tenant = tenant_of(ended.events)
    if not tenant:
        return None
    all_events = _never_back(ended.events)
    by_channel: dict[str, list[CelEvent]] = {}
    for event in all_events:
        by_channel.setdefault(event.uniqueid, []).append(event)
    ended_at = all_events[-1].at
    legs = tuple(_leg(tenant, ended.linkedid, events, ended_at) for events in by_channel.values())
    taken = taken_of(legs)
    taken.sort(key=lambda leg: leg.answered_at or ended_at)
    if ended.interrupted:
        outcome = Outcome.INTERRUPTED
    elif taken:
        outcome = Outcome.ANSWERED
    elif _entered("voicemail", ended.events):
        outcome = Outcome.VOICEMAIL
    elif _entered("voicemailmain", ended.events):
        outcome = Outcome.MAILBOX
    elif _entered("confbridge", ended.events):
        outcome = Outcome.CONFERENCE
    else:
        outcome = Outcome.UNANSWERED
    start = start_of(ended.events)
    call = CallRecord(
        tenant=tenant, linkedid=ended.linkedid, started_at=ended.events[0].at,
        answered_at=taken[0].answered_at if taken else None, ended_at=ended_at,
        caller=start.caller, caller_name=start.caller_name, dialled=start.dialled,
        answered_by=extension_of(taken[0].endpoint, tenant) if taken else None,
        outcome=outcome, path=tuple(_path(all_events)))
    return call, legs


def _never_back(events: Sequence[CelEvent]) -> list[CelEvent]:
    """The events, none earlier than the one before it: where the clock was set back during a call, the call seems shorter than
    it was, and no part of it has a negative duration."""
    latest = accumulate((event.at for event in events), max)
    return [event if event.at == at else replace(event, at=at) for event, at in zip(events, latest, strict=True)]


def taken_of(legs: Sequence[Leg]) -> list[Leg]:
    """The legs that answered the call: not the first leg, which is the caller's, and no Local channel, which is no device."""
    return [leg for leg in legs[1:] if leg.answered_at is not None and not leg.channel.startswith("Local/")]


def tenant_of(events: Sequence[CelEvent]) -> str:
    """That of a call's first channel; '' where it has none."""
    return next((event.tenant for event in events if event.tenant and event.uniqueid == events[0].uniqueid), "")


def start_of(events: Sequence[CelEvent]) -> Start:
    """From "caller|name|dialled;...", each percent-encoded, of the first start event: a transferred call has more."""
    extra = next((event.extra for event in events if event.user_event and event.kind == "start"), "")
    caller, name, dialled, *_ = (*said(extra).partition(";")[0].split("|"), "", "", "")
    return Start(_chosen(caller), _chosen(name), _chosen(dialled))


def _chosen(encoded: str) -> str:
    return UNSTORABLE.sub("\ufffd", _CONTROL.sub("", unquote(encoded)))


def _entered(application: str, events: Sequence[CelEvent]) -> bool:
    return any(event.kind == "APP_START" and event.application.lower() == application for event in events)


def _leg(tenant: str, linkedid: str, events: Sequence[CelEvent], call_ended_at: datetime) -> Leg:
    channel = events[0].channel
    # A leg that was asked for a key has answered when it pressed it: before that a network's voicemail may have.
    taken = "confirmed" if any(event.user_event and event.kind == "asked" for event in events) else "ANSWER"
    answered = (event.at for event in events if event.kind == taken)
    ended = [event for event in events if event.kind in ("HANGUP", "CHAN_END")]
    hangup = next((event for event in ended if event.kind == "HANGUP"), None)
    return Leg(
        tenant=tenant, linkedid=linkedid, uniqueid=events[0].uniqueid, channel=channel, endpoint=endpoint_of(channel),
        started_at=events[0].at, answered_at=next(answered, None), ended_at=ended[-1].at if ended else call_ended_at,
        hangup_cause=_cause(hangup.extra) if hangup else None)


def endpoint_of(channel: str) -> str:
    """'acme-201-desk' of 'PJSIP/acme-201-desk-00000003'; of other channels the name without its serial number."""
    return _SERIAL.sub("", channel).removeprefix("PJSIP/")


def extension_of(endpoint: str, tenant: str) -> str:
    """'201' of 'acme-201-desk'; a trunk stays itself."""
    match read_endpoint(endpoint):
        case DeviceEndpoint(tenant=owner, device=device) if owner == tenant:
            return device.extension
        case _:
            return endpoint


def _cause(extra: str) -> int | None:
    cause = extra_of(extra).get("hangupcause")
    return cause if isinstance(cause, int) and 0 <= cause <= 255 else None


def _path(events: Sequence[CelEvent]) -> Iterator[PathEntry]:
    for event in events:
        if event.user_event and event.kind == "failover":
            yield PathEntry(event.at, *FAILOVER)
        elif event.user_event and event.kind == "step":
            yield from _visits(event.at, said(event.extra))
        elif event.user_event and event.kind == "start":
            yield from _visits(event.at, said(event.extra).partition(";")[2])


def _visits(at: datetime, text: str) -> Iterator[PathEntry]:
    """The part of the path that one decision adds: "node|reasons;node|reasons". Earlier versions wrote encoded text."""
    for entry in text.split(";"):
        node, _, why = entry.partition("|")
        if node:
            reasons = read_reasons(why) if why.startswith(".") else Why.WORDS(UNSTORABLE.sub("\ufffd", unquote(why)))
            yield PathEntry(at, UNSTORABLE.sub("\ufffd", unquote(node)), reasons)
