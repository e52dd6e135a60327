"""What a caller sends is a name or a number, whatever is in it: it reaches nothing else."""

import pytest

from sipp import Answer, Call, Callee, Caller, Refused, Ring, SendHangUp, run
from tests.live.calling import DIRECT, IDLE, dials
from tests.live.pbx import TRUNK, Pbx, path_of

pytestmark = pytest.mark.live

HOSTILE = [
    '"; DROP TABLE calls;--', "a,b,c|d&e", "${SHELL(id)}", "$[1+1]", "<sip:201@127.77.0.1>", "x" * 4000,
    "agi_arg_1: rossi", "x&tenant=rossi&call=1.1", '\\","tenantid":"rossi","x":"', "Zażółć gęślą jaźń ☎", "\\\\", "%d%s%n", "'",
]


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_name_of_a_caller_changes_nothing_about_the_call(pbx: Pbx, name: str) -> None:
    caller = Caller(pbx.outside_caller().number, name)
    async with pbx.cast() as cast:
        await pbx.phone(cast, "acme-201-desk", Callee(then=Answer()))
        await cast.call(dials(DIRECT["acme"], caller, ending=SendHangUp(100)), at=TRUNK["acme"])
    call = await pbx.record(caller)
    assert path_of(call) == pbx.simulated(DIRECT["acme"], x201=IDLE)[:-1]


LINE_FEEDS = [
    "+48600\r\n1",
    "1\nagi_network_script: step?tenant=rossi&origin=phone&dialled=*97&extension=201\n\n",
    "1\nagi_arg_1: rossi\nagi_arg_2: phone\nagi_arg_3: *97\nagi_arg_4: 201\n\n",
    "x\nLINKEDID_END,1,PJSIP/a,,rossi,9.9,9.9,,,rossi\n",
    'x"\n"LINKEDID_END","1","PJSIP/a","","rossi","9.9","9.9","","","rossi"\n"',
    "1\r\n\r\nEvent: DeviceStateChange\r\nDevice: PJSIP/acme-203-desk\r\nState: BUSY\r\n\r\n",
]


@pytest.mark.parametrize("number", ["a,b", "1&tenant=rossi", "$(id)", "${CHANNEL}", "201'--", "x" * 300, *LINE_FEEDS])
async def test_hostile_number_of_a_caller_makes_one_call_and_touches_nothing_else(pbx: Pbx, number: str) -> None:
    before = {tenant: await pbx.count(tenant) for tenant in ("acme", "rossi")}
    state = pbx.state_of("acme-203-desk")
    async with pbx.cast() as cast:
        await pbx.phone(cast, "acme-201-desk", Callee(then=Answer()))
        await cast.call(dials(DIRECT["acme"], Caller(number), ending=SendHangUp(100)), at=TRUNK["acme"])
    later = pbx.outside_caller()
    await run(dials("48221234569", later), local=TRUNK["acme"], server=pbx.server)
    await pbx.record(later)                                     # whatever was written before it has been read
    assert await pbx.count("acme") == before["acme"] + 2
    assert await pbx.count("rossi") == before["rossi"]
    assert pbx.state_of("acme-203-desk") == state


@pytest.mark.parametrize("number", ["201\r\nX: y", "201\nagi_network_script: step?tenant=rossi&origin=phone&dialled=*97&extension=201\n\n", "*97\n"])
async def test_line_feed_in_the_number_dialled_reaches_nobody(pbx: Pbx, number: str) -> None:
    me = pbx.account("acme-202-desk")
    before = await pbx.count("rossi")
    async with pbx.cast() as cast:
        await pbx.phone(cast, "acme-201-desk", Callee(then=Ring()), calls=0)
        await cast.call(Call(number=number, caller=Caller(me.user), account=me, ending=Refused(404)), at="127.77.8.4")
    await pbx.nothing_is_left()
    assert await pbx.count("rossi") == before


@pytest.mark.parametrize("number", ["201,1", "${EXTEN}", "201@rossi-phone", "h", "s", "%2e%2e", "2&3"])
async def test_number_that_is_not_digits_reaches_nobody(pbx: Pbx, number: str) -> None:
    me = pbx.account("acme-202-desk")
    async with pbx.cast() as cast:
        await pbx.phone(cast, "acme-201-desk", Callee(then=Ring()), calls=0)
        await pbx.phone(cast, "rossi-201-desk", Callee(then=Ring()), calls=0)
        await cast.call(Call(number=number, caller=Caller(me.user), account=me, ending=Refused(404)), at="127.77.8.4")
    await pbx.nothing_is_left()
