"""What was said, by the real recogniser: the recording does not outlive it, and nothing that a caller sends does harm."""

import asyncio
import os
import time
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from agi import understanding
from agi.understanding import Understanding, forget
from routing.call.questions import Understand
from routing.speech.phrases import Language
from tests.agents.voice import spoken

CALL = "1795527746.8"
PEOPLE = {
    "pl": ["Magdalena Kowalska", "Grzegorz Wiśniewski", "Jan Nowak", "Zofia Lewandowska", "Krzysztof Zieliński"],
    "it": ["Giuseppe Bianchi", "Francesca Esposito", "Lorenzo Ferrari", "Chiara Rossi", "Salvatore Romano"],
    "en": ["Jennifer Miller", "Andrew Robinson", "Sarah Davis", "Michael Thompson", "Elizabeth Wright"],
}


def question(language: Language) -> Understand:
    names = tuple((str(201 + i), (name, name.split()[-1])) for i, name in enumerate(PEOPLE[language]))
    return Understand(names, language)


@pytest.mark.parametrize("language", ["pl", "it", "en"])
async def test_name_is_among_those_understood_and_its_recording_is_gone(tmp_path: Path, language: Language) -> None:
    recording = tmp_path / f"{CALL}.sln"
    for i in (1, 4):
        recording.write_bytes((await spoken(PEOPLE[language][i], language)).tobytes())
        assert str(201 + i) in await Understanding(tmp_path).said_in(CALL, "acme", question(language))
        assert not recording.exists()


@pytest.mark.parametrize("sound", [
    b"", b"x", bytes(80_000), np.full(40_000, 9000, dtype=np.int16).tobytes(),
    np.random.default_rng(1).normal(0, 900, 40_000).astype(np.int16).tobytes(),
])
async def test_silence_noise_and_nothing_are_no_name(tmp_path: Path, sound: bytes) -> None:
    (tmp_path / f"{CALL}.sln").write_bytes(sound)
    assert await Understanding(tmp_path).said_in(CALL, "acme", question("pl")) == ()


async def test_name_without_letters_harms_nobody_elses(tmp_path: Path) -> None:
    (tmp_path / f"{CALL}.sln").write_bytes((await spoken("Jan Nowak", "pl")).tobytes())
    strange = Understand((("200", ("12 $(id)", "!")), ("203", ("Jan Nowak",)), ("204", ("Ł",))), "pl")
    assert "203" in await Understanding(tmp_path).said_in(CALL, "acme", strange)


@pytest.mark.parametrize("call", ["../secret", "", "1;rm", "1795527746.8/x"])
async def test_call_whose_id_is_none_reads_and_removes_no_file(tmp_path: Path, call: str) -> None:
    (tmp_path / "secret.sln").write_bytes(b"x")
    folder = tmp_path / "heard"
    folder.mkdir()
    assert await Understanding(folder).said_in(call, "acme", question("pl")) == ()
    assert (tmp_path / "secret.sln").exists()


async def test_recogniser_that_takes_too_long_is_ended_and_the_recording_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(understanding, "LIMIT_S", 0.05)
    recording = tmp_path / f"{CALL}.sln"
    recording.write_bytes((await spoken("Jan Nowak", "pl")).tobytes())
    assert await Understanding(tmp_path).said_in(CALL, "acme", question("pl")) == ()
    assert not recording.exists()


async def test_event_loop_goes_on_while_somebody_is_understood(tmp_path: Path) -> None:
    (tmp_path / f"{CALL}.sln").write_bytes((await spoken("Jan Nowak", "pl")).tobytes())
    asked = asyncio.create_task(Understanding(tmp_path).said_in(CALL, "acme", question("pl")))
    turns = 0
    while not asked.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns > 50


def test_recording_that_nobody_asked_for_is_removed(tmp_path: Path) -> None:
    for name, age_s in (("1.2.sln", 60), ("1.3.sln", 1)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time.time() - age_s,) * 2)
    forget(tmp_path, time.time())
    assert [file.name for file in tmp_path.iterdir()] == ["1.3.sln"]


def test_recording_that_goes_meanwhile_keeps_no_other(tmp_path: Path) -> None:
    for name in ("1.1.sln", "1.3.sln"):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time.time() - 60,) * 2)
    (tmp_path / "1.2.sln").symlink_to("gone")          # it is listed, and then there is no file
    forget(tmp_path, time.time())
    assert [file.name for file in tmp_path.iterdir()] == ["1.2.sln"]


async def test_recordings_are_forgotten_again_after_their_folder_could_not_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(understanding, "KEPT_S", 0.03)
    folder = tmp_path / "heard"
    async with asyncio.timeout(30):
        with capture_logs() as logs:
            forgetting = asyncio.create_task(Understanding(folder).forget())
            while not logs:      # noqa: ASYNC110 - the log is another's
                await asyncio.sleep(0.01)
            folder.mkdir()
            (folder / "1.1.sln").touch()
            while any(folder.iterdir()):      # noqa: ASYNC110 - the file is another's
                await asyncio.sleep(0.01)
        forgetting.cancel()
    assert logs[0]["event"] == "recordings_kept"


async def test_users_whose_names_sound_the_same_are_told_in_their_order(tmp_path: Path) -> None:
    same = Understand((("301", ("Zofia Kowalska", "Kowalska")), ("302", ("Jan Nowak", "Nowak")), ("303", ("Ewa Kowalska", "Kowalska"))), "pl")
    (tmp_path / f"{CALL}.sln").write_bytes((await spoken("Kowalska", "pl")).tobytes())
    assert (await Understanding(tmp_path).said_in(CALL, "acme", same))[:2] == ("301", "303")
