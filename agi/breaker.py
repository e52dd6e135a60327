"""Circuit breaker: after several failures in a row a server gets no requests for a pause, then one trial request. Pure."""

from dataclasses import dataclass, replace
from typing import Final

FAILURES: Final = 5        # in a row
PAUSE_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Breaker:
    """`suspended_until_s`: when the next try is allowed, in seconds of the clock that the caller reads."""

    failures: int = 0
    suspended_until_s: float = 0.0

    def is_suspended(self, now_s: float) -> bool:
        return self.failures >= FAILURES and now_s < self.suspended_until_s

    def trying(self, now_s: float) -> "Breaker":
        """The breaker during the trial request after the pause: all other requests wait for its result."""
        return replace(self, suspended_until_s=now_s + PAUSE_S) if self.failures >= FAILURES else self

    def failed(self, now_s: float) -> "Breaker":
        return Breaker(self.failures + 1, now_s + PAUSE_S)
