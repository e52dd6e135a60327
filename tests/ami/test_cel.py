"""From recorded CEL lines to call records."""

import csv
import io
import json
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi.channel_text import path_text
from ami.records.calls import EndedCall, PendingCalls, assemble, endpoint_of
from ami.records.events import FIELDS, CelError, parse_event
from routing.call.english import in_english
from routing.call.reasons import Why
from routing.call.state import Visit
from store.records import CallRecord, Leg, Outcome

RECORDING = Path(__file__).parent / "recordings" / "cel.csv"


def line(kind: str, *, linkedid: str = "1.1", uniqueid: str = "1.1", at: float = 1.0, channel: str = "", extra: str = "",
         user: bool = False, tenant: str = "acme", **fields: str) -> bytes:
    event = dict.fromkeys(FIELDS, "") | {"eventtype": kind, "eventtime": f"{at:.6f}", "linkedid": linkedid, "uniqueid": uniqueid,
              "channame": channel or f"PJSIP/acme-201-desk-0000000{uniqueid[-1]}", "eventextra": extra,
              "userdeftype": kind if user else "", "tenantid": tenant}
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="").writerow((event | fields).values())
    return out.getvalue().encode()


def records(*lines: bytes) -> list[tuple[CallRecord, tuple[Leg, ...]]]:
    """Of these events; channels of which no hangup is told have hung up before the call's end, as always in Asterisk."""
    pending, ended = PendingCalls(), []
    for event in map(parse_event, lines):
        pending.place(event)
        if event.kind == "LINKEDID_END":
            known = pending.events[event.linkedid]
            gone = {each.uniqueid for each in known if each.kind == "HANGUP"}
            for channel in [each for each in known if each.kind == "CHAN_START" and each.uniqueid not in gone]:
                pending.take(replace(channel, kind="HANGUP", at=event.at))
        pending.join(event)
        ended.append(pending.take(event))
    return [record for call in ended if call is not None and (record := assemble(call)) is not None]


@pytest.fixture
def recorded() -> dict[str, tuple[CallRecord, tuple[Leg, ...]]]:
    return {call.linkedid: (call, legs) for call, legs in records(*RECORDING.read_bytes().splitlines())}


def test_answered_call_names_who_answered_and_the_path(recorded: dict[str, tuple[CallRecord, tuple[Leg, ...]]]) -> None:
    call, legs = recorded["1795461751.6"]
    assert (call.tenant, call.caller, call.dialled, call.answered_by) == ("acme", "sipp", "202", "202")
    assert call.outcome is Outcome.ANSWERED
    assert [(entry.node, in_english(entry.why)) for entry in call.path] == [("did", "the number"), ("office", "open")]
    assert call.started_at == datetime(2026, 11, 23, 19, 22, 31, 186057, UTC)
    assert [(leg.endpoint, leg.hangup_cause) for leg in legs] == [("acme-trunk-main", 16), ("acme-202-desk", 16)]


def test_call_that_rang_in_vain_is_unanswered(recorded: dict[str, tuple[CallRecord, tuple[Leg, ...]]]) -> None:
    call, legs = recorded["1795461751.8"]
    assert (call.outcome, call.answered_at, call.answered_by) == (Outcome.UNANSWERED, None, None)
    assert [leg.answered_at for leg in legs] == [None, None]


def test_transferred_call_keeps_one_record(recorded: dict[str, tuple[CallRecord, tuple[Leg, ...]]]) -> None:
    call, legs = recorded["1795461761.10"]
    assert call.ended_at > max(leg.ended_at for leg in legs[:1])
    assert [entry.node for entry in call.path] == ["did", "office", "menu"]
    assert len(legs) == 2


def test_consultation_becomes_part_of_the_call_that_is_transferred_by_it() -> None:
    second = {"linkedid": "1.2", "uniqueid": "1.2"}
    target = {"linkedid": "1.2", "uniqueid": "1.3"}
    (call, legs), = records(
        line("CHAN_START"), start("201", "Anna", "202"), line("CHAN_START", at=2, **second), start("202", "Jan", "203", at=2, **second),
        line("CHAN_START", at=3, **target), line("ANSWER", at=4, **target),
        line("HANGUP", at=5, **second), line("HANGUP", at=6, linkedid="1.1", uniqueid="1.3"), line("HANGUP", at=7),
        line("LINKEDID_END", at=7))
    assert (call.caller, call.dialled, [leg.uniqueid for leg in legs]) == ("201", "202", ["1.1", "1.2", "1.3"])


def test_voicemail_is_told_from_an_answer() -> None:
    (call, _), = records(line("CHAN_START"), line("APP_START", appname="VoiceMail"), line("ANSWER"), line("LINKEDID_END"))
    assert call.outcome is Outcome.VOICEMAIL


def test_failover_is_an_entry_of_the_path() -> None:
    (call, _), = records(line("CHAN_START"), line("failover", user=True, extra='{"extra":""}'), line("LINKEDID_END"))
    assert [(entry.node, in_english(entry.why)) for entry in call.path] == [("failover", "the decision service did not answer")]


def start(caller: str, name: str, dialled: str, **fields: Any) -> bytes:
    """As the dialplan's URIENCODE() and Asterisk's JSON write it."""
    text = "|".join(quote(each, safe="-_.!~*'()") for each in (caller, name, dialled))
    return line("start", user=True, extra=json.dumps({"extra": text}), **fields)


def test_start_that_a_decision_told_begins_the_path() -> None:
    extra = json.dumps({"extra": "201|Anna|202;start|201 dials 202;202|rings desk"})
    (call, _), = records(line("CHAN_START"), line("start", user=True, extra=extra), line("LINKEDID_END"))
    assert (call.caller, call.caller_name, call.dialled) == ("201", "Anna", "202")
    assert [(entry.node, in_english(entry.why)) for entry in call.path] == [("start", "201 dials 202"), ("202", "rings desk")]


HOSTILE = ['\\","rossi","x', '"', '""', "\\", '\\"', ",", '","', "x\\", "a|b", "%0a", "Za\u017c\u00f3\u0142\u0107"]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_a_caller_stays_text(text: str) -> None:
    (call, _), = records(line("CHAN_START"), start(text, text, text), line("LINKEDID_END"))
    assert (call.tenant, call.caller, call.caller_name, call.dialled) == ("acme", text, text, text)


FORGED = "2\r\n" + line("LINKEDID_END", tenant="rossi", linkedid="9.9", uniqueid="9.9").decode() + "\n3"


@pytest.mark.parametrize("place", range(3))
def test_line_feed_of_a_caller_forges_no_record_and_spoils_none(place: int) -> None:
    said = ["201", "Anna", "202"]
    said[place] = FORGED
    written = b"\n".join([line("CHAN_START"), start(*said), line("LINKEDID_END")])
    ((call, _),) = records(*written.split(b"\n"))
    said[place] = FORGED.replace("\r", "").replace("\n", "")
    assert (call.tenant, call.linkedid, [call.caller, call.caller_name, call.dialled]) == ("acme", "1.1", said)


def test_first_start_tells_who_called_whom_and_a_transfer_does_not() -> None:
    (call, _), = records(line("CHAN_START"), start("201", "Anna", "202"), start("202", "Bob", "300", uniqueid="1.2"),
                         line("LINKEDID_END"))
    assert (call.caller, call.caller_name, call.dialled) == ("201", "Anna", "202")


@pytest.mark.parametrize("joins", [1, 2], ids=["by the call on hold", "by the consultation"])
def test_calls_that_a_telephone_joins_are_one_record_though_no_channel_of_the_one_meets_one_of_the_other(joins: int) -> None:
    other = "2.1" if joins == 1 else "1.2"
    pending = PendingCalls()
    ended = []
    for written in (
        line("CHAN_START"), start("600100200", "", "201"), line("CHAN_START", uniqueid="1.2"),
        line("CHAN_START", linkedid="2.1", uniqueid="2.1", at=2), start("201", "Anna", "302", linkedid="2.1", uniqueid="2.1", at=2),
        line("ATTENDEDTRANSFER", linkedid="1.1" if joins == 1 else "2.1", uniqueid="1.2" if joins == 1 else "2.1", at=3,
             extra=json.dumps({"channel2_uniqueid": other, "app": "Playback"})),
        line("HANGUP", uniqueid="1.2", at=3), line("HANGUP", linkedid="2.1", uniqueid="2.1", at=3),
        line("LINKEDID_END", linkedid="2.1", uniqueid="2.1", at=3), line("HANGUP", at=4), line("LINKEDID_END", at=4),
    ):
        event = parse_event(written)
        pending.place(event)
        pending.join(event)
        ended.append(pending.take(event))
    record = assemble(next(call for call in ended if call))
    assert record
    call, legs = record
    assert (call.linkedid, call.caller, {leg.uniqueid for leg in legs}) == ("1.1", "600100200", {"1.1", "1.2", "2.1"})


@pytest.mark.parametrize("extra", ["", "{", '{"extra":""}', '{"extra":3}', "[]"])
def test_call_that_did_not_say_who_calls_has_a_record(extra: str) -> None:
    (call, _), = records(line("CHAN_START"), line("start", user=True, extra=extra), line("LINKEDID_END"))
    assert (call.caller_name, call.dialled) == ("", "")


def test_listening_to_ones_own_mailbox_is_an_outcome_of_its_own() -> None:
    (call, _), = records(line("CHAN_START"), line("APP_START", appname="VoiceMailMain"), line("ANSWER"), line("LINKEDID_END"))
    assert call.outcome is Outcome.MAILBOX


def test_fields_are_those_that_asterisk_is_told_to_write() -> None:
    conf = (Path(__file__).parent.parent.parent / "asterisk-conf" / "cel_custom.conf").read_text()
    assert conf.rpartition("fields = ")[2].strip().lower().split(",") == list(FIELDS)


def test_user_event_with_the_name_of_an_asterisk_event_ends_nothing() -> None:
    pending = PendingCalls()
    assert pending.take(parse_event(line("CHAN_START"))) is None
    assert pending.take(parse_event(line("LINKEDID_END", user=True))) is None


def test_trunk_that_answers_is_named_by_its_endpoint() -> None:
    trunk = "PJSIP/acme-trunk-main-00000002"
    (call, _), = records(line("CHAN_START"), line("CHAN_START", uniqueid="1.2", channel=trunk),
                         line("ANSWER", uniqueid="1.2", channel=trunk), line("LINKEDID_END"))
    assert call.answered_by == "acme-trunk-main"


def test_call_of_no_tenant_has_no_record() -> None:
    assert records(line("CHAN_START", tenant=""), line("LINKEDID_END", tenant="")) == []


def test_interrupted_call_keeps_what_was_heard_of_it() -> None:
    record = assemble(EndedCall("1.1", [parse_event(line("CHAN_START")), parse_event(line("ANSWER", at=9))], interrupted=True))
    assert record is not None
    call, (leg,) = record
    assert (call.outcome, call.ended_at, leg.hangup_cause) == (Outcome.INTERRUPTED, datetime.fromtimestamp(9, UTC), None)


@given(st.lists(st.tuples(st.text(min_size=1, max_size=30), st.text(max_size=30)), min_size=1, max_size=5))
def test_path_comes_back_as_the_dialplan_wrote_it(path: list[tuple[str, str]]) -> None:
    path = [(node, why) for node, why in path if "\0" not in node + why]
    text = path_text(tuple(Visit(node, Why.WORDS(why)) for node, why in path))
    (call, _), = records(line("CHAN_START"), line("step", user=True, extra=json.dumps({"extra": text})), line("LINKEDID_END"))
    assert [(entry.node, in_english(entry.why)) for entry in call.path] == path


@given(st.binary(max_size=200) | st.sampled_from([
    b"null", b'{"eventtype":1}', b'"' * 99_999, line("X", at=1)[:-3], line("X", at=1) + b',"one more"',
    line("X", eventtime="nan"), line("X", eventtime="1e400"), line("X", linkedid="")]))
def test_junk_is_refused_as_junk(junk: bytes) -> None:
    with pytest.raises(CelError):
        parse_event(junk)


@given(st.binary(max_size=60))
def test_hostile_name_becomes_storable_text(name: bytes) -> None:
    hostile = json.dumps({"extra": "|" + quote(name) + "\0\ud800"})
    (call, _), = records(line("CHAN_START"), line("start", user=True, extra=hostile), line("LINKEDID_END"))
    assert not any(unicodedata.category(character) == "Cc" for character in call.caller_name)
    call.caller_name.encode()


@pytest.mark.parametrize("extra", ["{", "[1]", '{"hangupcause":"16"}', '{"hangupcause":1e99}', f'{{"hangupcause":{2**70}}}'])
def test_hangup_cause_that_is_none_is_absent(extra: str) -> None:
    (_, (leg,)), = records(line("CHAN_START"), line("HANGUP", extra=extra), line("LINKEDID_END"))
    assert leg.hangup_cause is None


def test_endpoint_of_a_channel_is_its_name_without_serial() -> None:
    assert endpoint_of("PJSIP/acme-201-desk-0000a00f") == "acme-201-desk"
    assert endpoint_of("Local/300@internal-00000000;1") == "Local/300@internal"


def test_far_half_of_a_local_channel_keeps_its_old_linkedid_and_the_call_is_one_all_the_same() -> None:
    """As written by 22.10: a conversation moves to a phone that was called by way of a Local channel."""
    own, other = {"linkedid": "1.1"}, {"linkedid": "2.1", "tenant": ""}
    found = records(
        line("CHAN_START", **own), start("201", "Anna", "202", **own), line("CHAN_START", uniqueid="2.1", **other),
        line("CHAN_START", uniqueid="2.2", **other), line("HANGUP", uniqueid="1.1", **own), line("HANGUP", uniqueid="2.1", **own),
        line("LINKEDID_END", uniqueid="2.1", **own), line("HANGUP", uniqueid="2.2", **other),
        line("LINKEDID_END", uniqueid="2.2", **other))
    ((call, legs),) = found
    assert (call.linkedid, call.dialled, len(legs)) == ("1.1", "202", 3)


def test_call_during_which_the_clock_is_set_back_has_no_negative_duration() -> None:
    ((call, legs),) = records(
        line("CHAN_START", at=7000), line("CHAN_START", uniqueid="1.2", at=7001), line("ANSWER", uniqueid="1.2", at=7002),
        line("HANGUP", uniqueid="1.2", at=3500), line("HANGUP", at=3501), line("LINKEDID_END", at=3501))
    assert call.started_at <= (call.answered_at or call.started_at) <= call.ended_at
    assert all(leg.started_at <= (leg.answered_at or leg.started_at) <= leg.ended_at for leg in legs)
