"""From Asterisk's channel events (CEL, comma-separated lines) to call records. Pure.

The file holds no text of a caller's choice but in the extra of the user event `start`, encoded twice: a line feed in a
caller's number would begin another line. https://docs.asterisk.org/Configuration/Reporting/Channel-Event-Logging-CEL/
"""

import csv
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import unquote

from routing.numbering.endpoint import DeviceEndpoint, read_endpoint
from store.records import Call, Leg, Outcome, PathEntry

# In the order of asterisk-conf/cel_custom.conf.
FIELDS = ("eventtype", "eventtime", "channame", "appname", "accountcode", "uniqueid", "linkedid", "userdeftype",
          "eventextra", "tenantid")
FAILOVER = ("failover", "the decision service did not answer")
_SERIAL = re.compile(r"-[0-9a-f]{8}(;[12])?$")
_CONTROL = re.compile("[\0-\x1f\x7f-\x9f]")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # PostgreSQL has no NUL, UTF-8 no lone surrogates


class CelError(ValueError):
    """A line that is no event."""


@dataclass(slots=True)
class CelEvent:
    """One event; `kind` is Asterisk's name of it, or the user event's ('start', 'step', 'failover')."""

    kind: str
    at: datetime
    linkedid: str
    uniqueid: str
    channel: str
    tenant: str                # '' where the channel has none
    application: str
    user_event: bool
    extra: str                 # JSON, or ''


class Start(NamedTuple):
    """Who calls whom, as the caller chose to say it but for control characters."""

    caller: str
    caller_name: str
    dialled: str


@dataclass(frozen=True, slots=True)
class EndedCall:
    """A call that is over, with its events in order. `whole` means its first channel was seen to begin."""

    linkedid: str
    events: Sequence[CelEvent]
    interrupted: bool = False

    @property
    def whole(self) -> bool:
        return any(event.kind == "CHAN_START" and event.uniqueid == self.linkedid for event in self.events)


def parse_event(line: bytes) -> CelEvent:
    """Read one line of cel.csv; CelError when it isn't an event. Bytes that aren't UTF-8 become U+FFFD."""
    try:
        rows = list(csv.reader([line.decode("utf-8", "replace")], strict=True))
    except csv.Error as error:
        raise CelError(f"not comma-separated: {error}") from None
    if len(rows) != 1 or len(rows[0]) != len(FIELDS):
        raise CelError(f"found {len(rows[0]) if rows else 0} fields, expected {len(FIELDS)}")
    text = {field: _UNSTORABLE.sub("\ufffd", value) for field, value in zip(FIELDS, rows[0], strict=True)}
    try:
        at = datetime.fromtimestamp(float(text["eventtime"]), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise CelError(f"not an event of ours: {error}") from None
    if not text["linkedid"] or not text["uniqueid"]:
        raise CelError("an event without linkedid or uniqueid")
    return CelEvent(
        kind=text["userdeftype"] or text["eventtype"], at=at, linkedid=text["linkedid"], uniqueid=text["uniqueid"],
        channel=text["channame"], tenant=text["tenantid"] or text["accountcode"], application=text["appname"],
        user_event=bool(text["userdeftype"]), extra=text["eventextra"])


@dataclass(slots=True)
class PendingCalls:
    """The calls that have begun and not ended, by linkedid, the oldest first.

    A channel may leave its call for an older one: a consultation becomes part of the call that is transferred by it, and so
    does that of somebody who picks up a call or fetches a parked one. Its own call then ends without its HANGUP. The others of
    that call belong to the older one too, and may go on under their old linkedid, as the far half of a Local channel does.
    Who is transferred to an announcement meets nobody there: then only the transfer itself tells that two calls became one.
    """

    events: dict[str, list[CelEvent]] = field(default_factory=dict)
    _call_of: dict[str, str] = field(default_factory=dict)       # the linkedid of each channel that is up, by uniqueid
    _up: dict[str, set[str]] = field(default_factory=dict)       # the same, by linkedid
    _became: dict[str, str] = field(default_factory=dict)        # of each call that was added to a pending one: that one

    def place(self, event: CelEvent) -> None:
        """Puts the event where its call is now. To be asked before `join`."""
        event.linkedid = self._became.get(event.linkedid, event.linkedid)

    def join(self, event: CelEvent) -> str:
        """If this event tells that a channel has gone over to another call, add its call to that one: the linkedid that is no
        call any more, else ''. To be asked before `take`."""
        before = self._call_of.get(event.uniqueid, event.linkedid)
        if event.kind == "ATTENDEDTRANSFER" and not event.user_event:
            other = self._call_of.get(str(_extra(event.extra).get("channel2_uniqueid")), before)
            event.linkedid, before = sorted((before, other), key=lambda call: self._began_at(call, event.at))
        if before == event.linkedid:
            return ""
        together = self.events.pop(before, []) + self.events.pop(event.linkedid, [])
        self.events[event.linkedid] = sorted(together, key=lambda each: each.at)
        moved = self._up.pop(before)
        self._up.setdefault(event.linkedid, set()).update(moved)
        self._call_of.update(dict.fromkeys(moved, event.linkedid))
        self._became = {one: event.linkedid if other == before else other for one, other in self._became.items()}
        self._became[before] = event.linkedid
        return before

    def _began_at(self, linkedid: str, otherwise: datetime) -> datetime:
        return self.events[linkedid][0].at if linkedid in self.events else otherwise

    def take(self, event: CelEvent) -> EndedCall | None:
        """Add an event; the call, where this was its last one."""
        self.events.setdefault(event.linkedid, []).append(event)
        if event.user_event:
            return None
        match event.kind:
            case "CHAN_START":
                self._call_of[event.uniqueid] = event.linkedid
                self._up.setdefault(event.linkedid, set()).add(event.uniqueid)
            case "HANGUP" if event.uniqueid in self._call_of:
                self._up[self._call_of.pop(event.uniqueid)].discard(event.uniqueid)
            case "LINKEDID_END" if not self._up.get(event.linkedid):
                self._up.pop(event.linkedid, None)
                self._forget(event.linkedid)
                return EndedCall(event.linkedid, self.events.pop(event.linkedid))
        return None

    def interrupt(self, linkedid: str) -> EndedCall:
        """End a call whose last event will never come."""
        for uniqueid in self._up.pop(linkedid, ()):
            del self._call_of[uniqueid]
        self._forget(linkedid)
        return EndedCall(linkedid, self.events.pop(linkedid), interrupted=True)

    def _forget(self, linkedid: str) -> None:
        self._became = {one: other for one, other in self._became.items() if other != linkedid}


def assemble(ended: EndedCall) -> tuple[Call, tuple[Leg, ...]] | None:
    """The record of a call and its legs; None where the first channel belongs to no tenant."""
    by_channel: dict[str, list[CelEvent]] = {}
    for event in ended.events:
        by_channel.setdefault(event.uniqueid, []).append(event)
    tenant = tenant_of(ended.events)
    if not tenant:
        return None
    ended_at = max(event.at for event in ended.events)
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
    call = Call(
        tenant=tenant, linkedid=ended.linkedid, started_at=ended.events[0].at,
        answered_at=taken[0].answered_at if taken else None, ended_at=ended_at,
        caller=start.caller, caller_name=start.caller_name, dialled=start.dialled,
        answered_by=extension_of(taken[0].endpoint, tenant) if taken else None,
        outcome=outcome, path=tuple(_path(ended.events)))
    return call, legs


def taken_of(legs: Sequence[Leg]) -> list[Leg]:
    """The legs of those who took the call. The first leg is the caller's, and a Local channel is nobody."""
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
    return _UNSTORABLE.sub("\ufffd", _CONTROL.sub("", unquote(encoded)))


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
    cause = _extra(extra).get("hangupcause")
    return cause if isinstance(cause, int) and 0 <= cause <= 255 else None


def _extra(extra: str) -> dict[str, Any]:
    try:
        fields = json.loads(extra)
    except (ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}


def _path(events: Sequence[CelEvent]) -> Iterator[PathEntry]:
    for event in events:
        if event.user_event and event.kind == "failover":
            yield PathEntry(event.at, *FAILOVER)
        elif event.user_event and event.kind == "step":
            yield from _visits(event.at, said(event.extra))
        elif event.user_event and event.kind == "start":
            yield from _visits(event.at, said(event.extra).partition(";")[2])


def _visits(at: datetime, text: str) -> Iterator[PathEntry]:
    """What one decision adds to the path: "node|why;node|why", each node and why percent-encoded."""
    for entry in text.split(";"):
        node, _, why = entry.partition("|")
        if node:
            yield PathEntry(at, _UNSTORABLE.sub("\ufffd", unquote(node)), _UNSTORABLE.sub("\ufffd", unquote(why)))


def said(extra: str) -> str:
    """The text of a user event."""
    return str(_extra(extra).get("extra", ""))
