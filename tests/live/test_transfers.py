"""Transfers by keys and by REFER, from each side: who is rung, what is heard, what the record says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from routing.facts import DeviceState
from store.records import Call
from tests.agents.audio import dominant_frequency, tone
from tests.agents.baresip import Phone, phone
from tests.live.pbx import TRUNK, Pbx, until

pytestmark = pytest.mark.live

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

    async def record_only(self, caller: str = "") -> Call:
        return await self.pbx.record(caller or self.number, "swap", since=self.began)

    async def record(self, caller: str = "") -> Call:
        """Of the one call, once nothing of it is left."""
        call = await self.record_only(caller)
        await self.pbx.nothing_is_left()
        return call


async def until_reachable(pbx: Pbx, trunk: str) -> None:
    """Asterisk asks by itself every minute."""
    await asyncio.to_thread(pbx.runtime.asterisk_cli, f"pjsip qualify {trunk}")
    await until(lambda: f"{trunk}/" in "".join(
        line for line in pbx.runtime.asterisk_cli("pjsip show contacts").splitlines() if "Avail" in line), f"{trunk} is reachable")


@asynccontextmanager
async def firm(pbx: Pbx, *users: str, tenant: str = "swap", outside: bool = True, number: str = "") -> AsyncIterator[Firm]:
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
            if number == OUTSIDE:
                await until_reachable(pbx, f"{tenant}-trunk-carrier")
        yield Firm(pbx, phones, number, began)


Path = list[tuple[str, str]]


def path(call: Call) -> Path:
    return [(entry.node, entry.why) for entry in call.path]


def by(who: str, to: str, *more: tuple[str, str], does: str = "transfers to") -> Path:
    """A caller from outside reached 201, who passed the call on."""
    return [("start", "to +48248710011"), ("201", "rings desk"), ("start", f"{who} {does} {to}"), *(more or [(to, "rings desk")])]


async def test_called_user_transfers_by_keys(pbx: Pbx) -> None:
    async with firm(pbx, "201", "203") as it:
        await it.dials("outside", TO_ANNA, answers="201")
        await it["201"].press("##203#")
        assert it.number in await it.answers("203")
        await it.talk("outside", "203")
        await it["201"].until("CALL_CLOSED", unless="")
        await it["outside"].hang_up()
        assert path(await it.record()) == by("201", "203")


async def test_calling_user_transfers_by_keys(pbx: Pbx) -> None:
    async with firm(pbx, "201", "202", "203", outside=False) as it:
        await it.dials("201", "202", answers="202")
        await it["201"].press("##203#")
        assert "202" in await it.answers("203")
        await it.talk("202", "203")
        await it["201"].until("CALL_CLOSED", unless="")
        await it["202"].hang_up()
        call = await it.record("201")
        assert path(call) == [
            ("start", "201 dials 202"), ("202", "rings desk"), ("202", "the conversation is over"), ("start", "201 transfers to 203"),
            ("203", "rings desk")]


async def test_called_user_asks_before_transferring(pbx: Pbx) -> None:
    async with firm(pbx, "201", "203") as it:
        await it.dials("outside", TO_ANNA, answers="201")
        await it["201"].press("*2203#")
        assert "201" in await it.answers("203")
        await it.talk("201", "203")
        await it["201"].hang_up()
        await it.talk("outside", "203")
        await it["outside"].hang_up()
        assert path(await it.record()) == by("201", "203", does="dials")


async def test_calling_user_asks_before_transferring(pbx: Pbx) -> None:
    async with firm(pbx, "201", "202", "203", outside=False) as it:
        await it.dials("201", "202", answers="202")
        await it["201"].press("*2203#")
        assert "201" in await it.answers("203")
        await it.talk("201", "203")
        await it["201"].hang_up()
        await it.talk("202", "203")
        await it["202"].hang_up()
        await it.record("201")


async def test_who_asks_goes_back_to_the_caller(pbx: Pbx) -> None:
    async with firm(pbx, "201", "203") as it:
        await it.dials("outside", TO_ANNA, answers="201")
        await it["201"].press("*2203#")
        await it.answers("203")
        await it.talk("201", "203")
        await it["201"].press("*1")
        await it["203"].until("CALL_CLOSED", unless="")
        await it.talk("outside", "201")
        await it["outside"].hang_up()
        await it.record()


async def test_who_asks_hangs_up_while_the_other_rings_and_the_caller_is_connected(pbx: Pbx) -> None:
    async with firm(pbx, "201", "203") as it:
        await it.dials("outside", TO_ANNA, answers="201")
        await it["201"].press("*2203#")
        await it["203"].until("CALL_INCOMING")
        await it["201"].hang_up()
        await it["201"].until("CALL_CLOSED", unless="")
        await it["203"].accept()
        await it.talk("outside", "203")
        await it["outside"].hang_up()
        assert path(await it.record()) == by("201", "203", does="dials")


@pytest.mark.parametrize("caller", ["outside", "202"])
async def test_called_user_transfers_by_refer(pbx: Pbx, caller: str) -> None:
    async with firm(pbx, "201", "202", "203") as it:
        await it.dials(caller, TO_ANNA if caller == "outside" else "201", answers="201")
        await it["201"].transfer("203", pbx.server)
        assert (it.number if caller == "outside" else "202") in await it.answers("203")
        await it.talk(caller, "203")
        await it[caller].hang_up()
        await it.record(it.number if caller == "outside" else "202")


async def test_calling_user_transfers_by_refer(pbx: Pbx) -> None:
    async with firm(pbx, "201", "202", "203", outside=False) as it:
        await it.dials("201", "202", answers="202")
        await it["201"].transfer("203", pbx.server)
        assert "202" in await it.answers("203")
        await it.talk("202", "203")
        await it["203"].hang_up()
        await it.record("201")


@pytest.mark.parametrize("number", [TO_SALES, TO_LINE])
@pytest.mark.parametrize("keys", ["##203#", "*2203#", "refer"])
async def test_call_of_a_group_or_a_queue_is_transferred(pbx: Pbx, number: str, keys: str) -> None:
    async with firm(pbx, "204", "203") as it:
        await it.dials("outside", number)
        await it.answers("204")
        await it.talk("outside", "204")
        await (it["204"].transfer("203", pbx.server) if keys == "refer" else it["204"].press(keys))
        peer = await it.answers("203")
        if keys.startswith("*"):
            await it.talk("204", "203")
            await it["204"].hang_up()
        else:
            assert it.number in peer
        await it.talk("outside", "203")
        await it["outside"].hang_up()
        await it.record()


async def test_call_is_transferred_to_a_group(pbx: Pbx) -> None:
    async with firm(pbx, "201", "204") as it:
        await it.dials("outside", TO_ANNA, answers="201")
        await it["201"].press("##300#")
        assert it.number in await it.answers("204")
        await it.talk("outside", "204")
        await it["204"].hang_up()
        assert ("start", "201 transfers to 300") in path(await it.record())


async def test_call_is_transferred_to_an_announcement(pbx: Pbx) -> None:
    async with firm(pbx, "201") as it:
        await it.dials("outside", TO_ANNA, answers="201")
        await it["201"].transfer("302", pbx.server)
        await it["outside"].until("CALL_CLOSED", unless="")
        assert [node for node, _ in path(await it.record())][-3:] == ["news", "nobody", "nobody"]


async def test_call_is_transferred_to_a_number_outside(pbx: Pbx) -> None:
    async with firm(pbx, "201", "202", number=OUTSIDE) as it:
        await it.dials("202", "201", answers="201")
        await it["201"].press("##401#")
        await it.answers("outside")
        await it.talk("202", "outside")
        await it["202"].hang_up()
        assert ("start", "201 transfers to 401") in path(await it.record("202"))


@pytest.mark.parametrize("target", ["799123456", "0048799123456", "500990990", "299", "*97"])
@pytest.mark.parametrize("code", ["##", "*2"])
async def test_refused_target_leaves_the_call_where_it_is(pbx: Pbx, code: str, target: str) -> None:
    async with firm(pbx, "201") as it:
        await it.dials("outside", TO_ANNA, answers="201")
        await it["201"].press(f"{code}{target}#")
        await it.hears_nobody("201")
        await it.talk("outside", "201")
        await it["outside"].hang_up()
        assert path(await it.record()) == by("201", target)[:2]


@pytest.mark.parametrize("target", ["799123456", "299"])
async def test_call_referred_to_a_refused_target_comes_back_to_who_sent_it(pbx: Pbx, target: str) -> None:
    async with firm(pbx, "201") as it:
        await it.dials("outside", TO_ANNA, answers="201")
        await it["201"].transfer(target, pbx.server)
        assert it.number in await it.answers("201")
        await it.talk("outside", "201")
        await it["outside"].hang_up()
        assert path(await it.record())[-1] == ("201", "the call comes back and rings")


@pytest.mark.parametrize("keys", ["##203#", "*2203#", "#203", "D203#"])
async def test_keys_of_a_caller_from_outside_transfer_nothing(pbx: Pbx, keys: str) -> None:
    async with firm(pbx, "201", "203") as it:
        await it.dials("outside", TO_ANNA, answers="201")
        await it["outside"].press(keys)
        for key in keys:
            assert (await it["201"].until("CALL_DTMF_START")).detail == key
        await it.talk("outside", "201")
        assert pbx.state_of("swap-203-desk") == DeviceState.IDLE
        await it["outside"].hang_up()
        assert path(await it.record()) == by("201", "203")[:2]


async def test_keys_of_a_number_outside_transfer_nothing(pbx: Pbx) -> None:
    async with firm(pbx, "202", "203", number=OUTSIDE) as it:
        await it.dials("202", "401", answers="outside")
        await it["outside"].press("##203#*2203#")
        for key in "##203#*2203#":
            assert (await it["202"].until("CALL_DTMF_START")).detail == key
        await it.talk("202", "outside")
        assert pbx.state_of("swap-203-desk") == DeviceState.IDLE
        await it["202"].hang_up()
        await it.record("202")


async def test_transfer_stays_in_its_tenant(pbx: Pbx) -> None:
    async with firm(pbx, "203") as other, firm(pbx, "201", "203", tenant="swapb") as it:
        await it.dials("outside", TO_ANNA.replace("4824871001", "4824871002"), answers="201")
        await it["201"].press("##203#")
        await it.answers("203")
        await it.talk("outside", "203")
        await it["203"].transfer("201", pbx.server)
        await it.answers("201")
        assert pbx.state_of("swap-203-desk") == DeviceState.IDLE
        assert not [event for event in other["203"].events if event.kind == "CALL_INCOMING"]
        await it["outside"].hang_up()
