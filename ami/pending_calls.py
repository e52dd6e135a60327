"""Calls in progress, assembled from Asterisk's channel events. Pure."""

from dataclasses import dataclass, field
from datetime import datetime

from ami.cel import CelEvent, EndedCall, extra_of


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
