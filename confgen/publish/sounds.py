"""Prompts as sound files that Asterisk plays: 8 kHz mono, named by what they contain, so that a change never overwrites one."""

import asyncio
import hashlib
import os
import subprocess
import wave
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from confgen.publish.sound_cache import SoundCache
from routing.speech.phrases import Language
from routing.speech.prompts import Prompt, Spoken
from routing.tenant.tenant import Tenant
from yaml_models.errors import ConfigError, Problem

if TYPE_CHECKING:
    from yaml_models.document import Document  # a service makes speech, and reads no YAML

VOICES = {"pl": "pl", "en": "en-gb", "it": "it"}      # espeak-ng's
WORDS_PER_MINUTE = "150"
RATES_HZ = (8000, 16000)
FORMAT, EFFECTS = ("-r", "8000", "-c", "1", "-b", "16"), ("norm", "-3")      # sox's
MAX_FILE_BYTES = 20_000_000
LIMIT_S = 60


@dataclass(frozen=True, slots=True)
class Sound:
    """One prompt to be made: `source` is text to speak, or the bytes of a sound file."""

    name: str              # of the file, without its extension
    source: str | bytes
    language: str


def sounds_of(tenant: Tenant, folder: Path, document: "Document") -> Mapping[str, Sound]:
    """The sound of each prompt of the tenant, by the prompt's name; a translation by a name such as 'welcome.it'. `folder`
    holds its sound files, `document` is its YAML. Raises ConfigError with all that `sound_problems` finds."""
    if problems := sound_problems(tenant, folder, document):
        raise ConfigError(problems)
    sounds: dict[str, Sound] = {}
    for version in _versions_of(tenant, tenant.all_prompts()):
        source = version.spoken.text
        sounds[version.key] = (
            _recorded(version.stem, (folder / str(version.spoken.file)).read_bytes(), version.language) if source is None
            else _said(version.stem, source, version.language))
    return sounds


def sound_problems(tenant: Tenant, folder: Path, document: "Document") -> list[Problem]:
    """One problem for each sound file that is missing, unreadable or of a wrong format."""
    problems: list[Problem] = []
    for version in _versions_of(tenant, tenant.prompts):
        if version.spoken.file is not None:
            try:
                _verify(folder / version.spoken.file)
            except ValueError as error:
                problems.append(document.problem_in(version.path, "file", str(error)))
    return problems


@dataclass(frozen=True, slots=True)
class _Version:
    """A prompt in one language. `path` is its place in the tenant's file; `stem` begins the name of its sound."""

    key: str
    stem: str
    language: Language
    spoken: Spoken
    path: tuple[str, ...]


def _versions_of(tenant: Tenant, prompts: Mapping[str, Prompt]) -> Iterator[_Version]:
    for name, prompt in prompts.items():
        path = ("prompts", name)
        yield _Version(name, name, prompt.language or tenant.language, prompt, path)
        for other, said in prompt.translations.items():
            yield _Version(f"{name}.{other}", f"{name}-{other}", other, said, (*path, "translations", other))


def _recorded(stem: str, source: bytes, language: str) -> Sound:
    return Sound(f"{stem}-{hashlib.sha256(source).hexdigest()[:16]}", source, language)


@lru_cache(maxsize=10_000)
def _said(stem: str, source: str, language: str) -> Sound:
    """Most prompts of all tenants are the system's phrases."""
    content = f"{language}\0{WORDS_PER_MINUTE}\0{source}".encode()
    return Sound(f"{stem}-{hashlib.sha256(content).hexdigest()[:16]}", source, language)


def _verify(path: Path) -> None:
    """Raises ValueError that says what was found and expected."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ValueError(f"{path.name} is larger than {MAX_FILE_BYTES // 1_000_000} MB")
        with wave.open(str(path)) as sound:
            if sound.getframerate() not in RATES_HZ or sound.getnchannels() != 1 or sound.getsampwidth() != 2:
                kind = "mono" if sound.getnchannels() == 1 else "stereo"
                raise ValueError(
                    f"{path.name} is {sound.getframerate()} Hz {kind}, {sound.getsampwidth() * 8} bit; "
                    "a prompt is 8000 or 16000 Hz mono, 16 bit")
    except OSError as error:
        raise ValueError(f"no sound file {path.name} beside the tenant's file ({error.strerror})") from None
    except (wave.Error, EOFError):
        raise ValueError(f"{path.name} is no WAV file of plain samples") from None


async def make_all_sounds(sounds: Mapping[str, Iterable[Sound]], folder: Path, kept: SoundCache | None = None) -> None:
    """Each tenant's, in a folder of its own. Sounds that another tenant has, such as the system's phrases, are linked."""
    there = {own.name: set(os.listdir(own)) for own in (folder / tenant for tenant in sounds) if own.is_dir()}
    missing = [(tenant, sound) for tenant, its_sounds in sounds.items() for sound in its_sounds
               if f"{sound.name}.wav" not in there.get(tenant, ())]
    if not missing:
        return
    known = {file.name: file for own in os.scandir(folder) if own.is_dir() for file in Path(own).glob("*.wav")}
    for tenant, sound in missing:
        target = folder / tenant / f"{sound.name}.wav"
        target.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        if target.name in known:
            os.link(known[target.name], target)
        else:
            await make_sounds([sound], target.parent, kept)
            known[target.name] = target
    if kept:
        kept.shrink()


async def make_sounds(sounds: Iterable[Sound], folder: Path, kept: SoundCache | None = None) -> int:
    """Makes the missing ones, whole or not at all, and returns their number. Needs espeak-ng and sox. Spoken texts are looked
    up and kept in `kept`."""
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    made = 0
    for sound in sounds:
        target = folder / f"{sound.name}.wav"
        if target.exists():
            continue
        raw = folder / f".{sound.name}.raw.wav"
        ready = folder / f".{sound.name}.wav"
        try:
            if isinstance(sound.source, bytes):
                raw.write_bytes(sound.source)
                await _convert(raw, ready)
            else:
                await _speak(sound.source, VOICES[sound.language], raw, ready, kept)
            ready.chmod(0o640)
            ready.rename(target)
        finally:            # where the disk is full, they would keep it so
            raw.unlink(missing_ok=True)
            ready.unlink(missing_ok=True)
        made += 1
    return made


async def _speak(text: str, voice: str, raw: Path, ready: Path, kept: SoundCache | None) -> None:
    speaks = ["espeak-ng", "-v", voice, "-s", WORDS_PER_MINUTE]
    key = "\0".join([*_versions(), *speaks, *FORMAT, *EFFECTS, text]) if kept else ""
    if kept and (sound := kept.read(key)) is not None:
        ready.write_bytes(sound)
        return
    await _run([*speaks, "-w", str(raw), "--stdin"], text)
    await _convert(raw, ready)
    if kept:
        kept.keep(key, ready.read_bytes())


async def _convert(raw: Path, ready: Path) -> None:
    await _run(["sox", str(raw), *FORMAT, str(ready), *EFFECTS])


@cache
def _versions() -> tuple[str, ...]:
    """Of the programs that speak and convert. Raises OSError where one is missing."""
    return tuple(
        subprocess.run([program, "--version"], capture_output=True, text=True, timeout=LIMIT_S, check=False).stdout
        for program in ("espeak-ng", "sox"))


async def _run(arguments: list[str], text: str = "") -> None:
    process = await asyncio.create_subprocess_exec(
        *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE)
    try:
        async with asyncio.timeout(LIMIT_S):
            _, errors = await process.communicate(text.encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise OSError(f"{arguments[0]} ended with {process.returncode}: {errors.decode(errors='replace').strip()[:200]}")
