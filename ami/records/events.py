"""Asterisk's channel events (CEL): lines of the file, and events that AMI sent but the file lacks. Pure.

Text that a caller chose is in the file only as the extra of the user event `start`, encoded twice: a line feed in a
caller's number would begin another line. https://docs.asterisk.org/Configuration/Reporting/Channel-Event-Logging-CEL/

Asterisk passes each event to the writer of the file and to AMI one after the other, so both have the same order: once the file
has an event, it will never get the events that AMI sent earlier and that it lacks. An event is also missing if the file has
been read to its end SETTLE_S after AMI sent the event.
"""

import csv
import json
import re
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise, takewhile
from typing import Any, Final

# In the order of asterisk-conf/cel_custom.conf.
FIELDS = ("eventtype", "eventtime", "channame", "appname", "accountcode", "uniqueid", "linkedid", "userdeftype",
          "eventextra", "tenantid")
SETTLE_S: Final = 2.0            # after AMI sent an event; by then the file has it
REMEMBERED: Final = 20_000       # events of either path
SAME: Final = 20                 # events of one channel that are alike and missing at once
UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # PostgreSQL has no NUL, UTF-8 no lone surrogates
_KIND = re.compile(r"\w{1,40}", re.ASCII)
_BEGINNING = re.compile(rb'"\w{1,40}","\d{1,12}\.\d{6}","')      # of an event; within a field each '"' is doubled

_Key = tuple[object, ...]


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


def parse_event(line: bytes) -> CelEvent:
    """Read one line of cel.csv; CelError when it isn't an event. Bytes that aren't UTF-8 become U+FFFD."""
    try:
        rows = list(csv.reader([line.decode("utf-8", "replace")], strict=True))
    except csv.Error as error:
        raise CelError(f"not comma-separated: {error}") from None
    if len(rows) != 1 or len(rows[0]) != len(FIELDS):
        raise CelError(f"found {len(rows[0]) if rows else 0} fields, expected {len(FIELDS)}")
    text = {field: UNSTORABLE.sub("\ufffd", value) for field, value in zip(FIELDS, rows[0], strict=True)}
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


def extra_of(extra: str) -> dict[str, Any]:
    try:
        fields = json.loads(extra)
    except (ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}


def said(extra: str) -> str:
    """The text of a user event."""
    return str(extra_of(extra).get("extra", ""))


@dataclass(slots=True)
class MissingEvents:
    _from_ami: dict[_Key, tuple[CelEvent, float]] = field(default_factory=dict)    # sent by AMI alone, in their order, and when
    _read: dict[_Key, None] = field(default_factory=dict)                            # in the file, not sent by AMI yet

    def note(self, event: CelEvent, now: float) -> None:
        """Note an event that AMI sent; `now` on the monotonic clock."""
        key = _first(event, self._read, taken=True)
        if key in self._read:
            del self._read[key]
            return
        self._from_ami[_first(event, self._from_ami, taken=False)] = event, now
        if len(self._from_ami) > REMEMBERED:
            del self._from_ami[next(iter(self._from_ami))]

    def before(self, event: CelEvent) -> list[CelEvent]:
        """The missing events before this one; the file has this one."""
        key = _first(event, self._from_ami, taken=True)
        if key not in self._from_ami:
            self._read[_first(event, self._read, taken=False)] = None
            if len(self._read) > REMEMBERED:
                del self._read[next(iter(self._read))]
            return []
        missing = []
        for each in list(self._from_ami):
            found, _ = self._from_ami.pop(each)
            if each == key:
                break
            missing.append(found)
        return missing

    def overdue(self, now: float) -> list[CelEvent]:
        """The missing events after the end of the file."""
        keys = list(takewhile(lambda key: now - self._from_ami[key][1] >= SETTLE_S, self._from_ami))
        return [self._from_ami.pop(key)[0] for key in keys]


def _first(event: CelEvent, known: Container[_Key], *, taken: bool) -> _Key:
    """A key of this event: the first that is known, or with `taken` false the first that is not. Over AMI the time has whole
    seconds only, so the same event of a channel may come twice."""
    number = 0
    while taken is not ((key := (event.kind, event.uniqueid, event.extra, number)) in known) and number < SAME:
        number += 1
    return key
