"""The cache of spoken prompts: a second instance speaks nothing, a broken or foreign cache changes nothing."""

import asyncio
import os
from pathlib import Path

import pytest

from confgen.publish import sounds
from confgen.publish.sound_cache import SoundCache, users_sound_cache
from confgen.publish.sounds import Sound, make_all_sounds, make_sounds

TEXTS = [Sound("a", "Raz", "pl"), Sound("b", "Dwa", "pl")]


@pytest.fixture
def spoken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that espeak-ng was given."""
    texts: list[str] = []
    really = sounds._run

    async def noted(arguments: list[str], text: str = "") -> None:
        if arguments[0] == "espeak-ng":
            texts.append(text)
        await really(arguments, text)

    monkeypatch.setattr(sounds, "_run", noted)
    return texts


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


async def test_second_instance_has_the_same_sounds_and_speaks_none(tmp_path: Path, spoken: list[str]) -> None:
    cache = SoundCache(tmp_path / "cache")
    assert await make_sounds(TEXTS, tmp_path / "one", cache) == 2
    assert await make_sounds(TEXTS, tmp_path / "two", cache) == 2
    assert spoken == ["Raz", "Dwa"]
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert (tmp_path / "two" / "a.wav").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "two" / "a.wav").stat().st_nlink == 1, "an instance owns its files"


@pytest.mark.parametrize("other", [
    Sound("a", "Trzy", "pl"), Sound("a", "Raz", "it")])
async def test_another_text_or_language_is_spoken(tmp_path: Path, spoken: list[str], other: Sound) -> None:
    cache = SoundCache(tmp_path / "cache")
    await make_sounds(TEXTS[:1], tmp_path / "one", cache)
    await make_sounds([other], tmp_path / "two", cache)
    assert spoken == ["Raz", other.source]


async def test_another_version_of_the_engine_speaks_again(
    tmp_path: Path, spoken: list[str], monkeypatch: pytest.MonkeyPatch,
) -> None:
    cache = SoundCache(tmp_path / "cache")
    await make_sounds(TEXTS[:1], tmp_path / "one", cache)
    monkeypatch.setattr(sounds, "_versions", lambda: ("espeak-ng of tomorrow",))
    await make_sounds(TEXTS[:1], tmp_path / "two", cache)
    assert spoken == ["Raz", "Raz"]


async def test_recorded_sound_is_not_kept(tmp_path: Path) -> None:
    await make_sounds(TEXTS[:1], tmp_path / "one")
    await make_sounds([Sound("a", (tmp_path / "one" / "a.wav").read_bytes(), "pl")], tmp_path / "two", SoundCache(tmp_path / "cache"))
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("broken", ["empty", "cut", "changed", "folder"])
async def test_broken_sound_is_spoken_again(tmp_path: Path, spoken: list[str], broken: str) -> None:
    cache = SoundCache(tmp_path / "cache")
    await make_sounds(TEXTS[:1], tmp_path / "one", cache)
    (file,) = (tmp_path / "cache").iterdir()
    good = file.read_bytes()
    match broken:
        case "empty":
            file.write_bytes(b"")
        case "cut":
            file.write_bytes(good[:len(good) // 2])
        case "changed":
            file.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        case "folder":
            file.unlink()
            file.mkdir()
    for name in ("two", "three"):
        await make_sounds(TEXTS[:1], tmp_path / name, cache)
    one, two, three = (contents(tmp_path / name)["a.wav"] for name in ("one", "two", "three"))
    assert len(one) == len(two) == len(three)        # not equal: sox adds noise below what is heard
    if broken == "folder":
        assert spoken == ["Raz", "Raz", "Raz"]
    else:
        assert spoken == ["Raz", "Raz"], "the broken one is replaced"
        assert two == three


@pytest.mark.parametrize("unusable", ["a file", "below a file", "others write", "another owner"])
async def test_cache_that_cannot_be_used_is_done_without(tmp_path: Path, spoken: list[str], unusable: str) -> None:
    folder = tmp_path / "cache"
    match unusable:
        case "a file":
            folder.touch()
        case "below a file":
            folder.touch()
            folder /= "sounds"
        case "others write":
            folder.mkdir()
            folder.chmod(0o777)
        case "another owner":
            if os.geteuid() != 0:
                pytest.skip("only root gives a folder away")
            folder.mkdir()
            os.chown(folder, 12345, 12345)
    for name in ("one", "two"):
        assert await make_sounds(TEXTS[:1], tmp_path / name, SoundCache(folder)) == 1
    assert spoken == ["Raz", "Raz"]
    assert unusable.startswith(("a file", "below")) or not list(folder.iterdir())


async def test_several_instances_fill_one_cache_at_once(tmp_path: Path) -> None:
    cache = SoundCache(tmp_path / "cache")
    await asyncio.gather(*(make_sounds(TEXTS, tmp_path / str(i), cache) for i in range(4)))
    assert all(sorted(contents(tmp_path / str(i))) == ["a.wav", "b.wav"] for i in range(4))
    assert len(list((tmp_path / "cache").iterdir())) == 2, "nothing half-written is left"


def test_sounds_that_were_not_used_for_longest_go_first(tmp_path: Path) -> None:
    cache = SoundCache(tmp_path / "cache")
    for moment, key in enumerate(("one", "two", "three")):
        cache.keep(key, b"x" * 1000)
        (newest,) = set((tmp_path / "cache").iterdir()) - {file for file in (tmp_path / "cache").iterdir() if file.stat().st_mtime < 10}
        os.utime(newest, (moment, moment))
    assert cache.read("one") == b"x" * 1000
    cache.shrink(max_bytes=2100)
    assert (cache.read("one"), cache.read("two"), cache.read("three")) == (b"x" * 1000, None, b"x" * 1000)


async def test_apply_keeps_the_cache_within_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SoundCache.shrink, "__defaults__", (1,))
    (tmp_path / "sounds").mkdir()
    await make_all_sounds({"acme": TEXTS}, tmp_path / "sounds", SoundCache(tmp_path / "cache"))
    assert sorted(contents(tmp_path / "sounds" / "acme")) == ["a.wav", "b.wav"]
    assert not list((tmp_path / "cache").iterdir())


def test_place_of_the_cache_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/anna")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert users_sound_cache() == Path("/home/anna/.cache/centralka/sounds")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert users_sound_cache() == Path("/home/anna/.cache/centralka/sounds")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache/anna")
    assert users_sound_cache() == Path("/var/cache/anna/centralka/sounds")
