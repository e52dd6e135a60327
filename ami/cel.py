"""Asterisk's channel events (CEL, comma-separated lines), and the call record made from the events of one call. Pure.

Text that a caller chose is in the file only as the extra of the user event `start`, encoded twice: a line feed in a
caller's number would begin another line. https://docs.asterisk.org/Configuration/Reporting/Channel-Event-Logging-CEL/
"""

import csv
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, NamedTuple
from urllib.parse import unquote

from routing.call.reason_text import read_reasons
from routing.call.reasons import Why
from routing.numbering.endpoint import DeviceEndpoint, read_endpoint
from store.records import Call, Leg, Outcome, PathEntry

# In the order of asterisk-conf/cel_custom.conf.
FIELDS = ("eventtype", "eventtime", "channame", "appname", "accountcode", "uniqueid", "linkedid", "userdeftype",
          "eventextra", "tenantid")
FAILOVER = ("failover", Why.NO_SERVICE())
_KIND = re.compile(r"\w{1,40}", re.ASCII)
_BEGINNING = re.compile(rb'"\w{1,40}","\d{1,12}\.\d{6}","')      # of an event; within a field each '"' is doubled
_SERIAL = re.compile(r"-[0-9a-f]{8}(;[12])?$")
_CONTROL = re.compile("[\0-\x1f\x7f-\x9f]")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # PostgreSQL has no NUL, UTF-8 no lone surrogates


class CelError(ValueError):
    """A line that is not an event."""


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
    """The caller's number, name and the dialled number, as the caller sent them, without control characters."""

    caller: str
    caller_name: str
    dialled: str


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
    if not _KIND.fullmatch(text["userdeftype"] or text["eventtype"]):
        raise CelError("an event without a name")
    if not text["linkedid"] or not text["uniqueid"]:
        raise CelError("an event without linkedid or uniqueid")
    return CelEvent(
        kind=text["userdeftype"] or text["eventtype"], at=at, linkedid=text["linkedid"], uniqueid=text["uniqueid"],
        channel=text["channame"], tenant=text["tenantid"] or text["accountcode"], application=text["appname"],
        user_event=bool(text["userdeftype"]), extra=text["eventextra"])


def events_in(line: bytes) -> list[bytes]:
    """The parts of a line that each begin like an event. A line has several after an incomplete write, for example on a full
    disk: Asterisk then writes the next event behind it, on the same line."""
    begins = [found.start() for found in _BEGINNING.finditer(line)]
    cuts = [0, *(at for at in begins if at), len(line)]
    return [line[start:end] for start, end in pairwise(cuts)]


def line_of(event: CelEvent) -> bytes:
    """An event as a line of the file."""
    user = event.kind if event.user_event else ""
    fields = (event.kind, f"{event.at.timestamp():.6f}", event.channel, event.application, event.tenant, event.uniqueid,
              event.linkedid, user, event.extra, event.tenant)
    return encode(fields)


def encode(fields: Sequence[str]) -> bytes:
    """FIELDS as a line of the file."""
    return ",".join('"' + each.replace('"', '""') + '"' for each in fields).encode()


def assemble(ended: EndedCall) -> tuple[Call, tuple[Leg, ...]] | None:
    """The record of a call and its legs; None if the first channel belongs to no tenant."""
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
    cause = extra_of(extra).get("hangupcause")
    return cause if isinstance(cause, int) and 0 <= cause <= 255 else None


def extra_of(extra: str) -> dict[str, Any]:
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
    """The part of the path that one decision adds: "node|reasons;node|reasons". Earlier versions wrote encoded text."""
    for entry in text.split(";"):
        node, _, why = entry.partition("|")
        if node:
            reasons = read_reasons(why) if why.startswith(".") else Why.WORDS(_UNSTORABLE.sub("\ufffd", unquote(why)))
            yield PathEntry(at, _UNSTORABLE.sub("\ufffd", unquote(node)), reasons)


def said(extra: str) -> str:
    """The text of a user event."""
    return str(extra_of(extra).get("extra", ""))
