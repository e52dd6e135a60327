"""baresip against SIPp: what the wrapper reports is what the other side saw. With Asterisk between: tests/live."""

import asyncio

import pytest

from sipp import Address, Answer, AwaitHangUp, Call, Callee, Caller, Cast, Ear, Refuse, Silence, Tone, keys, run
from tests.agents.audio import dominant_frequency, tone
from tests.agents.baresip import PhoneFailed, phone

pytestmark = pytest.mark.live

PHONE, OTHER = "127.78.2.1", "127.78.2.2"
SERVER = Address(OTHER)


async def test_both_sides_hear_each_other() -> None:
    async with Ear(OTHER) as ear, Cast(SERVER) as cast, phone(PHONE, speaks=tone(440, 10)) as anna:
        await cast.callee(Callee(then=Answer(media=(Tone(1000, 3000),))), at=OTHER, ear=ear)
        await anna.use("anna", SERVER)
        await anna.dial("201", SERVER)
        await anna.until("CALL_ESTABLISHED")
        assert abs(dominant_frequency(await anna.hear(0.5)) - 1000) < 10
        await ear.until(lambda it: len(it.packets) > 25)
        await anna.press("5#")
        await ear.until(lambda it: it.digits == "5#")
        await anna.hang_up()
    assert ear.share_of_tone(440) > 0.8


async def test_called_phone_reports_the_call_the_keys_and_the_end() -> None:
    async with phone(PHONE) as anna, Cast(Address(PHONE)) as cast:
        await anna.use("anna", SERVER, answers=True)
        media = (Silence(200), *keys("73", pause_ms=200), Silence(200))
        await cast.call(Call(number="anna", caller=Caller("300", "Zofia"), media=media), at=OTHER)
        assert (await anna.until("CALL_ESTABLISHED")).peer.startswith("sip:300@")
        assert [(await anna.until("CALL_DTMF_START")).detail for _ in range(2)] == ["7", "3"]
        await anna.until("CALL_CLOSED", unless="")


async def test_phone_answers_when_told_and_hangs_up_when_told() -> None:
    async with phone(PHONE) as anna, Ear(OTHER) as ear:
        await anna.use("anna", SERVER)
        async with asyncio.TaskGroup() as tasks:
            call = Call(number="anna", caller=Caller("300"), ending=AwaitHangUp(within_ms=5000))
            placed = tasks.create_task(run(call, local=OTHER, server=Address(PHONE), ear=ear))
            await anna.until("CALL_INCOMING")
            await anna.accept()
            await ear.until(lambda it: len(it.packets) > 10)
            await anna.hang_up()
    assert placed.result().received("BYE")


async def test_refused_call_is_reported_with_its_reason() -> None:
    async with Cast(SERVER) as cast, phone(PHONE) as anna:
        await cast.callee(Callee(then=Refuse(486, "Busy Here")), at=OTHER)
        await anna.use("anna", SERVER)
        await anna.dial("201", SERVER)
        with pytest.raises(PhoneFailed, match=r"found CALL_CLOSED \(486 Busy Here\)"):
            await anna.until("CALL_ESTABLISHED")


async def test_registration_without_a_registrar_fails() -> None:
    async with phone(PHONE) as anna:
        with pytest.raises(PhoneFailed, match="expected REGISTER_OK"):
            await anna.register("anna", "secret", SERVER, within_s=0.5)
