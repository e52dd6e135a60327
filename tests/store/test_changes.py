"""What codes change is kept, and who called last; without Redis nothing is said to have changed."""

import time
from datetime import UTC, datetime, timedelta

from routing.call.changes import DoNotDisturb, WakeUp
from routing.call.effects import CHANGED, NOT_CHANGED, ChangeSetting, PutSwitch
from routing.call.facts import Personal
from routing.call.questions import NOT_KNOWN, LastCaller
from store import live, personal, switches, user_calls
from store.answers import RedisAnswers
from store.user_calls import CallForUsers
from tests.store.redis_server import RedisServer

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


async def test_change_is_kept_for_its_tenant_and_its_user_only(redis_server: RedisServer) -> None:
    async with live.connect(redis_server.url) as redis:
        answers = RedisAnswers(redis)
        for setting in (DoNotDisturb(True), WakeUp(NOON)):
            assert await answers.answer("acme", "1.1", ChangeSetting("201", setting), "1.1/") == CHANGED
        assert await answers.answer("acme", "1.1", PutSwitch("night", "day"), "1.1/") == CHANGED
        assert await personal.read(redis, "acme", "201") == Personal(do_not_disturb=True, wake_up=NOON)
        assert await personal.read(redis, "rossi", "201") == await personal.read(redis, "acme", "202") == Personal()
        assert (await switches.positions(redis, "acme"), await switches.positions(redis, "rossi")) == ({"night": "day"}, {})


async def test_without_redis_nothing_has_changed_nobody_is_known_and_nobody_waits_long(redis_server: RedisServer) -> None:
    async with live.connect(redis_server.url) as redis:
        answers = RedisAnswers(redis)
        await redis_server.stop()
        began = time.monotonic()
        assert await answers.answer("acme", "1.1", ChangeSetting("201", DoNotDisturb(True)), "1.1/") == NOT_CHANGED
        assert await answers.answer("acme", "1.1", PutSwitch("night", "day"), "1.1/") == NOT_CHANGED
        assert await answers.answer("acme", "1.1", LastCaller("201"), "1.1/") == NOT_KNOWN
        assert time.monotonic() - began < 20, "one limit after another would be more"


async def test_last_caller_is_who_called_last_and_not_whose_call_ended_last(redis_server: RedisServer) -> None:
    def called(caller: str, after_s: int, *extensions: str, tenant: str = "acme") -> CallForUsers:
        return CallForUsers(tenant, caller, NOON + timedelta(seconds=after_s), frozenset(extensions))

    async with live.connect(redis_server.url) as redis:
        assert await user_calls.last_caller(redis, "acme", "201") == ""
        await user_calls.note_callers(redis, [called("202", 5, "201", "203"), called("204", 0, "201"), called("209", 9)])
        await user_calls.note_callers(redis, [called("205", 9, "201", tenant="rossi")])
        assert await user_calls.last_caller(redis, "acme", "201") == "202"
        await user_calls.note_callers(redis, [called("204", 0, "201"), called("", 20, "203")])
        assert await user_calls.last_caller(redis, "acme", "201") == "202"
        assert await user_calls.last_caller(redis, "acme", "203") == ""
        assert await RedisAnswers(redis).answer("rossi", "1.1", LastCaller("201"), "1.1/") == "205"
