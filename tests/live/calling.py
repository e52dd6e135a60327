"""How tests call, and the numbers that they call."""

from routing.call.facts import DeviceState
from sipp import Call, Caller, SendHangUp
from tests.agents.baresip import Phone
from tests.live.pbx import Pbx

IDLE = DeviceState.IDLE
MAIN = {"acme": "48221234567", "rossi": "390612345677"}
DIRECT = {"acme": "48221234568", "rossi": "390612345678"}


def dials(number: str, caller: Caller, *media: object, ending: object = None) -> Call:
    return Call(number=number, caller=caller, media=tuple(media), ending=ending or SendHangUp(500))  # type: ignore[arg-type]


async def registered(pbx: Pbx, phone: Phone, endpoint: str) -> None:
    await phone.register(endpoint, pbx.secrets.sip[endpoint], pbx.server)
    await pbx.until_state(endpoint, DeviceState.IDLE)
