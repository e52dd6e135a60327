"""What is set for a call reaches the phone that answers it, and the caller; whatever the caller is called."""

import pytest

from routing.call.facts import DeviceState
from sipp import Answer, AwaitHangUp, Callee, Caller, Ring, SendHangUp, Silence
from tests.agents.baresip import phone
from tests.live.calling import dials
from tests.live.pbx import TRUNK, Pbx, path_of

pytestmark = pytest.mark.live

SALES, LONG, GERMAN = "48224000001", "48224000002", "48224000004"
IDLE = DeviceState.IDLE


@pytest.mark.parametrize(("name", "shown"), [
    ("", "Service {number}"), ("Anna Kowalska", "Service Anna Kowalska"), ("a,b)(c", "Service a,b)(c"),
    ("${CHANNEL}", "Service ${{CHANNEL}}"), ("x:y?z", "Service x:y?z"), ("ARG1=$[1+1]", "Service ARG1=$[1+1]"),
])
async def test_phone_shows_the_last_prefix_before_the_callers_own_name(pbx: Pbx, name: str, shown: str) -> None:
    caller = Caller(pbx.outside_caller().number, name)
    async with pbx.cast() as cast:
        anna = await pbx.phone(cast, "told-201-desk", Callee(then=Answer(ending=SendHangUp(100))))
        await cast.call(dials(SALES, caller, ending=AwaitHangUp()), at=TRUNK["told"])
    (invite,) = cast.results[anna.local].received("INVITE")
    sender = next(line for line in invite.text.splitlines() if line.startswith("From:"))
    assert f'"{shown.format(number=caller.number)}"' in sender
    call = await pbx.record(caller, "told")
    assert path_of(call) == pbx.simulated(SALES, tenant="told", x201=IDLE)
    assert (call.caller_name, call.answered_by) == (name, "201")


async def test_any_key_ends_an_interruptible_announcement(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast() as cast, phone(TRUNK["told"]) as outside:
        await pbx.phone(cast, "told-201-desk", Callee(then=Ring()))
        await outside.use(caller.number, pbx.server)
        await outside.dial(LONG, pbx.server)
        await outside.until("CALL_ESTABLISHED")
        await outside.hear(1)
        assert pbx.state_of("told-201-desk") == IDLE
        heard = len(outside.heard())
        await outside.press("5")
        await pbx.until_state("told-201-desk", DeviceState.RINGING)
        assert len(outside.heard()) - heard < 3 * 8000                          # the whole takes more than ten seconds
        await outside.hang_up()
    assert path_of(await pbx.record(caller, "told")) == pbx.simulated(LONG, tenant="told", x201=IDLE)[:4]


async def test_music_that_is_set_is_heard_while_a_group_rings(pbx: Pbx) -> None:
    caller = pbx.outside_caller()
    async with pbx.cast() as cast, phone(TRUNK["told"]) as outside:
        await pbx.phone(cast, "told-201-desk", Callee(then=Answer(ring_ms=2500, media=(Silence(200),), ending=SendHangUp(100))))
        before = pbx.log_size()
        await outside.use(caller.number, pbx.server)
        await outside.dial(GERMAN, pbx.server)
        await outside.until("CALL_CLOSED", unless="")
        assert abs(outside.heard()).max() > 300
    assert path_of(await pbx.record(caller, "told"))[1] == ("german", "sets music 'own', on to team")
    said = pbx.log_since(before)
    assert "Music class" not in said
    assert "not registered" not in said          # a function that no module brings
