"""Events that AMI sent but the CEL file lacks. Pure.

Asterisk passes each event to the writer of the file and to AMI one after the other, so both have the same order: once the file
has an event, it will never get the events that AMI sent earlier and that it lacks. An event is also missing if the file has
been read to its end SETTLE_S after AMI sent the event.
"""

from collections.abc import Container
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Final

from ami.cel import CelEvent

SETTLE_S: Final = 2.0            # after AMI sent an event; by then the file has it
REMEMBERED: Final = 20_000       # events of either path
SAME: Final = 20                 # events of one channel that are alike and missing at once

_Key = tuple[object, ...]


@dataclass(slots=True)
class MissingEvents:
    _told: dict[_Key, tuple[CelEvent, float]] = field(default_factory=dict)      # sent by AMI alone, in their order, and when
    _read: dict[_Key, None] = field(default_factory=dict)                        # in the file, not sent by AMI yet

    def tell(self, event: CelEvent, now: float) -> None:
        """Note an event that AMI sent; `now` on the monotonic clock."""
        key = _first(event, self._read, taken=True)
        if key in self._read:
            del self._read[key]
            return
        self._told[_first(event, self._told, taken=False)] = event, now
        if len(self._told) > REMEMBERED:
            del self._told[next(iter(self._told))]

    def before(self, event: CelEvent) -> list[CelEvent]:
        """The missing events before this one; the file has this one."""
        key = _first(event, self._told, taken=True)
        if key not in self._told:
            self._read[_first(event, self._read, taken=False)] = None
            if len(self._read) > REMEMBERED:
                del self._read[next(iter(self._read))]
            return []
        missing = []
        for each in list(self._told):
            found, _ = self._told.pop(each)
            if each == key:
                break
            missing.append(found)
        return missing

    def overdue(self, now: float) -> list[CelEvent]:
        """The missing events after the end of the file."""
        keys = list(takewhile(lambda key: now - self._told[key][1] >= SETTLE_S, self._told))
        return [self._told.pop(key)[0] for key in keys]


def _first(event: CelEvent, known: Container[_Key], *, taken: bool) -> _Key:
    """A key of this event: the first that is known, or with `taken` false the first that is not. Over AMI the time has whole
    seconds only, so the same event of a channel may come twice."""
    number = 0
    while taken is not ((key := (event.kind, event.uniqueid, event.extra, number)) in known) and number < SAME:
        number += 1
    return key
