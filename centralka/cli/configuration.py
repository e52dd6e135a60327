"""From tenant files on disk to a published revision: check, render, plan, apply."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from centralka.cli.known import PLATFORM, SCENARIOS, Known, KnownTenant, keys, load_known, save_known, this_year
from centralka.settings import Settings
from confgen.publish.asterisk_reload import Asterisk
from confgen.publish.calendars import with_events
from confgen.publish.line_sounds import make_line_sounds
from confgen.publish.publishing import (
    Published,
    earlier_revisions,
    publish,
    published_slugs,
    read_current,
    rendered_part,
    slug_of,
)
from confgen.publish.revision import Revision, current
from confgen.publish.sound_cache import SoundCache
from confgen.publish.sounds import Sound, make_all_sounds, sounds_of
from confgen.published_tenant import Source, published_format, read_published, read_source
from confgen.render.tenant_files import Files, render_platform, render_tenant, without_rows
from confgen.secrets import Secrets, load_secrets, save_secrets, with_missing
from routing.check.check import read_platform, read_tenants
from routing.check.clashes import are_compatible
from routing.numbering.endpoint import PLATFORM as SHARED
from routing.numbering.value_types import Name
from routing.platform.platform import Platform
from routing.platform.trunks import Carrier
from routing.speech.phrases import Language
from routing.tenant.tenant import Tenant
from simulator.behaviour import changed_numbers
from yaml_models.errors import ConfigError, Problem
from yaml_models.suggestion import did_you_mean

MAX_FILE_BYTES = 5_000_000
TENANTS_NAMED = 10          # to somebody who misspelt one
NONE_SAID = Platform()      # where no file says what the operator sells


@dataclass(frozen=True, slots=True)
class Read:
    """Tenants' files, read and checked. `carriers` are those that they share; `kept`: the tenants whose files need not be read;
    `known`: what all of them, and these, are known by afterwards; `sources`: their texts, by the files' names."""

    files: dict[str, Path]
    tenants: Sequence[Tenant]        # in the order of the files' names
    carriers: Mapping[Name, Carrier]
    kept: frozenset[str] = frozenset()
    known: Known = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)


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
class Undone:
    """What a rollback did: tenants that are back, that are gone again, that are as before; of the last the numbers whose calls
    go another way now."""

    published: Published
    back: list[str]
    gone: list[str]
    as_before: list[str]
    numbers: dict[str, tuple[str, ...]]


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
    sources = _sources(files)
    return _checked(files, sources, _platforms(files, sources, platform))


def read_changed(paths: Sequence[Path], settings: Settings) -> Read:
    """The tenants whose files are new or changed since the last apply. Raises ConfigError with all that is wrong."""
    files = tenant_files(paths)
    sources = _sources(files)
    key_of = keys({name: source.text for name, source in sources.items()}, files)
    last, platforms = load_known(settings), _platforms(files, sources)
    changed = {name: path for name, path in files.items() if key_of[name] not in last}
    tenants = _checked(changed, sources, platforms)
    kept = {key_of[name]: last[key_of[name]] for name in files if name not in changed}
    everybody = [*kept.values(), *map(KnownTenant.of, tenants)]
    if len(files) > len(everybody) or not are_compatible(
            (claim for each in everybody for claim in each.claims), (claim for each in everybody for claim in each.avoided)):
        changed, tenants, kept = files, _checked(files, sources, platforms), {}       # which tells who clashes with whom
    known = {key_of[name]: KnownTenant.of(tenant) for name, tenant in zip(sorted(changed), tenants, strict=True)}
    slugs = frozenset(each.tenant for each in kept.values())
    return Read(changed, tenants, _carriers(platforms), slugs, {**kept, **known}, sources)


def _sources(files: Mapping[str, Path]) -> dict[str, Source]:
    """The texts of the tenants' files and of the operator's beside them, each read once. Raises ConfigError with all that
    cannot be read."""
    operators = [folder / PLATFORM for folder in sorted({file.parent for file in files.values()})]
    found = _texts({**files, **{str(file): file for file in operators if file.exists()}})
    return {name: Source(name, found[name], found.get(str(path.parent / PLATFORM), "")) for name, path in files.items()}


def _texts(files: Mapping[str, Path]) -> dict[str, str]:
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    for name, path in files.items():
        try:
            texts[name] = read_text(path, name)
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return texts


def _checked(files: dict[str, Path], sources: Mapping[str, Source], platforms: Mapping[Path, Platform]) -> list[Tenant]:
    names, year = sorted(files), this_year()
    read = read_tenants({name: sources[name].text for name in names}, {name: platforms[files[name].parent] for name in names})
    return [with_events(tenant, files[name].parent, name, year) for name, tenant in zip(names, read, strict=True)]


def _platforms(
    files: Mapping[str, Path], sources: Mapping[str, Source], otherwise: Platform = NONE_SAID,
) -> dict[Path, Platform]:
    """The operator's file of each folder, which says what is sold, allowed and connected. Raises ConfigError."""
    texts = {path.parent: sources[name].platform for name, path in files.items()}
    return {folder: read_platform(text, str(folder / PLATFORM)) if text else otherwise for folder, text in texts.items()}


def _carriers(platforms: Mapping[Path, Platform]) -> dict[Name, Carrier]:
    """Those that tenants of these folders may share."""
    return {name: carrier for platform in platforms.values() for name, carrier in platform.carriers.items()}


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
    tenants = {tenant.tenant: tenant for tenant in load_tenants(tenant_files(paths), platform)}
    if slug in tenants:
        return tenants[slug]
    looked_in = " and ".join(str(path.resolve()) for path in paths)
    named = ", ".join(list(tenants)[:TENANTS_NAMED]) + (", ..." if len(tenants) > TENANTS_NAMED else "")
    raise ValueError(f"no tenant {slug!r} in {looked_in}, expected one of {named}{did_you_mean(slug, tenants)}")


def published_tenants(settings: Settings) -> dict[str, Tenant]:
    """The tenants of the current revision, by slug."""
    return tenants_of(read_current(settings.home))


def render(paths: Sequence[Path], settings: Settings) -> Rendered:
    """Raises ConfigError. Generates secrets that are missing, in memory only."""
    files = tenant_files(paths)
    sources = _sources(files)
    platforms = _platforms(files, sources)
    return render_read(Read(files, _checked(files, sources, platforms), _carriers(platforms), sources=sources), settings)


def render_read(read: Read, settings: Settings) -> Rendered:
    """As `render`, for what was read."""
    secrets = with_missing(load_secrets(settings.home / "secrets.json"), read.tenants, read.carriers)
    rendered = render_platform(read.carriers, secrets)
    sounds: dict[str, tuple[Sound, ...]] = {}
    for (name, path), tenant in zip(sorted(read.files.items()), read.tenants, strict=True):
        tenant_sounds = sounds_of(tenant, path.parent, name)
        names = {prompt: sound.name for prompt, sound in tenant_sounds.items()}
        rendered |= render_tenant(
            tenant, secrets, names, settings.asterisk_home, settings.sip_tls_port > 0, read.sources.get(name))
        sounds[tenant.tenant] = tuple(tenant_sounds.values())
    told = [tenant for tenant in read.tenants if any(queue.announce for queue in tenant.queues.values())]
    line_languages = frozenset(language for tenant in told for language in tenant.languages)
    return Rendered(rendered, secrets, sounds, line_languages, read.kept, read.known)


def tenants_of(files: Files) -> dict[str, Tenant]:
    """The tenants of a revision's files, by slug. Raises ConfigError, ValueError and LookupError."""
    tenants = (read_published(json.loads(text)) for path, text in files.items() if path.startswith("tenants/"))
    return {tenant.tenant: tenant for tenant in tenants}


async def republish(slug: str, secrets: Secrets, settings: Settings, asterisk: Asterisk | None) -> Published:
    """Publishes a published tenant with other secrets; a rollback goes to where it would have gone before. Raises
    AsteriskRefused. To be called inside `locked(home)`."""
    now = current(settings.home)
    slugs = {slug, *without_rows(now)}
    files = _rendered_again(now, slugs, secrets, settings)
    kept = {*published_slugs(settings.home), SHARED} - slugs
    return await publish(settings.home, files, asterisk, kept, earlier_revisions(settings.home))


async def roll_back(settings: Settings, asterisk: Asterisk | None) -> Undone:
    """Makes current what was before the last apply, with today's secrets: what a telephone has been given since still lets it
    in. Raises LookupError when there was nothing, and AsteriskRefused. To be called inside `locked(home)`."""
    names = earlier_revisions(settings.home)
    if not names:
        raise LookupError("there is no earlier revision to go back to")
    now, then = current(settings.home), Revision(settings.home, names[-1])
    changed = {slug_of(path) for path in rendered_part(dict.fromkeys(now.changed(then), ""))} | without_rows(then)
    before, after = (tenants_of({path: each[path] for slug in changed if (path := f"tenants/{slug}.json") in each})
                     for each in (now, then))
    carriers = _carriers_of(then) if SHARED in changed else {}
    secrets = with_missing(load_secrets(settings.home / "secrets.json"), after.values(), carriers)
    kept = {SHARED, *(slug_of(path) for path in then if path.startswith("tenants/"))} - changed
    files = _rendered_again(then, {*after, *changed & {SHARED}}, secrets, settings)
    published = await publish(settings.home, files, asterisk, kept, names[:-1])
    both = sorted(before.keys() & after & {slug_of(path) for path in published.changed})
    numbers = changed_numbers(*({slug: each[slug] for slug in both} for each in (before, after)))
    return Undone(published, sorted(after.keys() - before), sorted(before.keys() - after), both, numbers)


def _carriers_of(revision: Revision) -> dict[Name, Carrier]:
    """Those that the revision's tenants could share."""
    tenants = tenants_of({path: revision[path] for path in revision if path.startswith("tenants/")}).values()
    return {name: carrier for tenant in tenants for name, carrier in tenant.platform.carriers.items()}


def _rendered_again(revision: Revision, slugs: Iterable[str], secrets: Secrets, settings: Settings) -> Files:
    """The files of a revision's tenants, or of SHARED, with other secrets. Raises LookupError where this version of Centralka
    has prompts whose sounds neither that revision nor the current one has."""
    files: Files = {}
    now = current(settings.home)
    for slug in sorted(slugs):
        if slug == SHARED:
            files |= render_platform(_carriers_of(revision), secrets)
            continue
        path = f"tenants/{slug}.json"
        values = json.loads(revision[path])
        tenant = read_published(values)
        # Of what this version says and the one before did not, the current revision has the sounds.
        sounds = {**json.loads(now[path])["sounds"], **values["sounds"]} if path in now else values["sounds"]
        if missing := tenant.all_prompts().keys() - sounds.keys():
            names = ", ".join(sorted(missing))
            raise LookupError(f"{slug} was published by an earlier version, which had no {names}; apply its file")
        files |= render_tenant(
            tenant, secrets, sounds, settings.asterisk_home, settings.sip_tls_port > 0, read_source(values))
    return files


async def apply(rendered: Rendered, settings: Settings, asterisk: Asterisk | None, removed: Collection[str]) -> Published:
    """Makes the sounds, keeps the secrets, publishes. Raises AsteriskRefused, and ValueError when a published tenant has no
    file any more and is not one of `removed`. To be called inside `locked(home)`, the rendering too."""
    gone = published_slugs(settings.home) - rendered.sounds.keys() - rendered.kept - set(removed)
    if gone:
        names = sorted(gone)
        meant = " ".join(f"--remove {name}" for name in names)
        raise ValueError(f"published tenants without a file: {', '.join(names)}; their phones would stop. If meant: {meant}")
    kept = SoundCache(settings.sound_cache) if settings.sound_cache else None
    await make_all_sounds(rendered.sounds, settings.home / "sounds", kept)
    await make_line_sounds(rendered.line_languages, settings.home / "data" / "sounds", kept)
    secrets = settings.home / "secrets.json"
    if rendered.secrets != load_secrets(secrets):
        save_secrets(secrets, rendered.secrets)
    # Rendered by another version from the same files: a rollback goes to where it would have gone before.
    earlier = earlier_revisions(settings.home) if _is_upgrade(rendered, settings, removed) else None
    published = await publish(settings.home, rendered.files, asterisk, rendered.kept, earlier)
    save_known(settings, published.revision, rendered.known)
    return published


def _is_upgrade(rendered: Rendered, settings: Settings, removed: Collection[str]) -> bool:
    """The rendered files replace those of another version, and the tenants' own files are the same."""
    now = current(settings.home)
    paths = {path for path in now if path.startswith("tenants/")}
    if removed or not paths or paths != {path for path in rendered.files if path.startswith("tenants/")}:
        return False
    before, after = ([json.loads(files[path]) for path in sorted(paths)] for files in (now, rendered.files))
    is_other = any(values.get("format") != published_format() for values in before)
    return is_other and all(
        old.get("source") in (None, new["source"]) for old, new in zip(before, after, strict=True))
