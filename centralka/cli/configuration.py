"""From tenant files on disk to a published revision: check, render, plan, apply."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from centralka.cli.checking import NONE_SAID, Checked, Sources, check_call_flows, check_everything, read_sources
from centralka.cli.known import PLATFORM, SCENARIOS, Known, KnownTenant, keys, load_known, save_known
from centralka.settings import Settings
from confgen.publish.asterisk_reload import Asterisk
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
from routing.check.clashes import are_compatible
from routing.numbering.endpoint import PLATFORM as SHARED
from routing.numbering.value_types import Name
from routing.platform.platform import Platform
from routing.platform.trunks import Carrier
from routing.speech.phrases import Language
from routing.tenant.tenant import Tenant
from simulator.behaviour import changed_numbers
from yaml_models.document import Document
from yaml_models.errors import ConfigError, Problem
from yaml_models.suggestion import did_you_mean

TENANTS_NAMED = 10          # to somebody who misspelt one
NOBODY_KEPT: Known = {}


@dataclass(frozen=True, slots=True)
class Configuration:
    """Tenants' files, read and checked. `carriers` are those that they share; `kept`: the tenants whose files need not be read;
    `known`: what all of them, and these, are known by afterwards."""

    files: dict[str, Path]
    tenants: Sequence[Tenant]        # in the order of the files' names
    documents: Sequence[Document]    # in the same order
    carriers: Mapping[Name, Carrier]
    kept: frozenset[str] = frozenset()
    known: Known = field(default_factory=dict)
    unchecked: str = ""              # what could not be checked, and why
    sources: Mapping[str, Source] = field(default_factory=dict)      # by the files' names


@dataclass(frozen=True, slots=True)
class Rendered:
    """Everything a publish needs: the files, the secrets they use, the sounds they play (by tenant), and which tenants stay as
    they are."""

    files: Files
    secrets: Secrets
    sounds: dict[str, tuple[Sound, ...]]
    line_languages: frozenset[Language]      # languages in which queues announce a caller's position
    kept: frozenset[str]
    known: Known


@dataclass(frozen=True, slots=True)
class Undone:
    """Result of a rollback: tenants restored, removed and unchanged; for the unchanged ones, the numbers whose calls
    are routed differently now."""

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
    ConfigError with all that is wrong in what decides calls."""
    checked = check_call_flows(read_sources(files, platform), files)
    checked.refuse()
    return checked.tenants


def read_all(paths: Sequence[Path], settings: Settings, removed: Collection[str] | None = None) -> Configuration:
    """All tenants of the files. Raises ConfigError with all that an apply would refuse; with `removed`, published tenants
    without a file that are not among these, too."""
    sources = read_sources(tenant_files(paths))
    return _read(sources, check_everything(sources, sources.files, settings), paths, settings, removed)


def read_changed(paths: Sequence[Path], settings: Settings, removed: Collection[str] | None = None) -> Configuration:
    """As `read_all`, but only the tenants whose files are new or changed since the last apply, unless something is wrong."""
    sources = read_sources(tenant_files(paths))
    key_of, last = keys(sources.texts, sources.files), load_known(settings)
    kept = {name: last[key_of[name]] for name in sources.texts if key_of[name] in last}
    checked = check_everything(sources, sources.files.keys() - kept.keys(), settings)
    everybody = [*{key_of[name]: each for name, each in kept.items()}.values(), *map(KnownTenant.of, checked.tenants)]
    if checked.problems or len(sources.files) > len(everybody) or not are_compatible(
            (claim for each in everybody for claim in each.claims), (claim for each in everybody for claim in each.avoided)):
        kept, checked = {}, check_everything(sources, sources.files, settings)      # which names the tenants that clash
    read = _read(sources, checked, paths, settings, removed, kept)
    known = {each.document.file: KnownTenant.of(each.tenant) for each in checked.files if each.tenant}
    return replace(read, known={key_of[name]: each for name, each in (kept | known).items()})


def _read(
    sources: Sources, checked: Checked, paths: Sequence[Path], settings: Settings, removed: Collection[str] | None,
    kept: Mapping[str, KnownTenant] = NOBODY_KEPT,
) -> Configuration:
    slugs = {tenant.tenant for tenant in checked.tenants} | {each.tenant for each in kept.values()}
    is_lost = removed is not None and len(checked.tenants) + len(kept) == len(sources.files)
    checked.refuse(_lost(paths, settings, slugs | {*(removed or ())}) if is_lost else ())
    files = {each.document.file: sources.files[each.document.file] for each in checked.files}
    return Configuration(files, checked.tenants, [each.document for each in checked.files], sources.carriers,
                frozenset(each.tenant for each in kept.values()), unchecked=checked.unchecked,
                sources={name: sources.source_of(name) for name in files})


def _lost(paths: Sequence[Path], settings: Settings, expected: Collection[str]) -> Iterator[Problem]:
    if gone := sorted(published_slugs(settings.home) - {*expected}):
        yield Problem(", ".join(map(str, paths)), 1, "", without_file(gone))


def without_file(gone: Sequence[str]) -> str:
    meant = " ".join(f"--remove {name}" for name in gone)
    return f"published tenants without a file: {', '.join(gone)}; their phones would stop. If meant: {meant}"


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
    return render_read(read_all(paths, settings), settings)


def render_read(read: Configuration, settings: Settings) -> Rendered:
    """As `render`, for what was read."""
    secrets = with_missing(load_secrets(settings.home / "secrets.json"), read.tenants, read.carriers)
    rendered = render_platform(read.carriers, secrets)
    sounds: dict[str, tuple[Sound, ...]] = {}
    for (name, path), tenant, document in zip(sorted(read.files.items()), read.tenants, read.documents, strict=True):
        tenant_sounds = sounds_of(tenant, path.parent, document)
        names = {prompt: sound.name for prompt, sound in tenant_sounds.items()}
        rendered |= render_tenant(
            tenant, secrets, names, settings.asterisk_home, settings.sip_tls_port > 0, read.sources.get(name),
            settings.media_address)
        sounds[tenant.tenant] = tuple(tenant_sounds.values())
    announcing = [tenant for tenant in read.tenants if any(queue.announce for queue in tenant.queues.values())]
    line_languages = frozenset(language for tenant in announcing for language in tenant.languages)
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
            tenant, secrets, sounds, settings.asterisk_home, settings.sip_tls_port > 0, read_source(values),
            settings.media_address)
    return files


async def apply(rendered: Rendered, settings: Settings, asterisk: Asterisk | None, removed: Collection[str]) -> Published:
    """Makes the sounds, keeps the secrets, publishes. Raises AsteriskRefused, and ValueError when a published tenant has no
    file any more and is not one of `removed`. To be called inside `locked(home)`, the rendering too."""
    gone = published_slugs(settings.home) - rendered.sounds.keys() - rendered.kept - set(removed)
    if gone:
        raise ValueError(without_file(sorted(gone)))
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
