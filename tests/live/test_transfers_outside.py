"""Calls that are transferred outside: who may, whose number is shown, and which lines they take until they are over."""

import asyncio

import pytest
from redis import Redis

from store.lines import lines_key
from tests.live.firm import Firm, firm, path
from tests.live.pbx import Pbx, until

pytestmark = pytest.mark.live

NUMBER, DIRECT, ANNAS = "+48587000001", "587000001", "+48225100002"


async def until_taken(pbx: Pbx, calls: set[str]) -> None:
    """Until these hold the tenant's lines: the users on whose behalf a number outside is called."""
    def held() -> set[str]:
        with Redis.from_url(pbx.settings.redis_url, decode_responses=True) as client:
            return {f"{place}/".split("/")[1] for place in client.zrange(lines_key("out"), 0, -1)}

    await until(lambda: held() == calls, f"lines are taken for {calls or 'nobody'}")


async def passes_on(it: Firm, how: str) -> None:
    match how:
        case "keys":
            await it["201"].press(f"##{DIRECT}#")
        case "refer":
            await it["201"].transfer(DIRECT, it.pbx.server)
        case "asks by keys":
            await it["201"].press(f"*2{DIRECT}#")


@pytest.mark.parametrize("how", ["keys", "refer", "asks by keys", "asks", "asks and does not wait"])
@pytest.mark.parametrize(("caller", "called"), [("202", "201"), ("201", "202")])
async def test_call_goes_outside_on_behalf_of_who_transfers_it(pbx: Pbx, caller: str, called: str, how: str) -> None:
    async with firm(pbx, "201", "202", tenant="out", number=NUMBER, reachable=True) as it:
        await until_taken(pbx, set())
        await it.dials(caller, called, answers=called)
        asked = ""
        if how.startswith("asks and"):
            await it.completes("201", DIRECT, await it.consults("201", DIRECT, "outside", answers=False))
        elif how == "asks":
            asked = await it.consults("201", DIRECT, "outside")
        else:
            await passes_on(it, how)
        if how != "asks":
            if how != "asks and does not wait":
                assert ANNAS in await it.answers("outside")
            else:
                await it["outside"].accept()
        if how == "asks by keys":
            await it.talk("201", "outside")
            await it["201"].hang_up()
        elif how == "asks":
            await it.completes("201", DIRECT, asked)
        await it.talk("202", "outside")
        assert "Diversion:" not in it["outside"].log()      # who transfers has answered: nothing was diverted
        await until_taken(pbx, {"201"})
        await it["202"].hang_up()
        call = await it.record(caller)
        assert any(node == "outgoing" and why.startswith(f"calls {NUMBER}") for node, why in path(call))
        assert "out-trunk-carrier" in await it.legs(call)
        await until_taken(pbx, set())


@pytest.mark.parametrize("how", ["keys", "asks by keys", "refer"])
async def test_who_may_not_call_outside_transfers_nobody_there(pbx: Pbx, how: str) -> None:
    async with firm(pbx, "203", "202", tenant="out", number=NUMBER, reachable=True) as it:
        await it.dials("202", "203", answers="203")
        if how == "refer":
            await it["203"].transfer(DIRECT, pbx.server)
            await it.answers("203")
        else:
            await it["203"].press(f"{'##' if how == 'keys' else '*2'}{DIRECT}#")
            await it.hears_nobody("203")
        await it.talk("202", "203")
        assert not [event for event in it["outside"].events if event.kind == "CALL_INCOMING"]
        await it["202"].hang_up()
        call = await it.record("202")
        assert not any(node == "outgoing" and why.startswith("calls") for node, why in path(call))
        await asyncio.to_thread(pbx.centralka, "explain", call.linkedid)
