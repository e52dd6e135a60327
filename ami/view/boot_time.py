"""The time of Asterisk's boot on a clock that may be set meanwhile: events of calls carry that clock's times."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

SLACK = timedelta(seconds=2)         # Asterisk reports its uptime in whole seconds; less than this is no change of the clock


class BootTime:
    def __init__(
        self, clock: Callable[[], datetime] = lambda: datetime.now(UTC), monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock, self._monotonic = clock, monotonic
        self._reported: datetime | None = None           # by the last login
        self._earliest: datetime | None = None
        self._offset = self._offset_now()

    def note(self, uptime_s: int) -> None:
        """Asterisk reports its uptime after each login; it is by the clock, too."""
        reported = self._clock() - timedelta(seconds=uptime_s)
        if self._reported is None or abs(reported - self._reported) > SLACK:
            self._reported = self._earliest = reported
            self._offset = self._offset_now()

    @property
    def earliest(self) -> datetime | None:
        """No event of this Asterisk has an earlier time, also after the clock was set back. None before the first login."""
        change = self._offset_now() - self._offset
        if abs(change) > SLACK:
            self._offset += change
            if self._earliest is not None:
                self._earliest += min(change, timedelta(0))
        return self._earliest

    def _offset_now(self) -> datetime:
        """Changes only when the clock is set."""
        return self._clock() - timedelta(seconds=self._monotonic())
