"""SIPp against SIPp: the phones do what their scenario says, and say what went wrong when they can't."""

import asyncio
from pathlib import Path

import pytest

from sipp import (
    Address,
    Answer,
    AwaitHangUp,
    Call,
    Callee,
    Caller,
    Cancel,
    Cast,
    Ear,
    Load,
    Options,
    Refuse,
    Refused,
    Ring,
    SendHangUp,
    Silence,
    SippFailed,
    Tone,
    keys,
    run,
    started,
)

pytestmark = pytest.mark.live

CALLER, CALLEE, OTHER = "127.78.1.1", "127.78.1.2", "127.78.1.3"
ANNA = Caller("+48225550100", "Anna")


def sipp_processes() -> set[int]:
    found = set()
    for comm in Path("/proc").glob("[0-9]*/comm"):
        try:
            if comm.read_text() == "sipp\n" and str(CALLER).rsplit(".", 1)[0] in (comm.parent / "cmdline").read_text():
                found.add(int(comm.parent.name))
        except FileNotFoundError:
            continue
    return found


async def test_answered_call_succeeds_on_both_sides() -> None:
    async with Cast(Address(CALLEE)) as cast:
        await cast.callee(Callee(then=Answer(ring_ms=100)), at=CALLEE)
        result = await cast.call(Call(number="201", caller=ANNA), at=CALLER)
    assert (result.statistics.created, result.statistics.successful, result.statistics.failed) == (1, 1, 0)
    assert 100 <= result.setup_ms[0] < 400
    assert cast.results[Address(CALLEE)].invites == 1
    assert [message.first_line for message in result.received("SIP/2.0 2")] == ["SIP/2.0 200 OK"] * 2


async def test_callee_may_hang_up() -> None:
    async with Cast(Address(CALLEE)) as cast:
        await cast.callee(Callee(then=Answer(ending=SendHangUp(after_ms=50))), at=CALLEE)
        result = await cast.call(Call(number="201", caller=ANNA, ending=AwaitHangUp(within_ms=3000)), at=CALLER)
    assert len(result.received("BYE")) == 1


async def test_busy_callee_refuses() -> None:
    async with Cast(Address(CALLEE)) as cast:
        await cast.callee(Callee(then=Refuse()), at=CALLEE)
        result = await cast.call(Call(number="201", caller=ANNA, ending=Refused(486)), at=CALLER)
    assert result.received("SIP/2.0 486 Busy Here")


async def test_caller_gives_up_while_it_rings() -> None:
    async with Cast(Address(CALLEE)) as cast:
        await cast.callee(Callee(then=Ring()), at=CALLEE)
        await cast.call(Call(number="201", caller=ANNA, ending=Cancel(after_ms=100)), at=CALLER)
    assert cast.results[Address(CALLEE)].received("CANCEL")


async def test_pressed_keys_arrive_as_rfc_4733_events() -> None:
    async with Ear(CALLEE) as ear, Cast(Address(CALLEE)) as cast:
        await cast.callee(Callee(then=Answer()), at=CALLEE, ear=ear)
        await cast.call(Call(number="201", caller=ANNA, media=keys("10#*D", pause_ms=60)), at=CALLER)
    assert ear.digits == "10#*D"
    assert sum(packet.payload_type == 101 and packet.payload[1] >> 7 for packet in ear.packets) == 3 * 5


async def test_each_side_hears_the_other_s_tone() -> None:
    async with Ear(CALLER) as caller, Ear(CALLEE) as callee, Cast(Address(CALLEE)) as cast:
        await cast.callee(Callee(then=Answer(media=(Tone(440, 600),))), at=CALLEE, ear=callee)
        call = Call(number="201", caller=ANNA, media=(Tone(1000, 600),), ending=SendHangUp(after_ms=100))
        await cast.call(call, at=CALLER, ear=caller)
    assert caller.share_of_tone(440) > 0.9
    assert callee.share_of_tone(1000) > 0.9
    assert callee.share_of_tone(440) < 0.1


async def test_caller_hears_its_echo() -> None:
    async with Ear(CALLER) as ear, Cast(Address(CALLEE)) as cast:
        await cast.callee(Callee(then=Answer(echo=True)), at=CALLEE)
        call = Call(number="201", caller=ANNA, media=(Silence(100), Tone(700, 400)), ending=SendHangUp(after_ms=100))
        await cast.call(call, at=CALLER, ear=ear)
    assert ear.share_of_tone(700) > 0.9


HOSTILE = (
    'quote " comma , dollar ${EXTEN} ; <sip:x@y> \\',
    "[call_id] [$1] ]]> \\x41 &amp; <!-- -->",
    "zażółć ☎",
    "x[" * 2048,
)


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_caller_name_arrives_as_it_is(name: str) -> None:
    async with Cast(Address(CALLEE)) as cast:
        await cast.callee(Callee(then=Answer()), at=CALLEE)
        await cast.call(Call(number="201", caller=Caller('+48"<;', name)), at=CALLER)
    invite = cast.results[Address(CALLEE)].received("INVITE")[0].text
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    assert f'From: "{quoted}" <sip:+48%22%3C;@{CALLEE}:5060>;tag=' in invite


class Datagrams(asyncio.DatagramProtocol):
    """Everything sent to a port, unread by SIPp (which breaks folded headers when it answers)."""

    def __init__(self) -> None:
        self.first: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, _: object) -> None:
        if not self.first.done():
            self.first.set_result(data)


async def test_line_break_in_a_caller_name_is_folded() -> None:
    loop = asyncio.get_running_loop()
    transport, seen = await loop.create_datagram_endpoint(Datagrams, local_addr=(CALLEE, 5060))
    call = Call(number="201", caller=Caller("200", "a\nX-Injected: yes"))
    try:
        async with started(call, local=CALLER, server=Address(CALLEE), limit_s=5):
            invite = await asyncio.wait_for(seen.first, 5)
    finally:
        transport.close()
    assert b'From: "a\r\n X-Injected: yes" <sip:200@' in invite


async def test_options_are_answered() -> None:
    async with Cast(Address(CALLEE)) as cast:
        await cast.callee(Callee(then=Answer()), at=CALLEE, calls=0)
        await run(Options(), local=CALLER, server=Address(CALLEE))


async def test_load_is_counted_and_timed() -> None:
    async with Cast(Address(CALLEE)) as cast:
        await cast.callee(Callee(then=Answer()), at=CALLEE, calls=50, traced=False)
        load = Load(calls=50, per_s=100)
        result = await cast.call(Call(number="201", caller=ANNA), at=CALLER, load=load, traced=False)
    assert result.statistics.successful == 50
    assert len(result.setup_ms) == 50
    assert 0 < result.setup_percentile(50) <= result.setup_percentile(99) < 1000
    assert result.messages == ()


async def test_failure_shows_what_was_expected_what_came_and_the_messages() -> None:
    async with Cast(Address(CALLEE)) as cast:
        await cast.callee(Callee(then=Refuse(404, "Not Found")), at=CALLEE)
        with pytest.raises(SippFailed) as failed:
            await cast.call(Call(number="201", caller=ANNA), at=CALLER)
    text = str(failed.value)
    assert "expected 200 (or 100, 180, 181, 183 before it), received 'SIP/2.0 404 Not Found'" in text
    assert "sent\nINVITE sip:201@" in text
    assert "received\nSIP/2.0 404 Not Found" in text


async def test_silent_callee_is_explained() -> None:
    call = Call(number="201", caller=ANNA, ending=AwaitHangUp(within_ms=100))
    async with Cast(Address(CALLEE)) as cast:
        await cast.callee(Callee(then=Answer()), at=CALLEE)
        with pytest.raises(SippFailed, match="expected BYE, nothing came in time"):
            await cast.call(call, at=CALLER)


async def test_call_that_never_came_is_a_failure_of_the_callee() -> None:
    with pytest.raises(SippFailed, match="0 calls came, 1 expected"):
        async with Cast(Address(CALLEE)) as cast:
            await cast.callee(Callee(then=Answer()), at=CALLEE)


async def test_time_limit_ends_a_call_that_nobody_answers() -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    with pytest.raises(SippFailed, match="INVITE sip:201@"):
        await run(Call(number="201", caller=ANNA), local=CALLER, server=Address(OTHER), limit_s=1)
    assert loop.time() - begun < 4


async def test_taken_port_is_explained() -> None:
    async with started(Callee(then=Answer()), local=Address(CALLEE)) as sipp:
        await sipp.listening()
        with pytest.raises(SippFailed, match=r"(?i)bind"):
            await run(Options(), local=Address(CALLEE), server=Address(OTHER), limit_s=2)


async def test_nothing_is_left_behind_when_a_test_is_cancelled() -> None:
    async def play(listens: asyncio.Event) -> None:
        async with Cast(Address(CALLEE)) as cast:
            await cast.callee(Callee(then=Answer()), at=CALLEE)
            listens.set()
            await cast.call(Call(number="201", caller=ANNA, ending=AwaitHangUp()), at=CALLER)

    listens = asyncio.Event()
    task = asyncio.create_task(play(listens))
    await asyncio.wait_for(listens.wait(), 5)
    assert sipp_processes()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not sipp_processes()
