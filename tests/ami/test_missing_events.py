"""An event that the CEL file lacks comes from AMI, once and in its place."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami.client import AmiClient, Message
from ami.records.events import SETTLE_S, CelError, CelEvent, MissingEvents, parse_event
from ami.records.second_path import event_of
from tests.ami.ami_peer import ADDRESS, ami_peer, until
from tests.ami.test_cel_follower import call_lines

EVENTS = [parse_event(each) for of_three in zip(*(call_lines(number) for number in range(3)), strict=True) for each in of_three]


@given(lacks=st.sets(st.integers(0, len(EVENTS) - 1)), ahead=st.lists(st.booleans(), max_size=60))
def test_whatever_the_file_lacks_is_taken_once_and_in_order(lacks: set[int], ahead: list[bool]) -> None:
    """Whichever path is read first."""
    missing, taken, now = MissingEvents(), list[CelEvent](), 0.0
    told, written = list(EVENTS), [event for number, event in enumerate(EVENTS) if number not in lacks]
    for over_ami in ahead:
        if told and over_ami:
            missing.note(told.pop(0), now)
        elif written and not over_ami:
            taken += [*missing.before(written[0]), written.pop(0)]
    for event in told:
        missing.note(event, now)
    for event in written:
        taken += [*missing.before(event), event]
    assert missing.overdue(now + SETTLE_S / 2) == []      # the file may be behind
    taken += missing.overdue(now + SETTLE_S)
    assert sorted(map(EVENTS.index, taken)) == list(range(len(EVENTS)))
    in_file = [event for event in taken if EVENTS.index(event) not in lacks]
    assert in_file == sorted(in_file, key=EVENTS.index)


NOW = datetime.fromtimestamp(1795.000001, UTC)


def message(**change: str) -> str:
    """As Asterisk 22.10 writes it."""
    headers = {
        "Event": "CEL", "Privilege": "call,all", "EventName": "start", "AccountCode": "acme", "CallerIDnum": "600100200",
        "CallerIDname": "", "CallerIDani": "600100200", "CallerIDrdnis": "", "CallerIDdnid": "", "Exten": "s", "Context": "in",
        "Channel": "PJSIP/acme-trunk-main-00000001", "Application": "CELGenUserEvent", "AppData": "", "EventTime": "2026-12-01 00:02:43",
        "AMAFlags": "DOCUMENTATION", "UniqueID": "1.1", "LinkedID": "1.1", "TenantID": "acme", "Userfield": "", "Peer": "",
        "PeerAccount": "", "UserDefType": "start", "Extra": '{"extra":"600100200||201"}'}
    return "\r\n".join(f"{name}: {value}" for name, value in (headers | change).items())


def test_event_over_ami_is_the_same_as_in_the_file() -> None:
    event = event_of(Message.from_line(message()), NOW)
    assert event == parse_event(
        b'"start","1795.000001","PJSIP/acme-trunk-main-00000001","CELGenUserEvent","acme","1.1","1.1","start",'
        b'"{""extra"":""600100200||201""}","acme"')


@pytest.mark.parametrize("change", [
    {"CallerIDname": "x\r\nLinkedID: 9.9"}, {"Exten": "1\r\nChannel: PJSIP/rossi-201-desk-1"}, {"LinkedID": ""},
    {"CallerIDnum": "1\r\nInjected: x"}, {"UniqueID": "1\n2"}])
def test_event_that_asterisk_does_not_write_so_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(CelError):
        event_of(Message.from_line(message(**change)), NOW)


async def test_nothing_behind_an_event_that_a_caller_has_broken_is_read() -> None:
    forged = message(EventName="LINKEDID_END", UserDefType="", LinkedID="9.9")
    broken = message(CallerIDname="x\r\n\r\n" + forged + "\r\n\r\n")
    events = []

    def take(found: Message) -> None:
        try:
            events.append(event_of(found, NOW))
        except CelError as error:
            ami.drop(str(error))

    async with ami_peer() as peer, AmiClient(ADDRESS, peer.port, "centralka-cel", "secret") as ami:
        ami.on_event("CEL", take)
        await until(ami.connected.is_set)
        peer.send((message() + "\r\n\r\n" + broken + "\r\n\r\n").encode())
        await until(lambda: peer.logins == 2)
    assert [event.linkedid for event in events] == ["1.1"]
