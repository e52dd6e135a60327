"""What became of a queue's callers, counted from the records of calls that have ended. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from routing.nodes.queue import WAITS
from store.records import Call, Leg


@dataclass(frozen=True, slots=True)
class QueueDay:
    """Callers who came into the line. `left` went elsewhere: by a key, after the longest wait, without an agent. The service
    level is the share of those answered or lost who were answered in time, in per cent; None where there was nobody."""

    answered: int = 0
    in_time: int = 0
    abandoned: int = 0           # hung up while they waited
    left: int = 0
    average_wait_s: float = 0.0  # of those answered
    longest_wait_s: float = 0.0  # of those answered

    @property
    def service_level(self) -> float | None:
        counted = self.answered + self.abandoned
        return round(100 * self.in_time / counted, 1) if counted else None


def day_of(queue: str, calls: Iterable[Call], legs: Mapping[str, Sequence[Leg]], service_level_s: int) -> QueueDay:
    """`legs` are by the calls' linkedids, the caller's first. Who was talked to before, and then transferred into the line, has
    waited since then."""
    waits: list[float] = []
    abandoned = left = 0
    for call in calls:
        following = [*((entry, after) for entry, after in pairwise(call.path)), *((entry, None) for entry in call.path[-1:])]
        for entry, after in following:
            if entry.node != queue or not entry.why.startswith(WAITS):
                continue
            until = after.at if after else call.ended_at
            answers = [
                leg.answered_at for leg in legs.get(call.linkedid, ())[1:]
                if leg.answered_at and entry.at <= leg.answered_at <= until and not leg.channel.startswith("Local/")]
            if answers:
                waits.append((min(answers) - entry.at).total_seconds())
            elif after is None:
                abandoned += 1
            else:
                left += 1
    return QueueDay(
        len(waits), sum(wait <= service_level_s for wait in waits), abandoned, left,
        round(sum(waits) / len(waits), 1) if waits else 0.0, round(max(waits, default=0.0), 1))
