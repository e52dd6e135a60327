"""Telephones that set themselves up: each maker's, by what it fetches over HTTPS, registers, calls and is called."""

import json
import ssl
from dataclasses import dataclass

import httpx
import pytest

from routing.facts import DeviceState
from sipp import Account, Address, Subscribe, started
from tests.agents.audio import dominant_frequency, tone
from tests.agents.baresip import Phone, phone
from tests.live.pbx import Pbx
from tests.phones.files import READERS, Configured

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
        (lamp, _) = own.keys
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


@pytest.mark.parametrize("maker", ["yealink", "snom", "grandstream", "cisco", "poly"])
async def test_lamp_that_a_telephone_is_told_of_can_be_watched(pbx: Pbx, maker: str) -> None:
    found = fetch(pbx, maker)
    account, lamp = found.accounts[0], found.keys[0]
    assert lamp.kind == "blf"
    watch = Subscribe(account=Account(account.user, account.password), target=lamp.value, notifies=1)
    async with started(watch, local=pbx.new_address().host, server=pbx.server, limit_s=40) as sipp:
        result = await sipp.result()
    assert not result.failure, result.failure
    assert f'entity="sip:{lamp.value}@' in result.received("NOTIFY")[0].text
