"""The legs that calls in progress have outside, and who pays for them, from the events of their channels. Pure.

The dialplan tells it on each such leg, [outside] in asterisk-conf/extensions.conf: "<user or nothing>|<number>".
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ami.cel import CelEvent, said
from store.lines import Seen

OUTSIDE = "outside"      # the user event


@dataclass(frozen=True, slots=True)
class LegOutside:
    call: str
    payer: str
    number: str

    def __str__(self) -> str:
        return f"{self.call}/{self.payer}/{self.number}"


@dataclass(slots=True)
class LegsOutside:
    """Is told each event once its call is known, which call became part of which, and which are over."""

    _up: dict[str, LegOutside] = field(default_factory=dict)           # by uniqueid
    _over: dict[LegOutside, int] = field(default_factory=dict)         # when the last such leg ended, Unix ms
    _joined: dict[str, str] = field(default_factory=dict)

    def take(self, event: CelEvent) -> None:
        if leg := leg_of(event):
            self._up[event.uniqueid] = leg
        elif event.kind == "HANGUP" and not event.user_event and (leg := self._up.pop(event.uniqueid, None)):
            self._over[leg] = round(event.at.timestamp() * 1000)

    def join(self, before: str, call: str) -> None:
        """The call `before` has become part of the other one."""
        self._joined = {one: call if other == before else other for one, other in self._joined.items()} | {before: call}
        self._up = {uniqueid: _of(leg, before, call) for uniqueid, leg in self._up.items()}
        self._over = {_of(leg, before, call): at for leg, at in self._over.items()}

    def forget(self, call: str) -> None:
        self._joined = {one: other for one, other in self._joined.items() if other != call}
        self._up = {uniqueid: leg for uniqueid, leg in self._up.items() if leg.call != call}
        self._over = {leg: at for leg, at in self._over.items() if leg.call != call}

    def seen(self, calls: Mapping[str, Sequence[str]]) -> dict[str, Seen]:
        """What there is of these calls in progress, by tenant. Each leg is looked at once: there may be many of both."""
        whose = {call: tenant for tenant, its in calls.items() for call in its}
        joined: dict[str, dict[str, str]] = defaultdict(dict)
        up: dict[str, set[str]] = defaultdict(set)
        over: dict[str, dict[str, int]] = defaultdict(dict)
        for one, other in self._joined.items():
            if other in whose:
                joined[whose[other]][one] = other
        for leg in self._up.values():
            if leg.call in whose:
                up[whose[leg.call]].add(str(leg))
        for leg, at in self._over.items():
            if leg.call in whose and str(leg) not in up[whose[leg.call]]:
                over[whose[leg.call]][str(leg)] = at
        return {tenant: Seen(its, joined[tenant], sorted(up[tenant]), over[tenant]) for tenant, its in calls.items()}


def leg_of(event: CelEvent) -> LegOutside | None:
    """What this event tells of the leg that it is of."""
    if not event.user_event or event.kind != OUTSIDE:
        return None
    payer, _, number = said(event.extra).partition("|")
    return LegOutside(event.linkedid, payer, number)


def payers(events: Iterable[CelEvent]) -> dict[str, str]:
    """Who pays for each leg outside, by uniqueid."""
    return {event.uniqueid: leg.payer for event in events if (leg := leg_of(event))}


def _of(leg: LegOutside, before: str, call: str) -> LegOutside:
    return replace(leg, call=call) if leg.call == before else leg
