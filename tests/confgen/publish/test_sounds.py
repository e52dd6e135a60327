"""What callers hear: sound files that Asterisk plays, spoken by the real espeak-ng, and never made twice."""

import wave
from pathlib import Path

import pytest

from confgen.publish import sounds
from confgen.publish.sound_cache import SoundCache
from confgen.publish.sounds import Sound, make_all_sounds, make_sounds, sounds_of
from routing.speech.phrases import PHRASES
from routing.speech.prompts import PHRASES_OF
from routing.tenant.tenant import Tenant
from tests.tenants_for_tests import acme
from yaml_models.document import Document
from yaml_models.errors import ConfigError


def write_wav(file: Path, rate: int = 8000, channels: int = 1, width: int = 2, seconds: float = 0.5) -> None:
    with wave.open(str(file), "wb") as out:
        out.setframerate(rate)
        out.setnchannels(channels)
        out.setsampwidth(width)
        out.writeframes(b"\x40" * int(rate * seconds) * channels * width)


def with_file() -> Tenant:
    return acme(("{text: Witamy}", "{file: hello.wav}"))


def told(folder: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        sounds_of(with_file(), folder, Document("acme.yaml", {}, {}))
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(("rate", "channels", "width", "found"), [
    (44100, 1, 2, "44100 Hz mono, 16 bit"), (11025, 1, 2, "11025 Hz mono, 16 bit"), (8000, 2, 2, "8000 Hz stereo, 16 bit"),
    (16000, 2, 2, "16000 Hz stereo, 16 bit"), (8000, 1, 1, "8000 Hz mono, 8 bit"), (8000, 1, 3, "8000 Hz mono, 24 bit"),
])
def test_sound_file_of_a_wrong_kind_is_told(tmp_path: Path, rate: int, channels: int, width: int, found: str) -> None:
    write_wav(tmp_path / "hello.wav", rate, channels, width)
    assert told(tmp_path) == [
        f"acme.yaml:1 prompts.welcome: hello.wav is {found}; a prompt is 8000 or 16000 Hz mono, 16 bit"]


@pytest.mark.parametrize("content", [b"", b"RIFF", b"no sound at all" * 100, b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x06\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data\0\0\0\0"])
def test_file_that_is_no_sound_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "hello.wav").write_bytes(content)
    assert told(tmp_path) == ["acme.yaml:1 prompts.welcome: hello.wav is no WAV file of plain samples"]


def test_sound_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert told(tmp_path) == [
        "acme.yaml:1 prompts.welcome: no sound file hello.wav beside the tenant's file (No such file or directory)"]


def test_sound_file_that_is_too_large_is_told_and_not_read(tmp_path: Path) -> None:
    write_wav(tmp_path / "hello.wav")
    with open(tmp_path / "hello.wav", "r+b") as file:
        file.truncate(20_000_000)
    assert sounds_of(with_file(), tmp_path, Document("acme.yaml", {}, {}))["welcome"]
    with open(tmp_path / "hello.wav", "r+b") as file:
        file.truncate(20_000_001)
    assert told(tmp_path) == ["acme.yaml:1 prompts.welcome: hello.wav is larger than 20 MB"]


@pytest.mark.parametrize("rate", [8000, 16000])
def test_good_sound_file_is_taken_whole(tmp_path: Path, rate: int) -> None:
    write_wav(tmp_path / "hello.wav", rate)
    assert sounds_of(with_file(), tmp_path, Document("acme.yaml", {}, {}))["welcome"].source == (tmp_path / "hello.wav").read_bytes()


def test_every_prompt_and_phrase_has_a_sound_in_its_language(tmp_path: Path) -> None:
    tenant = acme(("{text: Witamy}", "{text: Welcome, language: en}"))
    made = sounds_of(tenant, tmp_path, Document("acme.yaml", {}, {}))
    names = {"sys_element_sales", "sys_element_service"}
    assert set(made) == {"welcome", *names, *(name for name in PHRASES if not name.startswith(tuple(PHRASES_OF)))}
    assert (made["welcome"].source, made["welcome"].language) == ("Welcome", "en")
    assert (made["sys_wrong_key"].source, made["sys_wrong_key"].language) == ("Nie ma takiego wyboru.", "pl")


def test_sound_is_named_by_what_it_says_and_in_which_language(tmp_path: Path) -> None:
    def name(text: str) -> str:
        return sounds_of(acme(("{text: Witamy}", text)), tmp_path, Document("acme.yaml", {}, {}))["welcome"].name

    assert name("{text: Witamy}") == name("{text: Witamy}")
    assert len({name("{text: Witamy}"), name("{text: Witam}"), name("{text: Witamy, language: it}")}) == 3
    assert name("{text: Witamy}").startswith("welcome-")


def test_sound_file_that_changes_gets_another_name(tmp_path: Path) -> None:
    names = set()
    for seconds in (0.5, 0.6):
        write_wav(tmp_path / "hello.wav", seconds=seconds)
        names.add(sounds_of(with_file(), tmp_path, Document("acme.yaml", {}, {}))["welcome"].name)
    assert len(names) == 2


def read_wav(file: Path) -> tuple[int, int, int, float, int]:
    """Rate, channels, bytes a sample, seconds and the loudest sample."""
    with wave.open(str(file)) as sound:
        frames = sound.readframes(sound.getnframes())
        samples = memoryview(frames).cast("h")
        return (sound.getframerate(), sound.getnchannels(), sound.getsampwidth(), len(samples) / sound.getframerate(),
                max(map(abs, samples), default=0))


@pytest.mark.parametrize(("language", "text"), [("pl", "Dzień dobry, tu firma"), ("en", "Good morning"), ("it", "Buongiorno a tutti")])
async def test_text_is_spoken_into_a_file_that_asterisk_plays(tmp_path: Path, language: str, text: str) -> None:
    folder = tmp_path / "sounds" / "acme"
    assert await make_sounds([Sound("welcome-1", text, language)], folder) == 1
    rate, channels, width, seconds, loudest = read_wav(folder / "welcome-1.wav")
    assert (rate, channels, width) == (8000, 1, 2)
    assert 0.4 < seconds < 10
    assert loudest > 10_000, "somebody speaks"
    assert [file.name for file in folder.iterdir()] == ["welcome-1.wav"]
    assert (folder / "welcome-1.wav").stat().st_mode & 0o777 == 0o640
    assert folder.stat().st_mode & 0o777 == 0o750


async def test_longer_text_makes_a_longer_sound(tmp_path: Path) -> None:
    await make_sounds([Sound("short", "Raz.", "pl"), Sound("long", "Raz, dwa, trzy, cztery, pięć, sześć.", "pl")], tmp_path)
    assert read_wav(tmp_path / "long.wav")[3] > 2 * read_wav(tmp_path / "short.wav")[3]


async def test_each_language_has_its_own_voice(tmp_path: Path) -> None:
    await make_sounds([Sound(language, "Telefon 1999", language) for language in ("pl", "en", "it")], tmp_path)
    assert len({read_wav(tmp_path / f"{language}.wav")[3] for language in ("pl", "en", "it")}) == 3


async def test_text_that_looks_like_an_option_or_a_file_is_spoken(tmp_path: Path) -> None:
    assert await make_sounds([Sound("a", "-f /etc/hostname", "en")], tmp_path) == 1
    assert read_wav(tmp_path / "a.wav")[3] > 0.8


async def test_sound_file_of_16_khz_is_played_at_8(tmp_path: Path) -> None:
    write_wav(tmp_path / "hello.wav", 16000, seconds=1)
    await make_sounds([Sound("a", (tmp_path / "hello.wav").read_bytes(), "pl")], tmp_path / "out")
    rate, channels, width, seconds, _ = read_wav(tmp_path / "out" / "a.wav")
    assert (rate, channels, width) == (8000, 1, 2)
    assert seconds == pytest.approx(1, abs=0.01)


async def test_nothing_is_made_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both = [Sound("a", "Raz", "pl"), Sound("b", "Dwa", "pl")]
    assert await make_sounds(both[:1], tmp_path) == 1
    before = (tmp_path / "a.wav").stat()
    assert await make_sounds(both, tmp_path) == 1
    assert (tmp_path / "a.wav").stat().st_mtime_ns == before.st_mtime_ns
    assert (tmp_path / "a.wav").stat().st_ino == before.st_ino
    monkeypatch.setenv("PATH", "/nowhere")
    assert await make_sounds(both, tmp_path) == 0


async def test_sound_that_several_tenants_have_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    same, own = Sound("a", "Raz", "pl"), Sound("b", "Dwa", "pl")
    await make_all_sounds({"acme": [same]}, tmp_path)
    made: list[str] = []
    really = sounds.make_sounds

    async def noted(wanted: list[Sound], folder: Path, kept: SoundCache | None = None) -> int:
        made.extend(f"{folder.name}/{sound.name}" for sound in wanted)
        return await really(wanted, folder, kept)

    monkeypatch.setattr(sounds, "make_sounds", noted)
    await make_all_sounds({"acme": [same], "rossi": [same, own]}, tmp_path)
    assert made == ["rossi/b"]
    assert read_wav(tmp_path / "rossi" / "a.wav") == read_wav(tmp_path / "acme" / "a.wav")


async def test_program_that_fails_is_told_and_leaves_no_half_sound(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="sox ended with"):
        await make_sounds([Sound("a", b"no sound", "pl")], tmp_path)
    assert not list(tmp_path.iterdir())
    assert await make_sounds([Sound("a", "Raz", "pl")], tmp_path) == 1, "and the next attempt succeeds"


async def test_program_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sounds, "LIMIT_S", 0.1)
    with pytest.raises(TimeoutError):
        await sounds._run(["sleep", "600"])
