"""What a person is told of calls that happened."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from centralka.cli.history import ending
from centralka.settings import Settings
from routing.call.reasons import Why
from store import database
from store.calls import CallStore
from store.records import CallRecord, Leg, Outcome, PathEntry
from tests.command_line import centralka
from tests.tenants_for_tests import ROSSI, acme

BEGAN = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
PATH = (("start", "to +48221234567"), ("main", "asks for a key"), ("main", "key 2, on to service"), ("service", "rings 202"))
CALL = CallRecord(
    "acme", "1764000000.7", BEGAN, BEGAN + timedelta(seconds=9), BEGAN + timedelta(seconds=40), "+48600100200", "[red]Ala", "221234567",
    "202", Outcome.ANSWERED, tuple(PathEntry(BEGAN + timedelta(seconds=i), node, Why.WORDS(why)) for i, (node, why) in enumerate(PATH)))
LEGS = tuple(
    Leg("acme", CALL.linkedid, f"1764000000.{7 + i}", f"PJSIP/{endpoint}-0000000{i}", endpoint, BEGAN, CALL.answered_at, CALL.ended_at, cause)
    for i, (endpoint, cause) in enumerate([("acme-trunk-carrier", 16), ("acme-202-desk", None)]))


@pytest.fixture
def recorded(home: Path) -> Path:
    """An instance with Acme published and one call of theirs, and one of a tenant that is gone."""
    assert centralka(home, "apply").returncode == 0
    asyncio.run(database.upgrade(Settings.load(home).database_url))
    asyncio.run(keep(home, CALL, replace(CALL, tenant="gone", linkedid="5.5")))
    return home


async def keep(home: Path, *calls: CallRecord) -> None:
    engine = database.connect(Settings.load(home).database_url)
    await CallStore(engine).save([(call, LEGS if call is CALL else ()) for call in calls], None)
    await engine.dispose()


def test_calls_show_the_id_by_which_a_call_is_explained(recorded: Path) -> None:
    assert "[1764000000.7]" in "".join(centralka(recorded, "calls", "acme").stdout.split())


def test_calls_are_told_by_the_tenants_clock_as_their_explanation_is(recorded: Path) -> None:
    listed, explained = (centralka(recorded, *command).stdout.splitlines() for command in (("calls", "acme"), ("explain", CALL.linkedid)))
    assert listed[0].startswith("2026-11-23 12:00:00 CET +48600100200")
    assert listed[:1 + len(PATH)] == explained[:1 + len(PATH)]
    assert centralka(recorded, "calls", "gone").stdout.startswith("2026-11-23 11:00:00 UTC ")


def test_calls_say_whether_there_are_more_and_how_to_see_them(recorded: Path) -> None:
    assert centralka(recorded, "calls", "acme").stdout.endswith("no other call of acme is recorded\n")
    asyncio.run(keep(recorded, replace(CALL, linkedid="1764000000.9")))
    assert centralka(recorded, "calls", "acme", "--last", "1").stdout.endswith(
        "these are the last 1 of the calls of acme; --last 10 shows earlier ones\n")


def test_tenant_without_calls_is_told_apart_from_one_that_does_not_exist(recorded: Path) -> None:
    (recorded.parent / "tenants" / "rossi.yaml").write_text(ROSSI)
    assert centralka(recorded, "apply").returncode == 0
    nothing, nobody = centralka(recorded, "calls", "rossi"), centralka(recorded, "calls", "nobody")
    assert (nothing.returncode, nothing.stdout.partition(";")[0]) == (0, "no call of rossi is recorded")
    assert (nobody.returncode, nobody.stderr) == (1, "no tenant 'nobody' is published, and no call of one is recorded\n")
    assert json.loads(centralka(recorded, "calls", "rossi", "--json").stdout) == []


def test_explanation_tells_path_reasons_legs_and_outcome_by_the_tenants_clock(recorded: Path) -> None:
    done = centralka(recorded, "explain", "1764000000.7")
    text = " ".join(done.stdout.split())
    assert done.returncode == 0
    assert "2026-11-23 12:00:00 CET +48600100200 ([red]Ala) -> 221234567: answered by 202, 40 s" in text
    assert "12:00:02 main key 2, on to service" in text
    assert "acme-trunk-carrier 12:00:00 12:00:09 12:00:40 normal" in text
    assert "acme-202-desk 12:00:00 12:00:09 12:00:40 unknown" in text
    assert text.endswith("ends: answered by 202")


@pytest.mark.parametrize(("outcome", "node", "words"), [
    (Outcome.ANSWERED, "service", "answered by 202"), (Outcome.VOICEMAIL, "201", "message for 201"),
    (Outcome.VOICEMAIL, "mail", "message for 201"), (Outcome.VOICEMAIL, "gone", "message"), (Outcome.MAILBOX, "start", "mailbox"),
    (Outcome.CONFERENCE, "room", "in conference room"), (Outcome.UNANSWERED, "failover", "failover"),
    (Outcome.UNANSWERED, "main", "refused, or caller hangs up")])
def test_end_of_a_call_is_told_in_the_words_of_scenarios(outcome: Outcome, node: str, words: str) -> None:
    answered_by = "202" if outcome is Outcome.ANSWERED else None
    call = replace(CALL, outcome=outcome, answered_by=answered_by, path=(*CALL.path, PathEntry(BEGAN, node, ())))
    assert ending(call, acme()) == words


def test_explanation_for_programs_has_the_record_and_its_legs(recorded: Path) -> None:
    told = json.loads(centralka(recorded, "explain", "1764000000.7", "--json").stdout)
    assert (told["tenant"], told["outcome"], told["caller_name"]) == ("acme", "answered", "[red]Ala")
    assert [entry["why"] for entry in told["path"]] == [why for _, why in PATH]
    assert [leg["endpoint"] for leg in told["legs"]] == ["acme-trunk-carrier", "acme-202-desk"]


def test_explanation_can_be_drawn(recorded: Path, tmp_path: Path) -> None:
    picture = tmp_path / "call.dot"
    assert centralka(recorded, "explain", "1764000000.7", "--picture", str(picture)).returncode == 0
    text = picture.read_text()
    assert "3. key 2, on to service" in text
    assert "answered by 202" in text
    assert len([line for line in text.splitlines() if "->" in line and "weight=20" in line]) == 4


@pytest.mark.parametrize("call", ["1764000000.8", "", "'; DROP TABLE calls; --", "[/red]"])
def test_call_that_is_not_recorded_is_named_with_exit_code_1(recorded: Path, call: str) -> None:
    done = centralka(recorded, "explain", call)
    assert (done.returncode, repr(call) in done.stderr, "is recorded" in done.stderr) == (1, True, True)


def test_call_of_a_tenant_that_is_gone_is_told_but_not_drawn(recorded: Path, tmp_path: Path) -> None:
    assert "12:00:00" not in centralka(recorded, "explain", "5.5").stdout
    done = centralka(recorded, "explain", "5.5", "--picture", str(tmp_path / "call.dot"))
    assert (done.returncode, "not published any more" in done.stderr) == (1, True)


def test_records_that_cannot_be_read_are_the_systems_fault(home: Path) -> None:
    done = centralka(home, "explain", "1.1")
    assert (done.returncode, done.stderr.startswith("the call records cannot be read")) == (2, True)
