"""Circuit breaker: who failed often in a row is left alone for a while, then tried once. Pure."""

from dataclasses import dataclass, replace
from typing import Final

FAILURES: Final = 5        # in a row
PAUSE_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Breaker:
    """`suspended_until_s`: from when one may try again, in the seconds of the clock that the caller reads."""

    failures: int = 0
    suspended_until_s: float = 0.0

    def is_suspended(self, now_s: float) -> bool:
        return self.failures >= FAILURES and now_s < self.suspended_until_s

    def trying(self, now_s: float) -> "Breaker":
        """What holds while one tries after the pause: everybody else waits for its outcome."""
        return replace(self, suspended_until_s=now_s + PAUSE_S) if self.failures >= FAILURES else self

    def failed(self, now_s: float) -> "Breaker":
        return Breaker(self.failures + 1, now_s + PAUSE_S)
