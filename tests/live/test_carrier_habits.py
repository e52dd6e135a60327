"""Carriers that behave as real ones do: raw peers of an instance of their own."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from routing.call.facts import DeviceState
from sipp import Address
from tests.agents.audio import a_law, tone
from tests.agents.raw_sip import Dialog, Message, RawSip, raw_sip
from tests.agents.rtp import ear
from tests.live.pbx import Pbx, path_of, until
from tests.live.started_instance import settings_at, started_instance

pytestmark = pytest.mark.live

HERE = "127.79.0.1"
REGISTRARS = {"gone": 404, "twice": 401, "passing": 480, "overloaded": 503, "forbidden": 403, "declining": 603}
CHALLENGE = 'WWW-Authenticate: Digest realm="carrier", nonce="{}", algorithm=MD5'


@pytest.fixture(scope="module")
def running() -> Iterator[Pbx]:
    names = ["habit-trunk-line", "other-trunk-line", *(f"habit-trunk-{name}" for name in REGISTRARS)]
    tenants = Path(__file__).parent / "carrier_habits"
    with started_instance("livehabits", settings_at(HERE), tenants, dict.fromkeys(names, "secret")) as pbx:
        yield pbx


class Registrar:
    """It refuses the first `refusals` authorised attempts with `status`, and then accepts."""

    def __init__(self, peer: RawSip, status: int = 200, refusals: int = 0) -> None:
        self.peer, self.status, self.refusals = peer, status, refusals
        self.accepted: list[Message] = []
        peer.answers["REGISTER"] = self.answer

    def answer(self, request: Message) -> None:
        if not request.get("authorization"):
            self.peer.reply(request, 401, "Unauthorized", headers=[CHALLENGE.format("first")])
        elif self.refusals > 0:
            self.refusals -= 1
            headers = [CHALLENGE.format("again")] if self.status == 401 else []
            self.peer.reply(request, self.status, "Refused", headers=headers)
        else:
            self.accepted.append(request)
            self.peer.reply(request, 200, "OK", headers=[f"Contact: {request.get('contact')};expires=3600"])


@asynccontextmanager
async def phone(pbx: Pbx, endpoint: str) -> AsyncIterator[RawSip]:
    """A telephone that registers and answers."""
    async with raw_sip(pbx.new_address(), pbx.server) as peer:
        account = pbx.account(endpoint)
        assert (await peer.register(account)).status == 200
        await pbx.until_state(endpoint, DeviceState.IDLE)
        peer.answers["INVITE"] = lambda request: peer.reply(request, 200, "OK", body=peer.sdp(Address(peer.at.host, 40000)))
        peer.answers["BYE"] = lambda request: peer.reply(request, 200, "OK")
        yield peer
        await peer.register(account, expires_s=0)


async def reaches(carrier: RawSip, called: RawSip, uri: str, *, to: str = "", sender: str = "sip:+48600100200@carrier.example",
                  headers: tuple[str, ...] = ()) -> Message:
    """The INVITE that the telephone gets when the carrier calls this URI."""
    dialog = Dialog(to or uri, sender)
    answer = await carrier.ask(dialog, "INVITE", uri=uri, headers=headers, body=carrier.sdp(Address(carrier.at.host, 40000)))
    assert answer.status == 200, answer.start
    invite = await called.request("INVITE")
    await called.request("ACK")
    assert (await carrier.ask(dialog, "BYE")).status == 200
    await called.request("BYE")
    return invite


async def test_registration_is_tried_again_whatever_the_carrier_has_answered(running: Pbx) -> None:
    async with AsyncExitStack() as stack:
        registrars = {}
        for number, (name, status) in enumerate(REGISTRARS.items()):
            peer = await stack.enter_async_context(raw_sip(Address(f"127.79.0.{11 + number}", 5060), running.server))
            registrars[name] = Registrar(peer, status, refusals=2)
        for name in registrars:
            await asyncio.to_thread(running.runtime.asterisk_cli, f"pjsip send register habit-trunk-{name}")
        await until(lambda: all(each.accepted for each in registrars.values()), "all carriers have accepted", 60)
        assert {name: each.refusals for name, each in registrars.items()} == dict.fromkeys(REGISTRARS, 0)


@asynccontextmanager
async def registered(pbx: Pbx, *trunks: str) -> AsyncIterator[RawSip]:
    """The carrier at which two tenants register, once it has accepted these trunks."""
    async with raw_sip(Address("127.79.0.10", 5060), pbx.server) as peer:
        registrar = Registrar(peer)
        for trunk in trunks:
            await asyncio.to_thread(pbx.runtime.asterisk_cli, f"pjsip send register {trunk}")
        await until(lambda: len(registrar.accepted) >= len(trunks), "the trunks are registered")
        yield peer


OURS = "sip:{}@127.79.0.1:5060"


@pytest.mark.parametrize(("uri", "to"), [
    ("+48248720011", ""), ("48248720011", ""), ("0048248720011", ""), ("248720011", ""),
    ("+48248720011;npdi=yes;rn=+48999", ""), ("%2B48248720011", ""), ("+48-248-720-011", ""),
    ("acct55", "sip:+48248720011@carrier.example"), ("acct55", "tel:+48248720011"), ("acct55", "sip:acct55@carrier.example")])
async def test_carrier_that_leaves_out_the_contacts_parameters_reaches_the_tenant(running: Pbx, uri: str, to: str) -> None:
    async with registered(running, "habit-trunk-line", "other-trunk-line") as carrier, phone(running, "habit-201-desk") as called:
        await reaches(carrier, called, OURS.format(uri), to=to)


async def test_number_chooses_between_tenants_that_register_at_one_server(running: Pbx) -> None:
    async with (
        registered(running, "habit-trunk-line", "other-trunk-line") as carrier,
        phone(running, "habit-203-desk") as second, phone(running, "other-201-desk") as other,
    ):
        await reaches(carrier, other, OURS.format("+48248730011"))
        record = await running.record("+48600100200", "other")
        assert record.tenant == "other"
        await reaches(carrier, second, OURS.format("48248720012"))
        # Our contact is called, and To has another of the tenant's numbers.
        await reaches(carrier, second, OURS.format("+48248720011"), to="sip:+48248720012@carrier.example")


async def test_auth_user_is_the_name_of_the_password_and_the_user_stands_in_from(running: Pbx) -> None:
    async with raw_sip(Address("127.79.0.10", 5060), running.server) as peer:
        registrar = Registrar(peer)
        await asyncio.to_thread(running.runtime.asterisk_cli, "pjsip send register habit-trunk-line")
        await until(lambda: registrar.accepted, "the trunk is registered")
        assert 'username="digest55"' in registrar.accepted[0].get("authorization")
        assert "sip:acct55@" in registrar.accepted[0].get("from")


@pytest.mark.parametrize("uri", ["+48248720011", "acct55", "s", "h", "+48248720011,1)", "a" * 300])
async def test_stranger_reaches_nobody_by_any_spelling(running: Pbx, uri: str) -> None:
    async with raw_sip(Address("127.79.0.99", 5060), running.server) as stranger:
        answer = await stranger.ask(
            Dialog("sip:+48248720011@carrier.example", "sip:acct55@carrier.example"), "INVITE", uri=OURS.format(uri),
            body=stranger.sdp(Address("127.79.0.99", 40000)))
        assert answer.status in (400, 401), answer.start


@pytest.mark.parametrize("uri", ["s", "h", "i", "t", "T", "nobody", "+48248720011,1)", "(", "%24%7BEXTEN%7D", "a" * 300, "+" + "4" * 300])
async def test_carrier_that_calls_what_is_no_number_is_refused(running: Pbx, uri: str) -> None:
    async with registered(running, "habit-trunk-line") as carrier:
        answer = await carrier.ask(
            Dialog("sip:nobody@carrier.example", "sip:+48600100299@carrier.example"), "INVITE", uri=OURS.format(uri),
            body=carrier.sdp(Address(carrier.at.host, 40000)))
        assert 400 <= answer.status < 500, answer.start
    await running.nothing_is_left()


@pytest.mark.parametrize(("at", "uri", "to", "headers"), [
    ("127.79.0.20", "acct", "sip:+48248720011@x.example", ()),
    ("127.79.1.7", "+48248720012", "sip:0048248720011@x.example;user=phone", ()),
    ("127.79.0.21", "trunkgroup7", "sip:+48999@x.example", ("P-Called-Party-ID: <sip:+48248720011@x.example>",)),
    ("127.79.0.21", "+48248720011", "sip:+48999@x.example", ()),
    ("127.79.0.22", "999248720011", "", ()),
])
async def test_called_number_is_read_where_the_trunk_says(
    running: Pbx, at: str, uri: str, to: str, headers: tuple[str, ...],
) -> None:
    async with raw_sip(Address(at, 5060), running.server) as carrier, phone(running, "habit-201-desk") as called:
        await reaches(carrier, called, OURS.format(uri), to=to, headers=headers)


async def test_trusted_carrier_says_who_calls_and_others_say_it_in_from(running: Pbx) -> None:
    asserted = ('P-Asserted-Identity: "Firma" <sip:+48600100200@x.example>',)
    async with phone(running, "habit-201-desk") as called:
        async with raw_sip(Address("127.79.0.21", 5060), running.server) as carrier:
            invite = await reaches(carrier, called, OURS.format("+48248720011"), sender="sip:acct@x.example", headers=asserted)
            assert "+48600100200@" in invite.get("from")
        async with raw_sip(Address("127.79.0.20", 5060), running.server) as carrier:
            invite = await reaches(
                carrier, called, OURS.format("group"), to=OURS.format("+48248720011"), sender="sip:+48600100211@x.example", headers=asserted)
            assert "+48600100211@" in invite.get("from")


@pytest.mark.parametrize(("at", "codecs"), [("127.79.0.20", "8"), ("127.79.0.21", "8 101")])
async def test_keys_in_the_audio_are_heard_where_the_carrier_sends_no_events(running: Pbx, at: str, codecs: str) -> None:
    """The second carrier offers events and sends tones all the same, for which its trunk has `keys: tones`."""
    key = a_law(((tone(697, 0.3).astype(np.int32) + tone(1209, 0.3)) // 2).astype(np.int16))
    pause = a_law(np.zeros(800, np.int16))
    async with (
        raw_sip(Address(at, 5060), running.server) as carrier, phone(running, "habit-201-desk") as called,
        ear(Address(at, 40000)) as mouth,
    ):
        uri = OURS.format("+48248720013")
        dialog = Dialog(uri, "sip:+48600100200@carrier.example")
        body = carrier.sdp(Address(at, 40000), codecs=codecs)
        answer = await carrier.ask(dialog, "INVITE", uri=uri, body=body)
        assert answer.status == 200
        assert ("telephone-event" in answer.body) is False

        async def press() -> None:
            while True:
                await mouth.say(pause + key + pause, answer.media)

        pressing = asyncio.create_task(press())
        try:
            await called.request("INVITE")
        finally:
            pressing.cancel()
        assert (await carrier.ask(dialog, "BYE")).status == 200


async def test_call_from_which_no_audio_comes_ends_by_itself(running: Pbx) -> None:
    async with raw_sip(Address("127.79.0.23", 5060), running.server) as carrier, phone(running, "habit-201-desk") as called:
        uri = OURS.format("+48248720011")
        dialog = Dialog(uri, "sip:+48600100200@carrier.example")
        answer = await carrier.ask(dialog, "INVITE", uri=uri, body=carrier.sdp(Address("127.79.0.23", 40000)))
        assert answer.status == 200
        carrier.answers["BYE"] = lambda request: carrier.reply(request, 200, "OK")
        await called.request("BYE")
        await carrier.request("BYE")
    await running.nothing_is_left()


async def test_carrier_gets_the_account_in_from_and_the_number_where_it_expects_it(running: Pbx) -> None:
    async with raw_sip(Address("127.79.0.22", 5060), running.server) as carrier, raw_sip(running.new_address(), running.server) as caller:
        carrier.answers["INVITE"] = lambda request: carrier.reply(request, 486, "Busy Here")
        account = running.account("habit-201-desk")
        dialog = Dialog(f"sip:600100300@{HERE}", f"sip:{account.user}@{HERE}")
        calling = asyncio.create_task(caller.ask(
            dialog, "INVITE", body=caller.sdp(Address(caller.at.host, 40000)), account=account))
        invite = await carrier.request("INVITE")
        assert "sip:acct22@carrier.example" in invite.get("from")
        assert "+48248720011" in invite.get("p-preferred-identity")
        assert not invite.get("p-asserted-identity")
        assert (await calling).status == 486


@pytest.mark.parametrize("rings_first", [False, True])
@pytest.mark.parametrize("status", [480, 486, 600, 603, 302, 403, 488])
async def test_phone_that_refuses_calls_by_its_own_key_is_forwarded_as_busy(running: Pbx, status: int, rings_first: bool) -> None:
    async with (
        raw_sip(running.new_address(), running.server) as caller, raw_sip(running.new_address(), running.server) as refusing,
        phone(running, "habit-203-desk") as target,
    ):
        assert (await refusing.register(running.account("habit-204-desk"))).status == 200
        await running.until_state("habit-204-desk", DeviceState.IDLE)

        def refuse(request: Message) -> None:
            if rings_first:
                refusing.reply(request, 180, "Ringing")
            refusing.reply(request, status, "No", headers=["Contact: <sip:203@127.79.0.77>"])

        refusing.answers["INVITE"] = refuse
        account = running.account("habit-201-desk")
        dialog = Dialog(f"sip:204@{HERE}", f"sip:{account.user}@{HERE}")
        answer = await caller.ask(dialog, "INVITE", body=caller.sdp(Address(caller.at.host, 40000)), account=account)
        assert answer.status == 200
        await target.request("INVITE")
        assert (await caller.ask(dialog, "BYE", account=account)).status == 200
        await refusing.register(running.account("habit-204-desk"), expires_s=0)


@pytest.mark.parametrize("status", [300, 301, 302, 305, 380, 408, 500, 502, 503, 504])
async def test_trunk_that_cannot_carry_the_call_leaves_it_to_the_next(running: Pbx, status: int) -> None:
    began = datetime.now(UTC)
    async with (
        raw_sip(Address("127.79.0.20", 5060), running.server) as first, raw_sip(Address("127.79.0.21", 5060), running.server) as second,
        raw_sip(running.new_address(), running.server) as caller,
    ):
        first.answers["INVITE"] = lambda request: first.reply(
            request, status, "No", headers=["Contact: <sip:+390600100299@127.79.0.88>"])
        second.answers["INVITE"] = lambda request: second.reply(request, 200, "OK", body=second.sdp(Address("127.79.0.21", 40000)))
        second.answers["BYE"] = lambda request: second.reply(request, 200, "OK")
        account = running.account("habit-203-desk")
        dialog = Dialog(f"sip:0048221234567@{HERE}", f"sip:{account.user}@{HERE}")
        answer = await caller.ask(dialog, "INVITE", body=caller.sdp(Address(caller.at.host, 40000)), account=account)
        assert answer.status == 200, answer.start
        await second.request("INVITE")
        assert (await caller.ask(dialog, "BYE", account=account)).status == 200
        await second.request("BYE")
        await running.record("203", "habit", since=began)      # then the user has a line less


async def test_phone_that_rings_on_after_another_has_refused_has_not_answered(running: Pbx) -> None:
    began = datetime.now(UTC)
    async with (
        raw_sip(running.new_address(), running.server) as caller, phone(running, "habit-203-desk") as ringing,
        phone(running, "habit-204-desk") as refusing,
    ):
        refusing.answers["INVITE"] = lambda request: refusing.reply(request, 480, "Do Not Disturb")
        ringing.answers["INVITE"] = lambda request: ringing.reply(request, 180, "Ringing")

        def stop(request: Message) -> None:
            ringing.reply(request, 200, "OK")
            ringing.reply(next(each for each in ringing.seen if each.method == "INVITE"), 487, "Request Terminated")

        ringing.answers["CANCEL"] = stop
        account = running.account("habit-201-desk")
        dialog = Dialog(f"sip:204@{HERE}", f"sip:{account.user}@{HERE}")
        answer = await caller.ask(dialog, "INVITE", body=caller.sdp(Address(caller.at.host, 40000)), account=account)
        assert answer.status == 480
    record = await running.record("201", "habit", since=began)
    assert path_of(record) == [
        ("start", "201 dials 204"), ("204", "rings desk"), ("204", "declined, forwards when busy to 203"), ("203", "rings desk"),
        ("203", "no answer, no mailbox"), ("203", "announcement played, hangs up")]


@pytest.mark.parametrize("sender", [
    '"Boss" <sip:203@carrier.example>', '"203" <sip:203@carrier.example>', '<sip:2%303@carrier.example>', '"203" <sip:+48600100200@x.example>',
    '"Zofia" <sip:+48600100200@x.example>', '" zofia" <sip:anonymous@anonymous.invalid>', '"203" <sip:anonymous@anonymous.invalid>'])
async def test_outside_caller_who_poses_as_a_colleague_is_not_shown_as_one(running: Pbx, sender: str) -> None:
    began = datetime.now(UTC)
    asserted = ('P-Asserted-Identity: "Zofia" <sip:203@x.example>', 'Remote-Party-ID: "Zofia" <sip:203@x.example>')
    async with raw_sip(Address("127.79.0.20", 5060), running.server) as carrier, phone(running, "habit-201-desk") as called:
        invite = await reaches(
            carrier, called, OURS.format("group"), to=OURS.format("+48248720011"), sender=sender, headers=asserted)
    for name in ("from", "p-asserted-identity", "remote-party-id", "contact"):
        assert not [value for value in invite.all(name) if re.search("203|zofia|boss", value.split(";tag")[0], re.I)], invite.headers
    async def is_recorded() -> bool:
        return bool(await running.since("habit", began))

    await until(is_recorded, "the call is recorded")
    (record,) = await running.since("habit", began)
    assert record.caller != "203"
    assert "203" not in record.caller_name


@pytest.mark.parametrize("number", ["205", "600100205"])
@pytest.mark.parametrize(("user", "code", "shown"), [
    ("206", "", "+48248720012"), ("203", "", "+48248720011"), ("206", "*68", "+48248720011"), ("206", "*67", ""), ("207", "", "")])
async def test_user_shows_the_same_number_by_a_forward_as_by_an_own_call(
    running: Pbx, user: str, code: str, shown: str, number: str,
) -> None:
    """The trunk has the account in From, so the number stands in P-Preferred-Identity, and Privacy hides it."""
    async with raw_sip(Address("127.79.0.22", 5060), running.server) as carrier, raw_sip(running.new_address(), running.server) as caller:
        carrier.answers["INVITE"] = lambda request: carrier.reply(request, 486, "Busy Here")
        account = running.account(f"habit-{user}-desk")
        dialog = Dialog(f"sip:{code}{number}@{HERE}", f"sip:{account.user}@{HERE}")
        calling = asyncio.create_task(caller.ask(
            dialog, "INVITE", body=caller.sdp(Address(caller.at.host, 40000)), account=account))
        invite = await carrier.request("INVITE")
        await calling
    own = shown or ("+48248720012" if user == "206" else "+48248720011")
    assert own in invite.get("p-preferred-identity")
    assert ("id" in invite.get("privacy").split(";")) is (not shown)
    assert f"sip:{user}@" not in "".join(value for _, value in invite.headers)


async def test_agent_who_lets_a_caller_ring_is_not_rung_again_beside_a_free_one(running: Pbx) -> None:
    """A caller in each queue, and no agent answers: in each round of attempts every agent rings once."""
    queues = running.tenants["lazy"].queues
    rung: dict[str, list[str]] = {name: [] for name in queues}
    async with AsyncExitStack() as stack:
        for name, queue in queues.items():
            for agent in queue.agents:
                peer = await stack.enter_async_context(phone(running, f"lazy-{agent}-desk"))

                def ring(request: Message, peer: RawSip = peer, rings: list[str] = rung[name], agent: str = agent) -> None:
                    if request.get("via") not in {each.get("via") for each in peer.seen}:
                        rings.append(agent)
                    peer.reply(request, 180, "Ringing")

                def stop(request: Message, peer: RawSip = peer) -> None:
                    peer.reply(request, 200, "OK")
                    ringing = next(each for each in reversed(peer.seen) if each.method == "INVITE")
                    peer.reply(ringing, 487, "Request Terminated")

                peer.answers["INVITE"], peer.answers["CANCEL"] = ring, stop
        carrier = await stack.enter_async_context(raw_sip(Address("127.79.0.30", 5060), running.server))
        waiting = []
        for number in running.tenants["lazy"].numbers:
            uri = OURS.format(number)
            dialog = Dialog(uri, "sip:+48600100200@carrier.example")
            waiting.append(dialog)
            answer = await carrier.ask(dialog, "INVITE", uri=uri, body=carrier.sdp(Address("127.79.0.30", 40000)))
            assert answer.status == 200
        await until(lambda: all(len(rings) >= 4 for rings in rung.values()), "four attempts in each queue", 60)
        for dialog in waiting:
            assert (await carrier.ask(dialog, "BYE")).status == 200
        await running.nothing_is_left()
    for name, rings in rung.items():
        agents = len(queues[name].agents)
        for begin in range(0, 4 - agents + 1, agents):
            assert len(set(rings[begin:begin + agents])) == agents, rung
