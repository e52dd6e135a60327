"""Tenants' files, read and checked with all that they need: the operator's file, sounds, calendars, and trunks' passwords."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from centralka.cli.known import PLATFORM, this_year
from centralka.settings import Settings
from confgen.publish.calendars import with_events
from confgen.publish.sounds import sound_problems
from confgen.published_tenant import Source
from confgen.secrets import Secrets, load_secrets, password_problems
from routing.check.check import CheckedPlatform, check_platform, check_tenants
from routing.numbering.endpoint import PLATFORM as SHARED
from routing.numbering.value_types import Name
from routing.platform.platform import Platform
from routing.platform.trunks import Carrier
from routing.tenant.tenant import Tenant
from yaml_models.document import Document
from yaml_models.errors import ConfigError, Problem

MAX_FILE_BYTES = 5_000_000
NONE_SAID = Platform()      # used where there is no operator's file


@dataclass(frozen=True, slots=True)
class Sources:
    """Tenants' files as they were at one moment, and the operator's, by folder: `operators_texts` and `platforms`, None where
    the operator's file cannot be used. `problems` are those of reading: a file with one has no text."""

    files: Mapping[str, Path]
    texts: Mapping[str, str]
    operators_texts: Mapping[Path, str]
    platforms: Mapping[Path, CheckedPlatform | None]
    problems: Sequence[Problem]

    def source_of(self, name: str) -> Source:
        """The texts from which the tenant of that file is made."""
        return Source(name, self.texts[name], self.operators_texts.get(self.files[name].parent, ""))

    @property
    def carriers(self) -> dict[Name, Carrier]:
        """Those that the tenants may share."""
        return {name: each for _, platform in self.operators for name, each in platform.carriers.items()}

    @property
    def operators(self) -> list[tuple[Document, Platform]]:
        return [(each.document, each.platform) for each in self.platforms.values() if each and each.document]


@dataclass(frozen=True, slots=True)
class CheckedTenant:
    """A tenant's file. With problems there is only what could be read of the tenant."""

    document: Document
    folder: Path
    tenant: Tenant | None


@dataclass(frozen=True, slots=True)
class Checked:
    """Tenants' files in the order of their names, and all problems. `unchecked`: what could not be looked at, and why; ''
    where everything was."""

    files: list[CheckedTenant]
    problems: list[Problem]
    unchecked: str = ""

    @property
    def tenants(self) -> list[Tenant]:
        return [each.tenant for each in self.files if each.tenant]

    def refuse(self, more: Iterable[Problem] = ()) -> None:
        """Raises ConfigError with all problems, where there are any."""
        if problems := [*self.problems, *more]:
            raise ConfigError(problems)


def read_sources(files: Mapping[str, Path], platform: Platform = NONE_SAID) -> Sources:
    """`platform` is that of a folder without a file of the operator's."""
    texts: dict[str, str] = {}
    operators_texts: dict[Path, str] = {}
    platforms: dict[Path, CheckedPlatform | None] = {}
    problems: list[Problem] = []
    for folder in sorted({file.parent for file in files.values()}):
        file = folder / PLATFORM
        if not file.exists():
            platforms[folder] = CheckedPlatform(None, platform)
            continue
        try:
            operators_texts[folder] = read_text(file, str(file))
            platforms[folder] = check_platform(operators_texts[folder], str(file))
        except ConfigError as error:
            platforms[folder] = None
            problems += error.problems
    for name, path in files.items():
        try:
            texts[name] = read_text(path, name)
        except ConfigError as error:
            problems += error.problems
    return Sources(files, texts, operators_texts, platforms, problems)


def check_call_flows(sources: Sources, names: Iterable[str]) -> Checked:
    """The tenants of these files with their calendars: all that decides calls."""
    platforms = {name: sources.platforms[sources.files[name].parent] for name in names}
    found = check_tenants(
        {name: sources.texts[name] for name in platforms if name in sources.texts},
        {name: each.platform if each else None for name, each in platforms.items()})
    problems = [*sources.problems, *found.problems]
    files: list[CheckedTenant] = []
    year = this_year()
    for each in found.files:
        folder, tenant = sources.files[each.document.file].parent, each.tenant
        try:
            tenant = with_events(tenant, folder, each.document, year) if tenant else None
        except ConfigError as error:
            problems += error.problems
        files.append(CheckedTenant(each.document, folder, tenant))
    return Checked(files, problems)


def check_everything(sources: Sources, names: Iterable[str], settings: Settings) -> Checked:
    """The tenants of these files with their sounds, too, and with the passwords that only carriers know: those are looked up
    where there is an instance."""
    found = check_call_flows(sources, names)
    problems = [*found.problems]
    for each in found.files:
        if each.tenant:
            problems += sound_problems(each.tenant, each.folder, each.document)
    file, why = settings.home / "secrets.json", ""
    try:
        if file.exists():
            problems += _without_password(sources, found, load_secrets(file))
        else:
            why = f"there is no instance in {settings.home}"
    except ConfigError as error:
        problems += error.problems
    except OSError as error:
        why = f"{file} cannot be read ({error.strerror})"
    needs_one = why and any(_without_password(sources, found, Secrets()))
    return Checked(found.files, problems, f"the passwords of trunks were not checked: {why}" if needs_one else "")


def _without_password(sources: Sources, found: Checked, secrets: Secrets) -> Iterator[Problem]:
    for document, platform in sources.operators:
        for name, text in password_problems(secrets, SHARED, platform.carriers):
            yield document.problem(("carriers", name), text)
    for each in found.files:
        if each.tenant:
            for name, text in password_problems(secrets, each.tenant.tenant, each.tenant.trunks):
                yield each.document.problem(("trunks", name), text)


def read_text(path: Path, name: str) -> str:
    """The file's text; errors call it `name`. Raises ConfigError for what cannot be read."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ConfigError([Problem(name, 1, "", f"larger than {MAX_FILE_BYTES // 1_000_000} MB")])
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError([Problem(name, 1, "", f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError:
        raise ConfigError([Problem(name, 1, "", "is not UTF-8 text")]) from None
