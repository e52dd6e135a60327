"""What a person is told of calls that happened."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from centralka.history import ending
from centralka.settings import Settings
from store import database
from store.calls import CallStore
from store.records import Call, Leg, Outcome, PathEntry
from tests.centralka.test_cli import centralka, home
from tests.tenants_for_tests import acme

__all__ = ["home"]
BEGAN = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
PATH = (("start", "to +48221234567"), ("main", "asks for a key"), ("main", "key 2, on to service"), ("service", "rings 202"))
CALL = Call(
    "acme", "1764000000.7", BEGAN, BEGAN + timedelta(seconds=9), BEGAN + timedelta(seconds=40), "+48600100200", "[red]Ala", "221234567",
    "202", Outcome.ANSWERED, tuple(PathEntry(BEGAN + timedelta(seconds=i), *visit) for i, visit in enumerate(PATH)))
LEGS = tuple(
    Leg("acme", CALL.linkedid, f"1764000000.{7 + i}", f"PJSIP/{endpoint}-0000000{i}", endpoint, BEGAN, CALL.answered_at, CALL.ended_at, cause)
    for i, (endpoint, cause) in enumerate([("acme-trunk-carrier", 16), ("acme-202-desk", None)]))


@pytest.fixture
def recorded(home: Path) -> Path:
    """An instance with Acme published and one call of theirs, and one of a tenant that is gone."""
    async def keep() -> None:
        url = Settings.load(home).database_url
        await database.upgrade(url)
        engine = database.connect(url)
        await CallStore(engine).save([(CALL, LEGS), (replace(CALL, tenant="gone", linkedid="5.5"), [])], None)
        await engine.dispose()

    assert centralka(home, "apply").returncode == 0
    asyncio.run(keep())
    return home


def test_calls_show_the_id_by_which_a_call_is_explained(recorded: Path) -> None:
    assert "[1764000000.7]" in "".join(centralka(recorded, "calls", "acme").stdout.split())


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
    call = replace(CALL, outcome=outcome, answered_by=answered_by, path=(*CALL.path, PathEntry(BEGAN, node, "")))
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
