"""The lines that legs outside hold, and whose minutes they are: however a call is passed on, and whoever dials the leg."""

import asyncio
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from redis import Redis

from sipp import Answer, AwaitHangUp, Callee, Ring, SendHangUp
from store.lines import STOPPED, lines_key, outside_key
from tests.live import test_devices
from tests.live.calling import dials
from tests.live.firm import firm, until_reachable
from tests.live.pbx import Pbx, until
from tests.live.test_devices import CARRIER, DIRECT, LINE, TALKS
from tests.live.test_transfers import OUTSIDE

pytestmark = pytest.mark.live

MOBILE = "+48600000501"


def outside_s(client: Redis, tenant: str, user: str) -> int:
    today = datetime.now(UTC).astimezone(ZoneInfo("Europe/Warsaw")).date().isoformat()
    return int(client.hget(outside_key(tenant, today), user) or 0)


def places(client: Redis, tenant: str) -> dict[str, float]:
    """The ends of the leases."""
    return {place.decode(): end for place, end in client.zrange(lines_key(tenant), 0, -1, withscores=True)}


@pytest.mark.parametrize(("caller", "called"), [("202", "201"), ("201", "202")])
@pytest.mark.parametrize("keys", ["*2", "##"])
async def test_user_who_connects_a_colleague_with_a_number_outside_holds_the_line_and_pays(
    pbx: Pbx, keys: str, caller: str, called: str,
) -> None:
    """201 transfers, calling or called; the leg outside is of no channel that began the call."""
    with Redis.from_url(pbx.settings.redis_url) as client:
        await until(lambda: not places(client, "swap"), "the lines of the calls before are free")
        before_s = outside_s(client, "swap", "201")
        async with firm(pbx, "201", "202", number=OUTSIDE) as it:
            await it.dials(caller, called, answers=called)
            await it["201"].press(f"{keys}587000011#")
            await it.answers("outside")
            if keys == "*2":
                await it.talk("201", "outside")
                await it["201"].hang_up()
            await it.talk("202", "outside")
            (place, first), = places(client, "swap").items()
            assert place.split("/")[1:3] == ["201", OUTSIDE]
            await until(lambda: places(client, "swap").get(place, 0) > first, "the lease is renewed")
            await it["202"].hang_up()
            call = await it.record_only(caller)
        assert place.split("/")[0] == call.linkedid
        await until(lambda: not places(client, "swap"), "the line is free")
        await until(lambda: outside_s(client, "swap", "201") > before_s, "201 pays for the time")
        assert outside_s(client, "swap", "202") == 0
    await pbx.nothing_is_left()


async def test_mobile_that_only_rang_gives_its_line_back_while_the_desk_talks(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    with Redis.from_url(pbx.settings.redis_url) as client:
        async with pbx.cast() as cast:
            await pbx.phone(cast, "homes-201-desk", Callee(then=Answer(ring_ms=4000, ending=SendHangUp(15000))))
            for device in ("dect", "browser"):
                await pbx.phone(cast, f"homes-201-{device}", Callee(then=Ring()))
            await test_devices.carrier(pbx, cast, Ring())
            call = asyncio.create_task(cast.call(dials(DIRECT, caller, ending=AwaitHangUp()), at=test_devices.TRUNK))
            await until(lambda: any(f"/201/{MOBILE}/" in place for place in places(client, "homes")), "the mobile holds a line")
            await until(
                lambda: [place for place in places(client, "homes") if "/" in place] == [] != list(places(client, "homes")),
                "only the caller holds a line")
            assert not call.done()
            await call
        await until(lambda: not places(client, "homes"), "all lines are free")
    await pbx.nothing_is_left()


async def test_queue_rings_no_mobile_of_a_tenant_whose_calls_outside_are_stopped(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    with Redis.from_url(pbx.settings.redis_url) as client:
        client.hset(STOPPED, "homes/", "by a test")
        try:
            async with pbx.cast() as cast:
                await pbx.phone(cast, "homes-201-desk", Callee(then=TALKS))
                await pbx.phone(cast, "homes-201-browser", Callee(then=Ring()))
                await cast.callee(Callee(then=Ring()), at=CARRIER, calls=0)
                await until_reachable(pbx, "homes-trunk-carrier")
                await cast.call(dials(LINE, caller, ending=AwaitHangUp()), at=test_devices.TRUNK)
            assert not cast.results[CARRIER].received("INVITE")
        finally:
            client.hdel(STOPPED, "homes/")
    assert (await pbx.record(caller, "homes")).answered_by == "201"
    await pbx.nothing_is_left()
