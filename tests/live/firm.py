"""The phones of a firm, each with a voice of its own, and somebody outside: who talks with whom is heard."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from routing.call.english import in_english
from routing.call.facts import DeviceState
from store.records import CallRecord
from tests.agents.audio import dominant_frequency, tone
from tests.agents.baresip import Phone, phone
from tests.live.pbx import TRUNK, Pbx, until

TO_ANNA, TO_SALES, TO_LINE, TO_JAN = (f"4824871001{n}" for n in (1, 2, 3, 4))
OUTSIDE = "+48587000011"          # what 401 calls
VOICES = {"outside": 440, "201": 700, "202": 1000, "203": 1300, "204": 1600}      # Hz


@dataclass(frozen=True, slots=True)
class Firm:
    """The firm's phones, and a caller from outside; each speaks in a tone of its own."""

    pbx: Pbx
    phones: dict[str, Phone]
    number: str                      # of the caller from outside
    began: datetime
    tenant: str

    def __getitem__(self, name: str) -> Phone:
        return self.phones[name]

    async def dials(self, who: str, number: str, *, answers: str = "") -> None:
        """Until both talk, if somebody `answers`."""
        await self[who].dial(number, self.pbx.server)
        if answers:
            await self.answers(answers)
            await self[who].until("CALL_ESTABLISHED")
            await self.talk(who, answers)

    async def answers(self, who: str) -> str:
        """The SIP address that the phone showed as the caller's."""
        peer = (await self[who].until("CALL_INCOMING", unless="")).peer
        await self[who].accept()
        await self[who].until("CALL_ESTABLISHED", unless="")
        return peer

    async def consults(self, who: str, number: str, whom: str = "", *, answers: bool = True) -> str:
        """A telephone's way to ask before it transfers: it holds the call and makes another, whose Call-ID this returns once both
        talk, or once the other rings. Without `whom`, somebody or something else takes the call."""
        await self[who].hold()
        await self[who].dial(number, self.pbx.server)
        if whom and answers:
            await self.answers(whom)
        elif whom:
            await self[whom].until("CALL_INCOMING", unless="")
        call = (await self[who].until("CALL_ESTABLISHED" if answers else "CALL_RINGING")).call
        if whom and answers:
            await self.talk(who, whom)
        return call

    async def completes(self, who: str, number: str, call: str) -> None:
        """The call on hold goes to whom `who` has consulted, by REFER with Replaces."""
        await self[who].take_up(1)
        await self[who].transfer_to_dialog(number, self.pbx.server, call)

    async def is_shown(self, who: str, number: str) -> None:
        """Until the phone was told that it talks with this number."""
        await until(lambda: self[who].shown() == number, f"{who} is shown {number}")

    async def talk(self, one: str, other: str) -> None:
        """Until both hear each other."""
        await self.hears(one, other)
        await self.hears(other, one)

    async def hears(self, who: str, whom: str) -> None:
        async def is_heard() -> bool:
            return abs(dominant_frequency(await self[who].hear(0.3)) - VOICES[whom]) < 20

        await until(is_heard, f"{who} hears {whom}")

    async def hears_nobody(self, who: str) -> None:
        async def is_so() -> bool:
            return round(dominant_frequency(await self[who].hear(0.3)), -1) not in VOICES.values()

        await until(is_so, f"{who} hears no voice")

    async def record_only(self, caller: str = "") -> CallRecord:
        return await self.pbx.record(caller or self.number, self.tenant, since=self.began)

    async def record(self, caller: str = "") -> CallRecord:
        """Of the one call, once nothing of it is left."""
        call = await self.record_only(caller)
        await self.pbx.nothing_is_left()
        assert await self.pbx.since(self.tenant, self.began) == [call]
        return call

    async def legs(self, call: CallRecord) -> set[str]:
        """Of the record of a call: who had a part in it."""
        return {leg.endpoint for leg in await self.pbx.legs(call)}


async def until_reachable(pbx: Pbx, trunk: str) -> None:
    """Asterisk asks by itself every minute."""
    await asyncio.to_thread(pbx.runtime.asterisk_cli, f"pjsip qualify {trunk}")
    await until(lambda: f"{trunk}/" in "".join(
        line for line in pbx.runtime.asterisk_cli("pjsip show contacts").splitlines() if "Avail" in line), f"{trunk} is reachable")


@asynccontextmanager
async def firm(
    pbx: Pbx, *users: str, tenant: str = "swap", outside: bool = True, number: str = "", reachable: bool = False,
) -> AsyncIterator[Firm]:
    """`number` is that of who is outside, and calls can be made to it where it is `reachable`, as OUTSIDE is."""
    async with AsyncExitStack() as stack:
        phones: dict[str, Phone] = {}
        for user in users:
            phones[user] = await stack.enter_async_context(
                phone(pbx.new_address().host, speaks=tone(VOICES[user], 60)))
            endpoint = f"{tenant}-{user}-desk"
            await phones[user].register(endpoint, pbx.secrets.sip[endpoint], pbx.server)
            await pbx.until_state(endpoint, DeviceState.IDLE)
        number, began = number or pbx.outside_caller().number, datetime.now(UTC)
        if outside:
            phones["outside"] = await stack.enter_async_context(phone(TRUNK[tenant], speaks=tone(VOICES["outside"], 60)))
            await phones["outside"].use(number, pbx.server)
            if reachable or number == OUTSIDE:
                await until_reachable(pbx, pbx.tenants[tenant].trunk_endpoint(None, number))
        yield Firm(pbx, phones, number, began, tenant)


Path = list[tuple[str, str]]


def path(call: CallRecord) -> Path:
    return [(entry.node, in_english(entry.why)) for entry in call.path]
