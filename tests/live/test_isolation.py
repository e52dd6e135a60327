"""500 calls with random numbers, codes and keys behind them, from the phones of one of two tenants that have everything alike: no
phone of the other is rung, no call of the other is picked up, and each record is of one tenant alone."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from routing.call.facts import NOTHING_SET, DeviceState
from sipp import Attempts, Call, Callee, Caller, Cancel, Load, Ring, Silence
from store import database, live, personal
from store.calls import legs
from tests.live.pbx import Pbx, until

pytestmark = pytest.mark.live

SEED = 20261124
CALLS, PER_S, CALLERS = 500, 30, ("alfa-202-desk", "alfa-203-desk")
ALFA, BETA = "127.77.0.36", "127.77.0.37"
KNOWN = [
    "201", "202", "203", *map(str, range(300, 310)), "112", *(f"+4822700{which}0{i}" for which in ("01", "02") for i in range(10)),
    "+48600722201", "+48600722777"]


def numbers(codes: list[str]) -> Iterator[str]:
    """The same in each run: random keys, what is known, codes with either behind."""
    chosen = random.Random(SEED)  # noqa: S311
    while True:
        keys = "".join(chosen.choices("0123456789*#", k=chosen.randint(1, 12)))
        known, code = chosen.choice(KNOWN), chosen.choice(codes)
        yield chosen.choice([keys, known, code, code + known, code + keys, known + keys])


@pytest.fixture(autouse=True)
async def as_at_first(pbx: Pbx) -> AsyncIterator[None]:
    """Random codes set do not disturb, forwards and wake-up calls, which are no other test's business."""
    yield
    async with live.connect(pbx.settings.redis_url) as client:
        for extension in ("201", "202", "203"):
            await personal.change(client, "alfa", extension, lambda _: NOTHING_SET)


async def test_500_random_calls_of_one_tenant_touch_nothing_of_the_other(pbx: Pbx) -> None:
    print(f"seed {SEED}")
    began = datetime.now(UTC)
    codes = [code for code in pbx.tenants["alfa"].codes.model_dump().values() if isinstance(code, str)]
    dialled = numbers([*codes, "*28"])
    waits, before = pbx.outside_caller(), await pbx.count("alfa")

    async def all_are_recorded() -> bool:
        return await pbx.count("alfa") >= before + CALLS

    async with pbx.cast(limit_s=60) as cast:
        for device in ("201-dect", "202-dect", "203-dect", "201-desk"):
            await pbx.phone(cast, f"alfa-{device}", Callee(then=Ring()), calls=None)
        rung = [await pbx.phone(cast, f"beta-201-{device}", Callee(then=Ring())) for device in ("desk", "dect")]
        quiet = [await pbx.phone(cast, f"beta-{extension}-desk", Callee(then=Ring()), calls=0) for extension in ("202", "203")]
        async with asyncio.TaskGroup() as tasks:
            ringing = Call(number="48227000209", caller=waits, media=(Silence(100),), ending=Cancel(CALLS * 1000 // PER_S + 4000))
            tasks.create_task(cast.call(ringing, at=BETA))
            await pbx.until_state("beta-201-desk", DeviceState.RINGING)
            for i, name in enumerate(CALLERS):
                each = tuple(next(dialled) for _ in range(CALLS // len(CALLERS)))
                me = pbx.account(name)
                tasks.create_task(cast.call(
                    Attempts(numbers=each, caller=Caller(me.user), account=me), at=f"127.77.8.{70 + i}",
                    load=Load(len(each), PER_S // len(CALLERS), at_once=200)))
    await pbx.nothing_is_left()
    assert not any(cast.results[phone.local].received("INVITE") for phone in quiet)
    assert all(len(cast.results[phone.local].received("INVITE")) == 1 for phone in rung)
    record = await pbx.record(waits, "beta")
    assert record.answered_by is None
    await until(all_are_recorded, f"{CALLS} calls are recorded")
    found = await channels(pbx, began)
    assert {owner for owner, _ in found} == {"alfa", "beta"}
    assert not [(owner, channel) for owner, channel in found if {"alfa": "beta", "beta": "alfa"}[owner] in channel]


async def channels(pbx: Pbx, since: datetime) -> set[tuple[str, str]]:
    """Of all legs since then of the two, each with its tenant."""
    engine = database.connect(pbx.settings.database_url)
    try:
        async with engine.connect() as connection:
            query = select(legs.c.tenant, legs.c.channel).where(legs.c.started_at >= since, legs.c.tenant.in_(("alfa", "beta")))
            return {(row.tenant, row.channel) for row in await connection.execute(query)}
    finally:
        await engine.dispose()
