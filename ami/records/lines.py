"""Lines of calls in progress: their external legs and the users who pay for them, and the leases of tenants' lines.

The dialplan reports an external leg and its user on the leg's own channel, [outside] in asterisk-conf/extensions.conf:
"<user or nothing>|<number>".
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import takewhile

from ami.periodic_task import take_turns
from ami.records.events import CelEvent, said
from store.lines import RENEW_S, Lines, Seen

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
    """The legs of calls in progress, by call and by tenant. Each event costs the same however many calls there are.

    `changed` holds the tenants with a change; its reader removes them.
    """

    changed: set[str] = field(default_factory=set)
    _tenant_of: dict[str, str] = field(default_factory=dict)             # of each call in progress
    _calls: dict[str, set[str]] = field(default_factory=dict)            # the same, by tenant
    _up: dict[str, LegOutside] = field(default_factory=dict)             # by uniqueid
    _of_call: dict[str, set[str]] = field(default_factory=dict)          # the same, by call
    _over: dict[str, dict[LegOutside, int]] = field(default_factory=dict)    # by call: the last end of each, Unix ms
    _parts: dict[str, list[str]] = field(default_factory=dict)           # by call: the calls that became part of it

    def begin(self, call: str, tenant: str) -> None:
        """The call is in progress, and this tenant's."""
        if self._tenant_of.get(call) != tenant:
            self._leave_tenant(call)
            self._tenant_of[call] = tenant
            self._calls.setdefault(tenant, set()).add(call)
        self.changed.add(tenant)

    def take(self, event: CelEvent) -> None:
        """An event whose call is known."""
        if leg := leg_of(event):
            self._drop(event.uniqueid)
            self._up[event.uniqueid] = leg
            self._of_call.setdefault(leg.call, set()).add(event.uniqueid)
        elif event.kind == "HANGUP" and not event.user_event and (leg := self._drop(event.uniqueid)):
            self._over.setdefault(leg.call, {})[leg] = round(event.at.timestamp() * 1000)
        else:
            return
        self._note_change(leg.call)

    def join(self, before: str, call: str) -> None:
        """The call `before` has become part of the other one."""
        self._parts.setdefault(call, []).extend([*self._parts.pop(before, []), before])
        moved = self._of_call.pop(before, set())
        self._of_call.setdefault(call, set()).update(moved)
        for uniqueid in moved:
            self._up[uniqueid] = replace(self._up[uniqueid], call=call)
        over = {replace(leg, call=call): at for leg, at in self._over.pop(before, {}).items()}
        self._over.setdefault(call, {}).update(over)
        self._note_change(call)

    def forget(self, call: str) -> None:
        """The call is over, or part of another one."""
        for uniqueid in self._of_call.pop(call, ()):
            del self._up[uniqueid]
        self._over.pop(call, None)
        self._parts.pop(call, None)
        self._note_change(call)
        self._leave_tenant(call)

    def seen(self, tenant: str) -> Seen | None:
        """A tenant's calls in progress and their external legs; None if it has no call."""
        calls = sorted(self._calls.get(tenant, ()))
        if not calls:
            return None
        joined = {part: call for call in calls for part in self._parts.get(call, ())}
        legs = sorted({str(self._up[uniqueid]) for call in calls for uniqueid in self._of_call.get(call, ())})
        over = {str(leg): at for call in calls for leg, at in self._over.get(call, {}).items()}
        return Seen(calls, joined, legs, {leg: at for leg, at in over.items() if leg not in legs})

    def _drop(self, uniqueid: str) -> LegOutside | None:
        leg = self._up.pop(uniqueid, None)
        if leg:
            self._of_call[leg.call].discard(uniqueid)
        return leg

    def _note_change(self, call: str) -> None:
        if call in self._tenant_of:
            self.changed.add(self._tenant_of[call])

    def _leave_tenant(self, call: str) -> None:
        if (tenant := self._tenant_of.pop(call, None)) is not None:
            self._calls[tenant].discard(call)
            if not self._calls[tenant]:
                del self._calls[tenant]


def leg_of(event: CelEvent) -> LegOutside | None:
    """The external leg that this event reports; None for other events."""
    if not event.user_event or event.kind != OUTSIDE:
        return None
    payer, _, number = said(event.extra).partition("|")
    return LegOutside(event.linkedid, payer, number)


def payers(events: Iterable[CelEvent]) -> dict[str, str]:
    """The users who pay for external legs, by uniqueid."""
    return {event.uniqueid: leg.payer for event in events if (leg := leg_of(event))}


LOOK_S = 0.5


class LineKeeper:
    """Examines only tenants whose calls have changed and those whose leases are due for renewal."""

    def __init__(self, lines: Lines, legs: LegsOutside, clock: Callable[[], float] = time.monotonic) -> None:
        self._lines, self._legs, self._clock = lines, legs, clock
        self._renewed_at: dict[str, float] = {}         # by tenant, the oldest first

    async def run(self) -> None:
        """Never returns."""
        await take_turns(self.renew_due, every_s=LOOK_S, failed="lines_not_renewed")

    async def renew_due(self) -> None:
        """Raises what store.live.AWAY lists; leases that were not renewed then are renewed at the next turn."""
        now, changed = self._clock(), self._legs.changed
        changed.update(takewhile(lambda tenant: now - self._renewed_at[tenant] >= RENEW_S, self._renewed_at))
        for tenant in [*changed]:
            changed.discard(tenant)              # later changes are reported at the next turn
            self._renewed_at.pop(tenant, None)
            if seen := self._legs.seen(tenant):
                try:
                    await self._lines.renew(tenant, seen)
                except BaseException:
                    changed.add(tenant)
                    raise
                self._renewed_at[tenant] = now
