"""Queue statistics of a day, counted from the records of ended calls. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import dropwhile, groupby, pairwise

from routing.call.reasons import Why, gives
from routing.nodes.queue import IN_LINE
from store.records import CallRecord, Leg, PathEntry

REACHES_LINE = frozenset({Why.WAITS_FOR, Why.WAITS_TO_CALL_BACK})


@dataclass(frozen=True, slots=True)
class QueueDay:
    """Callers who joined the waiting line. `left` went elsewhere: by a key, after the longest wait, without an agent.
    The service level is the share of answered or lost callers who were answered in time, in per cent; None without any."""

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


def day_of(queue: str, calls: Iterable[CallRecord], legs: Mapping[str, Sequence[Leg]], service_level_s: int) -> QueueDay:
    """`legs` are by the calls' linkedids, the caller's first. A caller who was answered before, and then transferred into the
    queue, has waited since the transfer."""
    waits: list[float] = []
    abandoned = left = 0
    for call in calls:
        for visit, after in _visits(queue, call.path):
            since, until = visit[0].at, after.at if after else call.ended_at
            answers = [
                leg.answered_at for leg in legs.get(call.linkedid, ())[1:]
                if leg.answered_at and since <= leg.answered_at <= until and not leg.channel.startswith("Local/")]
            if answers:
                waits.append((min(answers) - since).total_seconds())
            elif after is None and gives(visit[-1].why, IN_LINE):
                abandoned += 1
            else:
                left += 1
    return QueueDay(
        len(waits), sum(wait <= service_level_s for wait in waits), abandoned, left,
        round(sum(waits) / len(waits), 1) if waits else 0.0, round(max(waits, default=0.0), 1))


def _visits(queue: str, path: Sequence[PathEntry]) -> list[tuple[list[PathEntry], PathEntry | None]]:
    """For each stay in the queue, its path entries from the line on, and the first entry after the stay."""
    stays = [list(entries) for _, entries in groupby(path, key=lambda entry: entry.node)]
    following = [*((stay, after[0]) for stay, after in pairwise(stays)), *((stay, None) for stay in stays[-1:])]
    reached = (
        (list(dropwhile(lambda entry: not gives(entry.why, REACHES_LINE), stay)), after)
        for stay, after in following if stay[0].node == queue)
    return [(visit, after) for visit, after in reached if visit]
