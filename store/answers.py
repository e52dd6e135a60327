"""Answers from Redis to a decision's questions, with defaults while Redis is unavailable: the caller must not wait."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from redis.asyncio import Redis

from routing.call.admission import Limit
from routing.call.effects import (
    CHANGED,
    NOT_CHANGED,
    Admit,
    ChangeSetting,
    CheckPin,
    ConfirmCountry,
    Flip,
    FlipPause,
    LiveEffect,
    Offer,
    PinIs,
    PutSwitch,
    TryRoomPin,
    Turn,
    Withdraw,
)
from routing.call.facts import Answer
from routing.call.questions import NOT_KNOWN, KnownCountry, LastCaller, LiveQuestion, Loads, PinOf, Stopped, UserLoad
from routing.tenant.settings import after
from store import personal, pins, switches, user_calls
from store.lines import Lines
from store.live import AWAY
from store.turns import Turns
from store.user_calls import Offers

log = structlog.get_logger()

LIMIT_S = 1.0                # for one answer: a machine that is busy for half a second is not away
LINE_LIMIT_S = 2.0           # whether a line is free: what is not counted is sold twice, and the step loop waits for 4 s
PAUSE_S = 1.0                # after a failure, in which no request waits for Redis

T = TypeVar("T")


class Waiting:
    """A time limit for Redis; after a failure no request waits for Redis for a while."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s, self._not_before = limit_s, 0.0

    async def ask(
        self, ask: Callable[[], Awaitable[T]], without: Callable[[], T], question: LiveQuestion | LiveEffect | CheckPin,
    ) -> T:
        if time.monotonic() < self._not_before:
            return without()
        try:
            async with asyncio.timeout(self._limit_s):
                return await ask()
        except AWAY as error:
            self._not_before = time.monotonic() + PAUSE_S
            log.warning("decided_without_redis", problem=str(error), question=repr(question)[:200])
            return without()


class RedisAnswers:
    """Without Redis each process knows only its own offers and turns, talk times count as zero, a switch keeps its position, no
    limit refuses a call or a conference's PIN, and a code changes nothing: its caller hears that it failed."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._turns, self._offers, self._loads = Turns(redis), Offers(redis), user_calls.LoadStore(redis)
        self._lines = Lines(redis)
        self._briefly, self._patiently = Waiting(LIMIT_S), Waiting(LINE_LIMIT_S)

    async def answer(self, tenant: str, call: str, question: LiveQuestion | LiveEffect, decision: str) -> Answer:
        """`decision` names the decision that asks; the name is the same when Asterisk requests the decision again."""
        match question:
            case Flip():
                return await switches.flip(self._redis, tenant, question, decision)
            case FlipPause(extension=extension):
                return await self._briefly.ask(
                    lambda: personal.flip_pause(self._redis, tenant, extension, decision), lambda: NOT_CHANGED, question)
            case ChangeSetting():
                return await self._briefly.ask(lambda: self._change(tenant, question), lambda: NOT_CHANGED, question)
            case PutSwitch():
                return await self._briefly.ask(lambda: self._put(tenant, question), lambda: NOT_CHANGED, question)
            case LastCaller(extension=extension):
                return await self._briefly.ask(
                    lambda: user_calls.last_caller(self._redis, tenant, extension), lambda: NOT_KNOWN, question)
            case Turn(group=group):
                return await self._briefly.ask(
                    lambda: self._turns.take(tenant, group, decision), lambda: self._turns.take_here(tenant, group), question)
            case Loads(extensions=extensions, day=day):
                return await self._briefly.ask(
                    lambda: self._loads.loads(tenant, extensions, day), lambda: (UserLoad(),) * len(extensions), question)
            case Admit():
                return await self._patiently.ask(
                    lambda: self._lines.admit(tenant, call, decision, question), lambda: Limit.NONE, question)
            case Stopped():
                return await self._briefly.ask(lambda: self._lines.is_stopped(tenant), lambda: False, question)
            case ConfirmCountry(country=country):
                return await self._briefly.ask(lambda: self._lines.add_country(tenant, country), lambda: False, question)
            case KnownCountry(country=country):
                return await self._briefly.ask(lambda: self._lines.knows_country(tenant, country), lambda: False, question)
            case TryRoomPin():
                may = await self._briefly.ask(
                    lambda: pins.may_try_room(self._redis, tenant, question), lambda: True, question)
                if not may:
                    log.warning("conference_pin_guessing_blocked", tenant=tenant, call=call, room=question.room)
                return may
            case Withdraw(holder=holder):
                return await self._briefly.ask(
                    lambda: self._offers.withdraw(tenant, call, holder),
                    lambda: self._offers.withdraw_here(tenant, call, holder), question)
            case Offer(order=order, for_s=for_s, before=before):
                return await self._briefly.ask(
                    lambda: self._offers.offer(tenant, call, order, for_s, before),
                    lambda: self._offers.offer_here(tenant, call, order, for_s, before), question)

    async def _change(self, tenant: str, question: ChangeSetting) -> int:
        await personal.change(self._redis, tenant, question.extension, lambda before: after(before, question.setting))
        return CHANGED

    async def _put(self, tenant: str, question: PutSwitch) -> int:
        await switches.put(self._redis, tenant, question.switch, question.position)
        return CHANGED

    async def check_pin(self, tenant: str, question: CheckPin, pin: str) -> PinIs:
        """Without Redis the number of tries is unknown, and no PIN is accepted."""
        counted = question.extension if question.of is PinOf.MOBILE else f"{question.extension}/{question.of}"
        return await self._briefly.ask(
            lambda: pins.check(self._redis, tenant, counted, question.keys, pin), lambda: PinIs.LOCKED, question)
