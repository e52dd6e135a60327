"""Conference rooms with real phones: who hears whom, who is let in, and who has to leave."""

from datetime import UTC, datetime

import pytest
import redis

from routing.call.facts import DeviceState
from store.pins import MAX_ROOM_TRIES, room_key
from store.records import Outcome
from tests.agents.audio import dominant_frequency, likeness, tone
from tests.agents.baresip import Phone, phone
from tests.live.calling import registered
from tests.live.pbx import TRUNK, Pbx, path_of, until
from tests.live.test_codes import ALIKE, sound

pytestmark = pytest.mark.live

ANNA, JAN, ZOFIA = "told-201-desk", "told-202-desk", "told-203-desk"
PAIR = "48224000003"


async def parties(pbx: Pbx, room: str) -> int:
    lines = [line.split() for line in pbx.runtime.asterisk_cli("confbridge list").splitlines()]
    return next((int(line[1]) for line in lines if line[:1] == [f"told-{room}"]), 0)


async def enter(pbx: Pbx, phone: Phone, room: str, number: str, pin: str = "") -> None:
    before = await parties(pbx, room)
    await phone.dial(number, pbx.server)
    await phone.until("CALL_ESTABLISHED")
    if pin:
        await phone.press(pin)

    async def is_in() -> bool:
        return await parties(pbx, room) == before + 1

    await until(is_in, f"one more is in {room}")


async def test_two_in_a_room_hear_each_other_and_a_third_is_let_in_when_one_has_left(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with (
        phone("127.77.7.41", speaks=tone(440, 60)) as anna, phone("127.77.7.42", speaks=tone(1000, 60)) as jan,
        phone(TRUNK["told"]) as outside,
    ):
        await registered(pbx, anna, ANNA)
        await registered(pbx, jan, JAN)
        await outside.use(caller.number, pbx.server)
        await enter(pbx, anna, "pair", "800")
        await enter(pbx, jan, "pair", "800")
        await anna.hear(4)                                                   # what the room says to the first one is over
        assert abs(dominant_frequency(anna.heard()[-8000:]) - 1000) < 20
        await jan.hear(1)
        assert abs(dominant_frequency(jan.heard()[-8000:]) - 440) < 20
        await outside.dial(PAIR, pbx.server)
        await outside.until("CALL_CLOSED", unless="")
        await jan.hang_up()
        await pbx.until_state(JAN, DeviceState.IDLE)
        await enter(pbx, outside, "pair", PAIR)
        await outside.hang_up()
        await anna.hang_up()
    turned_away, let_in = sorted(await pbx.records(caller, "told", at_least=2), key=lambda call: call.started_at)
    assert path_of(turned_away)[-3:] == [
        ("pair", "the room is full or locked, on to bye"), ("bye", "plays goodbye"), ("bye", "hangs up")]
    assert (turned_away.outcome, let_in.outcome) == (Outcome.UNANSWERED, Outcome.CONFERENCE)
    await pbx.nothing_is_left()


async def test_members_wait_for_the_moderator_and_leave_with_them(pbx: Pbx) -> None:
    began = datetime.now(UTC)
    async with (
        phone("127.77.7.43", speaks=tone(440, 60)) as anna, phone("127.77.7.44", speaks=tone(1000, 60)) as jan,
        phone("127.77.7.45", speaks=tone(600, 60)) as zofia,
    ):
        for each, endpoint in ((anna, ANNA), (jan, JAN), (zofia, ZOFIA)):
            await registered(pbx, each, endpoint)
        await enter(pbx, anna, "chaired", "801")
        await enter(pbx, jan, "chaired", "801")
        await jan.hear(5)
        assert abs(dominant_frequency(jan.heard()[-8000:]) - 440) > 20        # nobody is heard before
        await enter(pbx, zofia, "chaired", "801", pin="99887")
        await zofia.hear(4)
        await zofia.hang_up()
        await anna.until("CALL_CLOSED", unless="")
        await jan.until("CALL_CLOSED", unless="")
    member = await pbx.record("202", "told", since=began)
    assert path_of(member)[-2:] == [("chaired", "lets in"), ("chaired", "the conference is over")]
    moderator = await pbx.record("203", "told", since=began)
    assert path_of(moderator)[-1] == ("chaired", "lets in as moderator")
    await pbx.nothing_is_left()


async def test_who_keys_one_wrong_pin_too_many_over_all_calls_hears_so_and_the_right_one_lets_nobody_in(pbx: Pbx) -> None:
    began = datetime.now(UTC)
    of_others, key = room_key("told", "chaired", inside=False), room_key("told", "chaired", inside=True)
    with redis.Redis.from_url(pbx.settings.redis_url) as client:
        client.set(key, MAX_ROOM_TRIES - 1, ex=3600)
        try:
            async with phone("127.77.7.46") as anna:
                await registered(pbx, anna, ANNA)
                await anna.dial("801", pbx.server)
                await anna.until("CALL_ESTABLISHED")
                await anna.press("123#")
                await until(lambda: client.get(key) == str(MAX_ROOM_TRIES).encode(), "the wrong PIN counts")
                await anna.press("99887#")
                await anna.until("CALL_CLOSED", unless="", within_s=30)
                assert likeness(anna.heard(), sound(pbx, "told", "sys_conference_too_many")[:-800]) > ALIKE
            assert client.get(of_others) is None
        finally:
            client.delete(key)
    call = await pbx.record("201", "told", since=began)
    assert path_of(call)[:5] == [
        ("start", "201 dials 801"), ("chaired", "asks for the PIN"), ("chaired", "a wrong PIN, asks again"),
        ("chaired", "too many recent wrong PINs"), ("chaired", "on to bye")]
