"""Telephones that set themselves up: each maker's, by what it fetches over HTTPS, registers, calls and is called."""

import json
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import pytest

from routing.call.facts import DeviceState
from sipp import Account, Address, Call, Callee, Caller, Cast, Refuse, SendHangUp, Silence, Sipp, Subscribe, started
from tests.agents.audio import dominant_frequency, tone
from tests.agents.baresip import Phone, phone
from tests.agents.tls_relay import tls_relay
from tests.live.pbx import Pbx, path_of, until
from tests.live.test_lamps import bodies
from tests.phones.files import READERS, Configured
from tests.phones.files import Account as Known

pytestmark = pytest.mark.live


@dataclass(frozen=True, slots=True)
class Maker:
    """How a maker's device asks: its User-Agent, and how it makes the address of its file from the one entered in it."""

    label: str
    agent: str
    file: str = "{}"


MAKERS = {
    "yealink": Maker("anna", "Yealink SIP-T46U 108.86.0.20 80:5e:c0:77:00:01", "{}805ec0770001.cfg"),
    "snom": Maker("jan", "Mozilla/4.0 (compatible; snomD785-SIP 10.1.73.16 2010.12-00001-gd311851f1 000413770002 SXM:0)"),
    "grandstream": Maker("zofia", "Grandstream Model HW GXP2130 SW 1.0.11.79 DevId c074ad770003", "https://{}/cfgc074ad770003.xml"),
    "cisco": Maker("ewa", "Cisco-CP-8851-3PCC/11.3.7 (00:1d:a2:77:00:04)"),
    "poly": Maker("piotr", "FileTransport PolycomVVX-VVX_450-UA/6.4.6.2453 (SN:64167f770005) Type/Application", "{}account-64167f770005.cfg"),
    "gigaset": Maker("hall", "Gigaset N870 IP PRO/83.V2.50.0;7C2F80770006"),
    "ata": Maker("cellar", "Grandstream Model HW HT802 V2.0A SW 1.0.49.2 DevId c074ad770008", "https://{}/cfgc074ad770008.xml"),
    "patton": Maker("attic", "SmartNode SN4112/JS/EUI R6.10 00A0BA770009"),
}
WORDS = (("{mac}", 0), ("$MA", 0), ("%MACD", 1), ("$(system.mac)", 1))     # what devices put their MAC address for; 1: in capitals


def fetch(pbx: Pbx, maker: str) -> Configured:
    """As that telephone would: from the address that the operator is told to enter."""
    asking = MAKERS[maker]
    rows = {row["label"]: row for row in json.loads(pbx.centralka("phones", "desks", "--json"))}
    trust = ssl.create_default_context(cafile=str(pbx.settings.certificate))
    with httpx.Client(verify=trust, headers={"User-Agent": asking.agent}, timeout=10) as client:
        url = asking.file.format(rows[asking.label]["address"])
        for word, capitals in WORDS:
            url = url.replace(word, rows[asking.label]["mac"].upper() if capitals else rows[asking.label]["mac"])
        return READERS[{"ata": "grandstream"}.get(maker, maker)](client.get(url).raise_for_status().text)


async def set_up(pbx: Pbx, maker: str, agent: Phone) -> Configured:
    """The telephone registers as its file says and nothing else does."""
    found = fetch(pbx, maker)
    account = found.accounts[0]
    assert account.user == account.auth_user
    await agent.register(account.user, account.password, Address(account.host, account.port), secure=account.secure)
    await pbx.until_state(account.user, DeviceState.IDLE)
    assert ("transport=TLS" in pbx.runtime.asterisk_cli(f"pjsip show aor {account.user}")) == account.secure
    return found


async def test_telephones_of_two_makers_set_themselves_up_and_talk(pbx: Pbx) -> None:
    async with phone("127.77.10.1", speaks=tone(440, 30)) as anna, phone("127.77.10.2", speaks=tone(1000, 30)) as jan:
        own = await set_up(pbx, "yealink", anna)
        await set_up(pbx, "snom", jan)
        lamp = own.keys[0]
        await anna.dial(lamp.value, Address(own.accounts[0].host, own.accounts[0].port), secure=True)
        await jan.until("CALL_INCOMING")
        await jan.accept()
        await anna.until("CALL_ESTABLISHED")
        assert abs(dominant_frequency(await anna.hear(1)) - 1000) < 20
        assert abs(dominant_frequency(await jan.hear(1)) - 440) < 20
        await jan.hang_up()
        await anna.until("CALL_CLOSED", unless="")


@pytest.mark.parametrize("maker", MAKERS)
async def test_device_of_each_maker_sets_itself_up_and_calls(pbx: Pbx, maker: str) -> None:
    called = "jan" if maker != "snom" else "anna"
    async with phone("127.77.10.3", speaks=tone(440, 30)) as agent, phone("127.77.10.4", speaks=tone(1000, 30)) as other:
        account = fetch(pbx, "snom" if called == "jan" else "yealink").accounts[0]
        await other.register(
            account.user, account.password, Address(account.host, account.port), answers=True, secure=account.secure)
        own = (await set_up(pbx, maker, agent)).accounts[0]
        await agent.dial("202" if called == "jan" else "201", Address(own.host, own.port), secure=own.secure)
        await agent.until("CALL_ESTABLISHED")
        assert abs(dominant_frequency(await agent.hear(1)) - 1000) < 20
        await agent.hang_up()


def test_devices_of_makers_who_can_are_told_to_speak_tls_and_srtp(pbx: Pbx) -> None:
    assert {maker for maker in MAKERS if all(account.secure for account in fetch(pbx, maker).accounts)} == {
        "yealink", "snom", "grandstream", "poly", "ata"}


async def test_call_without_srtp_from_a_telephone_that_was_told_to_use_it_is_refused(pbx: Pbx) -> None:
    account = fetch(pbx, "yealink").accounts[0]
    async with phone("127.77.10.5") as anna:
        await anna.register(account.user, account.password, pbx.server)
        await anna.dial("202", pbx.server)
        assert "488" in (await anna.until("CALL_CLOSED", unless="CALL_ESTABLISHED")).detail


async def test_telephone_that_was_told_to_use_tls_neither_calls_nor_is_called_without(pbx: Pbx) -> None:
    began = datetime.now(UTC)
    account = fetch(pbx, "yealink").accounts[0]
    async with phone("127.77.10.6") as anna, phone("127.77.10.7") as jan:
        await set_up(pbx, "snom", jan)
        await anna.register(account.user, account.password, pbx.server, srtp=True)
        await until(lambda: "127.77.10.6" in pbx.runtime.asterisk_cli(f"pjsip show aor {account.user}"), "it is registered by UDP")
        await anna.dial("202", pbx.server)
        assert "403" in (await anna.until("CALL_CLOSED", unless="CALL_ESTABLISHED")).detail
        own = fetch(pbx, "snom").accounts[0]
        await jan.dial("201", Address(own.host, own.port), secure=True)
        await jan.until("CALL_ESTABLISHED", within_s=30)             # the mailbox
        await jan.hang_up()
        assert pbx.state_of(account.user) == DeviceState.UNAVAILABLE
        assert not [event for event in anna.events if event.kind == "CALL_INCOMING"]
        assert not [event for event in jan.events if event.kind == "CALL_INCOMING"]
    refused = await pbx.record("201", "desks", since=began)
    assert path_of(refused) == [("start", "refuses 201, which is set up for TLS and calls without")]


def test_operator_sees_when_a_telephone_was_last_there(pbx: Pbx) -> None:
    fetch(pbx, "yealink")
    rows = {row["label"]: row for row in json.loads(pbx.centralka("phones", "desks", "--json"))}
    assert rows["anna"]["fetched"]["agent"].startswith("Yealink SIP-T46U")
    assert rows["anna"]["lines"].keys() == {"desks-201-desk"}
    assert rows["anna"]["mac"] == "805ec0770001"


def test_window_that_the_operator_opens_lets_a_telephone_ask_by_its_mac_address_once(pbx: Pbx) -> None:
    trust = ssl.create_default_context(cafile=str(pbx.settings.certificate))
    url = f"{pbx.settings.provision_url}/805ec0770001.cfg"
    with httpx.Client(verify=trust, timeout=10) as client:
        assert client.get(url).status_code == 404
        pbx.centralka("phones", "desks", "--open", "anna", "--minutes", "1")
        assert READERS["yealink"](client.get(url).text).accounts[0].user == "desks-201-desk"
        assert client.get(url).status_code == 404


def test_label_that_does_not_exist_opens_nothing(pbx: Pbx) -> None:
    with pytest.raises(AssertionError, match="desks has no telephone 'annna', expected one of anna, jan, zofia"):
        pbx.centralka("phones", "desks", "--open", "annna")


DESKS = ["yealink", "snom", "grandstream", "cisco", "poly"]


@asynccontextmanager
async def way_of(pbx: Pbx, account: Known, called: Address | None = None) -> AsyncIterator[Address]:
    """Where SIPp finds Asterisk in the way that this account's telephone does."""
    if not account.secure:
        yield pbx.server
        return
    async with tls_relay(pbx.new_address(), Address(account.host, account.port), called) as relay:
        yield relay


@asynccontextmanager
async def watching(pbx: Pbx, account: Known, target: str, *, told: int) -> AsyncIterator[Sipp]:
    watch = Subscribe(account=Account(account.user, account.password), target=target, notifies=told)
    async with way_of(pbx, account) as server, started(watch, local=pbx.new_address().host, server=server, limit_s=40) as sipp:
        yield sipp


@pytest.mark.parametrize("maker", DESKS)
async def test_lamp_that_a_telephone_is_told_of_follows_the_colleague_whom_it_calls_by_that_key(pbx: Pbx, maker: str) -> None:
    lamp = fetch(pbx, maker).keys[0]
    colleague = {"201": "yealink", "202": "snom"}[lamp.value]
    async with phone("127.77.10.3") as agent, phone("127.77.10.4") as other:
        own = (await set_up(pbx, maker, agent)).accounts[0]
        endpoint = (await set_up(pbx, colleague, other)).accounts[0].user
        async with watching(pbx, own, lamp.value, told=4) as watch:
            await watch.received("NOTIFY")
            await agent.dial(lamp.value, Address(own.host, own.port), secure=own.secure)
            await other.until("CALL_INCOMING")
            await pbx.until_state(endpoint, DeviceState.RINGING)
            await other.accept()
            await pbx.until_state(endpoint, DeviceState.IN_USE)
            await agent.hang_up()
            told = await bodies(watch)
    assert [state for body in told for state in re.findall("<state>(.*?)</state>", body)] == [
        "terminated", "early", "confirmed", "terminated"]


@pytest.mark.parametrize("maker", DESKS)
async def test_telephone_may_watch_every_lamp_that_it_is_told_of(pbx: Pbx, maker: str) -> None:
    found = fetch(pbx, maker)
    lamps = [key.value for key in found.keys if key.kind != "speed_dial"]
    assert lamps[1:] == ["701", "*61", f"*52{found.accounts[0].user[6:9]}"]
    for lamp in lamps:
        async with watching(pbx, found.accounts[0], lamp, told=1) as watch:
            (body,) = await bodies(watch)
        assert f'entity="sip:{lamp}@' in body


@pytest.mark.parametrize("maker", [*DESKS, "gigaset"])
async def test_telephone_of_each_maker_sees_unasked_that_a_message_was_left(pbx: Pbx, maker: str) -> None:
    own, caller = fetch(pbx, maker).accounts[0], pbx.account("desks-209-fax")
    extension, at = own.user[6:9], pbx.new_address()
    async with way_of(pbx, own, at) as server, Cast(server) as telephone, pbx.cast() as cast:
        await telephone.callee(Callee(then=Refuse()), at=at, account=Account(own.user, own.password), calls=None)
        await pbx.until_state(own.user, DeviceState.IDLE)
        speaks = (Silence(9000),)
        await cast.call(
            Call(number=extension, caller=Caller(caller.user), account=caller, media=speaks, ending=SendHangUp()), at=pbx.new_address().host)
        box = pbx.settings.home / "spool" / "voicemail" / "desks" / extension / "INBOX"
        await until(lambda: list(box.glob("msg*.wav")), "the message is in the mailbox")
        await pbx.nothing_is_left()
    told = [message.text for message in telephone.results[at].received("NOTIFY")]
    assert "Messages-Waiting: yes" in told[-1]
    assert "Voice-Message: 1/0" in told[-1]
