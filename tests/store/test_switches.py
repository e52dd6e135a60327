"""Switches and users' settings in Redis: every change counts once, and the decision service knows of it at once."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis as SyncRedis

from routing.call.effects import GOES_ON, NOT_CHANGED, PAUSES, Flip, FlipPause
from routing.call.facts import NOTHING_SET, Forwarding, Personal
from store import follower, live, personal, switches
from store.answers import RedisAnswers
from store.follower import LiveFollower
from store.lines import COUNTRIES, Lines
from tests.ami.ami_peer import until
from tests.store.redis_server import RedisServer

NIGHT = Flip("night", ("auto", "day", "night"), "auto")


@pytest.fixture
def redis_server(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> RedisServer:
    monkeypatch.setattr(follower, "FIRST_DELAY_S", 0.01)
    return redis_server


async def test_switch_moves_on_once_for_each_decision_and_round(redis_server: RedisServer) -> None:
    async with redis_server.client() as redis:
        answers = RedisAnswers(redis)
        assert [await answers.answer("acme", "1.1", NIGHT, call) for call in ("1/", "1/", "2/", "2/", "3/", "1/")] == [1, 1, 2, 2, 0, 1]
        assert await switches.positions(redis, "acme") == {"night": "auto"}
        assert await answers.answer("rossi", "1.1", NIGHT, "1/") == 1
        assert await switches.positions(redis, "rossi") == {"night": "day"}


async def test_ten_phones_at_once_move_it_ten_times(redis_server: RedisServer) -> None:
    async with redis_server.client() as redis:
        moved = await asyncio.gather(*(switches.flip(redis, "acme", NIGHT, f"{call}/") for call in range(10)))
        assert sorted(moved) == [0, 0, 0, 1, 1, 1, 1, 2, 2, 2]
        assert await switches.positions(redis, "acme") == {"night": "day"}


async def test_switch_moves_on_from_where_the_command_put_it(redis_server: RedisServer) -> None:
    async with redis_server.client() as redis:
        await switches.put(redis, "acme", "night", "day")
        assert await switches.flip(redis, "acme", NIGHT, "1/") == 2
        await switches.put(redis, "acme", "night", "a position of long ago")
        assert await switches.flip(redis, "acme", replace(NIGHT, initial="night"), "2/") == 0


async def test_pause_begins_or_ends_once_for_each_decision(redis_server: RedisServer) -> None:
    async with redis_server.client() as redis:
        answers, asked = RedisAnswers(redis), FlipPause("201")
        await personal.change(redis, "acme", "201", lambda _: Personal(paused_in=frozenset(["sales"]), do_not_disturb=True))
        flipped = [await answers.answer("acme", "1.1", asked, call) for call in ("1/", "1/", "2/", "2/", "1/", "3/")]
        assert flipped == [GOES_ON, GOES_ON, PAUSES, PAUSES, GOES_ON, GOES_ON]
        assert await personal.read(redis, "acme", "201") == Personal(do_not_disturb=True)
        assert await answers.answer("rossi", "1.1", asked, "1/") == PAUSES
        at_once = await asyncio.gather(*(answers.answer("acme", "4.1", asked, "4/") for _ in range(5)))
        assert at_once == [PAUSES] * 5
        await redis_server.stop()
        assert await answers.answer("acme", "5.1", asked, "5/") == NOT_CHANGED


async def test_switch_stays_while_redis_is_away(redis_server: RedisServer) -> None:
    async with redis_server.client() as redis:
        await redis_server.stop()
        assert await switches.flip(redis, "acme", NIGHT, "1/") == NOT_CHANGED


async def test_changes_are_followed_by_tenant_and_stay_while_redis_is_away(redis_server: RedisServer) -> None:
    async with redis_server.client() as redis, LiveFollower(redis_server.url) as following:
        await until(following.loaded.is_set)
        await switches.put(redis, "acme", "night", "day")
        await switches.flip(redis, "acme", NIGHT, "1/")
        await switches.flip(redis, "rossi", NIGHT, "1/")
        await personal.change(redis, "acme", "201", lambda before: replace(before, do_not_disturb=True))
        expected = {"acme": {"night": "night"}, "rossi": {"night": "day"}}
        await until(lambda: following.live.switches == expected and following.live.personal == {"acme": {"201": Personal(do_not_disturb=True)}})
        await redis_server.stop()
        await until(lambda: not following.loaded.is_set())
        assert following.live.switches == expected
        await redis_server.start()
        async with redis_server.client() as other:
            await switches.put(other, "acme", "night", "day")
        await until(lambda: following.live.switches == {"acme": {"night": "day"}} and following.live.personal == {})


async def test_entry_that_nobody_of_ours_wrote_is_passed_over(redis_server: RedisServer) -> None:
    async with redis_server.client() as redis, LiveFollower(redis_server.url) as following:
        for junk in ("", "[]", '{"x": 1}', '{"forwards": {"sometimes": "202"}}', '{"paused": "yes"}', '{"forwards": ["busy"]}'):
            await redis.hset(live.PERSONAL, "acme/201", junk)
            await redis.hset(live.PERSONAL, "acme/202", '{"paused": true}')
            await redis.publish(live.CHANGES, '{"all": true}')
            await until(lambda: following.live.personal.get("acme") == {"202": Personal(paused=True)})
            await redis.delete(live.PERSONAL)
            await redis.publish(live.CHANGES, '{"all": true}')
            await until(lambda: following.live.personal == {})
        assert following.loaded.is_set()


async def test_users_of_two_tenants_who_set_things_at_once_do_not_make_each_other_try_again(redis_server: RedisServer) -> None:
    async with redis_server.client() as redis:
        other = SyncRedis.from_url(redis_server.url)
        tries = 0

        def acme_while_rossi_changes(before: Personal) -> Personal:
            nonlocal tries
            tries += 1
            if tries == 1:
                other.hset(live.PERSONAL, "rossi/201", personal.to_json(Personal(do_not_disturb=True)))
            return replace(before, do_not_disturb=True)

        await personal.change(redis, "acme", "201", acme_while_rossi_changes)
        other.close()
        assert tries == 1
        assert await personal.read(redis, "acme", "201") == await personal.read(redis, "rossi", "201") == Personal(do_not_disturb=True)


async def test_change_counts_with_what_the_same_user_has_set_meanwhile(redis_server: RedisServer) -> None:
    async with redis_server.client() as redis:
        other = SyncRedis.from_url(redis_server.url)

        def acme_while_the_same_user_changes(before: Personal) -> Personal:
            if not before.paused:
                other.hset(live.PERSONAL, "acme/201", personal.to_json(Personal(paused=True)))
            return replace(before, do_not_disturb=True)

        after = await personal.change(redis, "acme", "201", acme_while_the_same_user_changes)
        other.close()
        assert after == await personal.read(redis, "acme", "201") == Personal(paused=True, do_not_disturb=True)


async def test_what_is_asked_of_one_tenant_is_not_read_of_all(redis_server: RedisServer) -> None:
    async with redis_server.client() as redis:
        async def sent() -> int:
            return int((await redis.info("stats"))["total_net_output_bytes"])

        await redis.hset(live.SWITCHES, mapping={f"t{number}/night": "a" * 50 for number in range(2000)})
        await redis.sadd(COUNTRIES, *(f"t{number}/FR" for number in range(2000)))
        before = await sent()
        assert await switches.positions(redis, "t7") == {"night": "a" * 50}
        assert await Lines(redis).countries("t7") == {"FR"}
        assert await sent() - before < 20_000, "of some 120,000 bytes"


async def test_two_changes_of_one_user_at_once_both_count(redis_server: RedisServer) -> None:
    async with live.connect(redis_server.url) as one, live.connect(redis_server.url) as other:
        await asyncio.gather(*(personal.change(
            redis, "acme", "201", lambda before, group=group: replace(before, logged_out_of=before.logged_out_of | {group}))  # type: ignore[misc]
            for group in "abcdef" for redis in (one, other)))
        assert await personal.read(one, "acme", "201") == Personal(logged_out_of=frozenset("abcdef"))
        await personal.change(one, "acme", "201", lambda _: NOTHING_SET)
        assert await one.hlen(live.PERSONAL) == 0


GROUPS = st.frozensets(st.sampled_from(["sales", "service"]))


@given(st.builds(Personal, st.booleans(), st.booleans(), GROUPS, st.booleans(), GROUPS,
                 st.dictionaries(st.sampled_from(Forwarding), st.sampled_from(["202", "+48600100200"]))))
def test_settings_come_back_as_they_were(setting: Personal) -> None:
    assert personal.from_json(personal.to_json(setting)) == setting
