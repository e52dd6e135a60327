"""From tenant files on disk to a published revision: check, render, plan, apply."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from centralka.known import PLATFORM, SCENARIOS, Known, KnownTenant, keys, load_known, save_known, this_year
from centralka.settings import Settings
from confgen.calendars import with_events
from confgen.line_sounds import make_line_sounds
from confgen.publish import Published, publish, published_slugs, read_current, rendered_part
from confgen.reading import Asterisk, changed_paths
from confgen.render import Files, render_platform, render_tenant
from confgen.revision import current
from confgen.secrets import Secrets, load_secrets, save_secrets, with_missing
from confgen.sounds import Sound, make_all_sounds, sounds_of
from routing.behaviour import changed_numbers
from routing.check import read_platform, read_tenants
from routing.clashes import are_compatible
from routing.comparison import MAX_CALLS, Comparison, compare
from routing.endpoint import PLATFORM as SHARED
from routing.errors import ConfigError, Problem
from routing.names import Name
from routing.phrases import Language
from routing.platform import Platform
from routing.tenant import Tenant
from routing.trunks import Carrier

MAX_FILE_BYTES = 5_000_000
NONE_SAID = Platform()      # where no file says what the operator sells


@dataclass(frozen=True, slots=True)
class Read:
    """Tenants' files, read and checked. `carriers` are those that they share; `kept`: the tenants whose files need not be read;
    `known`: what all of them, and these, are known by afterwards."""

    files: dict[str, Path]
    tenants: Sequence[Tenant]        # in the order of the files' names
    carriers: Mapping[Name, Carrier]
    kept: frozenset[str] = frozenset()
    known: Known = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rendered:
    """Everything a publish needs: the files, the secrets they use, the sounds they play (by tenant), and which tenants stay as
    they are."""

    files: Files
    secrets: Secrets
    sounds: dict[str, tuple[Sound, ...]]
    line_languages: frozenset[Language]      # in which somebody who waits in a queue is told the place
    kept: frozenset[str]
    known: Known


@dataclass(frozen=True, slots=True)
class Plan:
    """What an apply would do: files that change, the numbers whose calls would go another way, by tenant, and which of their
    callers end elsewhere; tenants that come and go."""

    changed: tuple[str, ...]
    numbers: dict[str, tuple[str, ...]]
    ends: dict[str, Comparison]
    added: list[str]
    removed: list[str]


def tenant_files(paths: Sequence[Path]) -> dict[str, Path]:
    """The tenants' files below the given files and directories, by the name that errors show.
    Raises ConfigError for what cannot be read."""
    found: dict[str, Path] = {}
    for path in paths:
        files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
        files = [file for file in files if not file.name.endswith(SCENARIOS) and file.name != PLATFORM]
        if not files:
            raise ConfigError([Problem(str(path), 1, "", "found no *.yaml here, expected a file for each tenant")])
        found |= {str(file): file for file in files}
    return found


def load_tenants(files: dict[str, Path], platform: Platform = NONE_SAID) -> list[Tenant]:
    """The checked tenants of the files, in their order, on this platform where their folder says nothing of one. Raises
    ConfigError with all that is wrong."""
    return _checked(files, _texts(files), platform)


def read_changed(paths: Sequence[Path], settings: Settings) -> Read:
    """The tenants whose files are new or changed since the last apply. Raises ConfigError with all that is wrong."""
    files = tenant_files(paths)
    texts = _texts(files)
    key_of, last = keys(texts, files), load_known(settings)
    changed = {name: path for name, path in files.items() if key_of[name] not in last}
    tenants = _checked(changed, texts)
    kept = {key_of[name]: last[key_of[name]] for name in files if name not in changed}
    everybody = [*kept.values(), *map(KnownTenant.of, tenants)]
    if len(files) > len(everybody) or not are_compatible(
            (claim for each in everybody for claim in each.claims), (claim for each in everybody for claim in each.avoided)):
        changed, tenants, kept = files, _checked(files, texts), {}       # which tells who clashes with whom
    known = {key_of[name]: KnownTenant.of(tenant) for name, tenant in zip(sorted(changed), tenants, strict=True)}
    return Read(changed, tenants, load_carriers(files), frozenset(each.tenant for each in kept.values()), {**kept, **known})


def _texts(files: dict[str, Path]) -> dict[str, str]:
    return {name: read_text(path, name) for name, path in files.items()}


def _checked(files: dict[str, Path], texts: Mapping[str, str], platform: Platform = NONE_SAID) -> list[Tenant]:
    names, year = sorted(files), this_year()
    platforms = _platforms(files, platform)
    read = read_tenants({name: texts[name] for name in names}, {name: platforms[files[name].parent] for name in names})
    return [with_events(tenant, files[name].parent, name, year) for name, tenant in zip(names, read, strict=True)]


def _platforms(files: Mapping[str, Path], otherwise: Platform = NONE_SAID) -> dict[Path, Platform]:
    return {folder: load_platform(folder, otherwise) for folder in sorted({file.parent for file in files.values()})}


def load_carriers(files: Mapping[str, Path]) -> dict[Name, Carrier]:
    """Those that the tenants of these files may share. Raises ConfigError."""
    return {name: carrier for platform in _platforms(files).values() for name, carrier in platform.carriers.items()}


def load_platform(folder: Path, otherwise: Platform = NONE_SAID) -> Platform:
    """What the operator sells, allows and connects, by the folder's file if it has one. Raises ConfigError."""
    file = folder / PLATFORM
    return read_platform(read_text(file, str(file)), str(file)) if file.exists() else otherwise


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


def load_tenant(slug: str, paths: Sequence[Path], platform: Platform = NONE_SAID) -> Tenant:
    """The tenant of that name among the checked ones of the files. Raises ConfigError, and ValueError when it is not there."""
    tenants = load_tenants(tenant_files(paths), platform)
    for tenant in tenants:
        if tenant.tenant == slug:
            return tenant
    raise ValueError(f"no tenant {slug!r}, expected one of {', '.join(tenant.tenant for tenant in tenants)}")


def published_tenants(settings: Settings) -> dict[str, Tenant]:
    """The tenants of the current revision, by slug."""
    return _published(read_current(settings.home))


def render(paths: Sequence[Path], settings: Settings) -> Rendered:
    """Raises ConfigError. Generates secrets that are missing, in memory only."""
    files = tenant_files(paths)
    return render_read(Read(files, load_tenants(files), load_carriers(files)), settings)


def render_read(read: Read, settings: Settings) -> Rendered:
    """As `render`, for what was read."""
    secrets = with_missing(load_secrets(settings.home / "secrets.json"), read.tenants, read.carriers)
    rendered = render_platform(read.carriers, secrets)
    sounds: dict[str, tuple[Sound, ...]] = {}
    for (name, path), tenant in zip(sorted(read.files.items()), read.tenants, strict=True):
        tenant_sounds = sounds_of(tenant, path.parent, name)
        names = {prompt: sound.name for prompt, sound in tenant_sounds.items()}
        rendered |= render_tenant(tenant, secrets, names, settings.asterisk_home, settings.sip_tls_port > 0)
        sounds[tenant.tenant] = tuple(tenant_sounds.values())
    told = [tenant for tenant in read.tenants if any(queue.announce for queue in tenant.queues.values())]
    line_languages = frozenset(language for tenant in told for language in tenant.languages)
    return Rendered(rendered, secrets, sounds, line_languages, read.kept, read.known)


def plan(rendered: Rendered, settings: Settings, week: date) -> Plan:
    """`week` is the Monday of the week whose calls are compared."""
    published = rendered_part(read_current(settings.home))
    before, after = _published(published), _published(rendered.files)
    numbers = changed_numbers(before, after)
    both = [slug for slug in numbers if slug in before and slug in after]
    ends = {slug: compare(before[slug], after[slug], week, max_calls=MAX_CALLS // len(both)) for slug in both}
    return Plan(
        changed_paths(published, rendered.files), numbers, ends, sorted(after.keys() - before), sorted(before.keys() - after))


def _published(files: Files) -> dict[str, Tenant]:
    """The tenants of a revision's files, by slug."""

    tenants = (
        Tenant.model_validate(json.loads(text)["tenant"]) for path, text in files.items() if path.startswith("tenants/"))
    return {tenant.tenant: tenant for tenant in tenants}


async def republish(slug: str, secrets: Secrets, settings: Settings, asterisk: Asterisk | None) -> Published:
    """Publishes a published tenant with other secrets. Raises AsteriskRefused. To be called inside `locked(home)`."""
    values = json.loads(current(settings.home)[f"tenants/{slug}.json"])
    tenant = Tenant.model_validate(values["tenant"])
    files = render_tenant(tenant, secrets, values["sounds"], settings.asterisk_home, settings.sip_tls_port > 0)
    return await publish(settings.home, files, asterisk, published_slugs(settings.home) - {slug} | {SHARED})


async def apply(rendered: Rendered, settings: Settings, asterisk: Asterisk | None, removed: Collection[str]) -> Published:
    """Makes the sounds, keeps the secrets, publishes. Raises AsteriskRefused, and ValueError when a published tenant has no
    file any more and is not one of `removed`. To be called inside `locked(home)`, the rendering too."""
    gone = published_slugs(settings.home) - rendered.sounds.keys() - rendered.kept - set(removed)
    if gone:
        names = sorted(gone)
        meant = " ".join(f"--remove {name}" for name in names)
        raise ValueError(f"published tenants without a file: {', '.join(names)}; their phones would stop. If meant: {meant}")
    await make_all_sounds(rendered.sounds, settings.home / "sounds")
    await make_line_sounds(rendered.line_languages, settings.home / "data" / "sounds")
    secrets = settings.home / "secrets.json"
    if rendered.secrets != load_secrets(secrets):
        save_secrets(secrets, rendered.secrets)
    published = await publish(settings.home, rendered.files, asterisk, rendered.kept)
    save_known(settings, published.revision, rendered.known)
    return published
