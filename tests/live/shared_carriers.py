"""Carriers that tenants share, for tests: what North and South have, how their numbers are called, and what is recorded.

North and South have the same extensions, and nothing of the one is ever the other's.
"""

from datetime import datetime
from pathlib import Path

from redis import Redis

from sipp import Address, Answer, AwaitHangUp, Call, Callee, Caller, Refused, SendHangUp
from store.lines import lines_key
from store.records import CallRecord as Record
from tests.live.pbx import Pbx, until

TENANTS = Path(__file__).parent / "carriers"
HERE, TELCO, SPARE = "127.77.0.10", Address("127.77.0.150"), Address("127.77.0.151")
PREFIX = {"north": "666", "south": "777"}       # of their numbers, behind +4822
OUTSIDE = "587000001"
ANSWERS = Callee(then=Answer(ending=AwaitHangUp()))
SPELLINGS = ("+4822{}", "4822{}", "004822{}", "22{}", "{}")


def other(tenant: str) -> str:
    return "south" if tenant == "north" else "north"


def number(tenant: str, last: int, spelling: str = "4822{}") -> str:
    return spelling.format(f"{PREFIX[tenant]}00{last}")


def comes(to: str, caller: Caller, ending: SendHangUp | Refused | None = None) -> Call:
    return Call(number=to, caller=caller, ending=ending or SendHangUp(300))


def invite(text: str) -> dict[str, str]:
    lines = text.splitlines()
    return {"": lines[0], **dict(line.split(": ", 1) for line in lines[1:] if ": " in line)}


async def only_record(pbx: Pbx, tenant: str, began: datetime) -> Record:
    """The one call that there was since, which is this tenant's."""
    await pbx.nothing_is_left()
    await until_recorded(pbx, tenant, began)
    (record,) = await pbx.since(tenant, began)
    assert not await pbx.since(other(tenant), began)
    return record


async def until_recorded(pbx: Pbx, tenant: str, began: datetime, count: int = 1) -> None:
    async def are_there() -> bool:
        return len(await pbx.since(tenant, began)) >= count

    await until(are_there, f"{count} calls of {tenant} are recorded")


def lines(pbx: Pbx, tenant: str) -> set[str]:
    with Redis.from_url(pbx.settings.redis_url, decode_responses=True) as client:
        return set(client.zrange(lines_key(tenant), 0, -1))


async def until_free(pbx: Pbx) -> None:
    await until(lambda: not lines(pbx, "north") | lines(pbx, "south"), "all lines are free")
