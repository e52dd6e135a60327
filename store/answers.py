"""Answers, from Redis, to what a decision asks."""

from redis.asyncio import Redis

from routing.questions import Flip, Question, Turn
from store import switches
from store.turns import Turns


class LiveAnswers:
    """Never fails: without Redis a turn is counted here, and a switch stays where it is."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._turns = Turns(redis)

    async def answer(self, tenant: str, question: Question, decision: str) -> int:
        """`decision` names the decision that asks, the same one when it is asked for again."""
        match question:
            case Turn(group=group):
                return await self._turns.take(tenant, group)
            case Flip():
                return await switches.flip(self._redis, tenant, question, decision)
