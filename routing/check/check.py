"""The check of tenants' files: each by itself, and all together. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from routing.check.clashes import carrier_clashes, clashes, mobile_problems
from routing.check.equipment_check import equipment_problems
from routing.check.group_limits import too_many
from routing.check.references import dangling_references
from routing.engine.entry import START
from routing.hunt.hunting import MAX_MEMBERS, loop_of
from routing.nodes import SYSTEM_NODES
from routing.nodes.node import Uses
from routing.numbering.endpoint import PLATFORM
from routing.numbering.numbers import is_emergency
from routing.platform.platform import Platform
from routing.platform.subscription import exceeded, unknown_terms
from routing.tenant.forward_loops import forward_loops
from routing.tenant.routes import twice
from routing.tenant.tenant import Tenant
from yaml_models.document import Document, Value, read_document
from yaml_models.error_recovery import readable
from yaml_models.errors import ConfigError, Problem
from yaml_models.suggestion import did_you_mean
from yaml_models.validation import Misfit, fitted, problems_of, validated

Texts = Mapping[str, str]      # file name -> YAML
WITHOUT_BRAKE = Platform(brake=None)      # for a tenant that is read by itself
NO_PLATFORMS: Mapping[str, Platform] = {}
NOBODY = "00"
STAND_INS: Mapping[str, Value] = {
    "tenant": "tenant", "name": "Tenant", "country": "PL", "language": "en", "timezone": "UTC", "failover": {"ring": [NOBODY]}}
"""Entries that every tenant has, for the check of a file in which they do not fit."""


def read_platform(text: str, file: str) -> Platform:
    """The platform. Raises ConfigError with all problems of the file."""
    return check_platform(text, file).platform


@dataclass(frozen=True, slots=True)
class CheckedPlatform:
    """The operator's file; None where there is no file."""

    document: Document | None
    platform: Platform


def check_platform(text: str, file: str) -> CheckedPlatform:
    """The operator's file, checked. Raises ConfigError with all its problems."""
    document = read_document(text, file)
    platform = validated(document, Platform)
    if problems := list(carrier_clashes(document, platform)):
        raise ConfigError(problems)
    return CheckedPlatform(document, platform)


def read_tenant(text: str, file: str, platform: Platform = WITHOUT_BRAKE) -> Tenant:
    """One tenant's file. Raises ConfigError with all its problems."""
    return read_tenants({file: text}, {file: platform})[0]


def read_tenants(texts: Texts, platforms: Mapping[str, Platform] = NO_PLATFORMS) -> list[Tenant]:
    """All tenants' files, in the order of their names. `platforms` are by the tenant's file. Raises ConfigError with all
    problems of all files."""
    found = check_tenants(texts, {file: platforms.get(file, WITHOUT_BRAKE) for file in texts})
    if found.problems:
        raise ConfigError(found.problems)
    return [each.tenant for each in found.files if each.tenant]


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A tenant's file. If it has problems, only the readable parts are present."""

    document: Document
    tenant: Tenant | None


@dataclass(frozen=True, slots=True)
class CheckedFiles:
    """All files that are YAML, in the order of their names, and the problems of all files."""

    files: list[CheckedFile]
    problems: list[Problem]


def check_tenants(texts: Texts, platforms: Mapping[str, Platform | None]) -> CheckedFiles:
    """`platforms` are by the tenant's file; None where the operator's file cannot be used."""
    files: list[CheckedFile] = []
    problems: list[Problem] = []
    for file in sorted(texts):
        try:
            document = read_document(texts[file], file)
        except ConfigError as error:
            problems += error.problems
            continue
        found, own_problems = _checked(document, platforms[file])
        files.append(found)
        problems += own_problems
    problems += clashes([(each.document, each.tenant) for each in files if each.tenant])
    return CheckedFiles(files, problems)


def _checked(document: Document, platform: Platform | None) -> tuple[CheckedFile, list[Problem]]:
    found = fitted(document, Tenant)
    if isinstance(found, list):
        if platform:
            return _checked_in_part(document, platform, found)
        return CheckedFile(document, None), problems_of(document, found)
    if platform is None:
        return CheckedFile(document, found), []          # most rules need the operator's plans and carriers
    tenant = _on(platform, found)
    rules = (
        _own_platform, _names, dangling_references, _mobiles, _memberships, _outside, _routes, _terms, _emergency, _codes,
        too_many, _ways_out, _loops, equipment_problems)
    return CheckedFile(document, tenant), [problem for rule in rules for problem in rule(document, tenant)]


def _checked_in_part(document: Document, platform: Platform, misfits: list[Misfit]) -> tuple[CheckedFile, list[Problem]]:
    """Problems that are certain even if other parts do not fit: repeated names, and unknown names."""
    problems = problems_of(document, misfits)
    rest = readable(document, Tenant, misfits, STAND_INS)
    if rest is None:
        return CheckedFile(document, None), problems
    tenant = _on(platform, rest.model)
    rules = (_own_platform, _names, _memberships, _loops)
    problems += [problem for rule in rules for problem in rule(rest.document, tenant)]
    problems += dangling_references(rest.document, tenant, rest.hidden | {NOBODY})
    return CheckedFile(rest.document, None if "tenant" in rest.filled else tenant), problems


def _on(platform: Platform, tenant: Tenant) -> Tenant:
    """The tenant as a customer of the platform: with its carriers, where the file has no trunks."""
    trunks = tenant.trunks if "trunks" in tenant.model_fields_set else platform.trunks()
    return tenant.model_copy(update={"platform": platform, "trunks": trunks})


def _own_platform(document: Document, tenant: Tenant) -> Iterable[Problem]:
    """Only the operator's file defines the offer and limits of the platform."""
    if "platform" in document.values:
        yield document.problem(("platform",), "unknown section 'platform'")


def _names(document: Document, tenant: Tenant) -> Iterable[Problem]:
    """Element names and internal numbers are unique."""
    if tenant.tenant == PLATFORM:
        yield document.problem(("tenant",), f"{PLATFORM!r} is the system's own word, expected another name")
    seen: dict[str, str] = {}
    numbers = dict.fromkeys(tenant.users, "users")
    for section, name, element in tenant.elements():
        if name in {START, *SYSTEM_NODES}:
            yield document.problem((section, name), f"{name!r} is the system's own word, expected another name")
        if name in seen:
            yield document.problem((section, name), f"{name!r} is also one of {seen[name]}; every element needs its own name")
        seen[name] = section
        for number in element.inner_nodes(name):
            if number in numbers:
                found = f"{element.inner_field.removesuffix('s')} {number} is already the extension of {numbers[number]}"
                yield document.problem((section, name, element.inner_field), found)
            numbers[number] = f"{section}.{name}"
        if element.extension:
            if element.extension in numbers:
                yield document.problem(
                    (section, name, "extension"),
                    f"extension {element.extension} is already that of {numbers[element.extension]}")
            numbers[element.extension] = f"{section}.{name}"


def _memberships(document: Document, tenant: Tenant) -> Iterable[Problem]:
    """No group is a member of itself, directly or through other groups, and none is too large with its member groups."""
    members = {name: group.members for name, group in tenant.groups.items()}
    for name in members:
        if loop := loop_of(name, members):
            yield document.problem(("groups", name, "members"), f"the group is a member of itself: {' > '.join(loop)}")
        elif len(tenant.seats_of(name)) > MAX_MEMBERS:
            found = f"found {len(tenant.seats_of(name))} members, those of its groups among them"
            yield document.problem(("groups", name, "members"), f"{found}, expected at most {MAX_MEMBERS}")


def _mobiles(document: Document, tenant: Tenant) -> Iterable[Problem]:
    mobiles = {extension: user.mobile for extension, user in tenant.users.items() if user.mobile}
    return mobile_problems(document, tenant.mobile_accesses, mobiles)


def _outside(document: Document, tenant: Tenant) -> Iterable[Problem]:
    """External numbers may be called, and a trunk carries them."""
    places: list[tuple[tuple[str, ...], Uses]] = []
    places += [(("users", extension), user.uses()) for extension, user in tenant.users.items()]
    places += [((section, name), element.uses()) for section, name, element in tenant.elements()]
    for path, uses in places:
        for field, number in uses.outside:
            where = (*path, *field.split("."))
            if refusal := tenant.refusal_of(number):
                yield document.problem(where, f"{number} {refusal}")
            if number in tenant.numbers:
                to = tenant.numbers[number].to
                text = f"{number} is one of the tenant's own numbers, expected {to!r}, where its calls go"
                yield document.problem(where, text)
            if not tenant.trunks:
                yield document.problem(where, f"no trunk leads to {number}, expected one in trunks")
            elif not tenant.numbers:
                yield document.problem(where, f"no number can be shown to {number}, expected one in numbers")


def _terms(document: Document, tenant: Tenant) -> Iterable[Problem]:
    """Users have existing types, and the tenant stays within its plan."""
    types = tenant.platform.extension_types
    for extension, user in tenant.users.items():
        if user.type not in types:
            hint = did_you_mean(user.type, types)
            yield document.problem(("users", extension, "type"), f"no extension type named {user.type!r}{hint}")
    if tenant.plan is None:
        return
    unknown = list(unknown_terms(tenant.plan, tenant.platform))
    for path, text in unknown:
        yield document.problem(("plan", *path), text)
    if not unknown:
        for section, text in exceeded(tenant.plan, tenant.terms, len(tenant.main_numbers), len(tenant.users)):
            yield document.problem((section,), text)


def _routes(document: Document, tenant: Tenant) -> Iterable[Problem]:
    """Each class of calls has one route."""
    for place, call_class in twice(tenant.routes):
        yield document.problem(("routes", str(place), "classes"), f"{call_class} calls have a route already")


def _emergency(document: Document, tenant: Tenant) -> Iterable[Problem]:
    """No list contains an emergency number, and no internal number has the digits of one: it could never be reached."""
    paths: dict[str, tuple[str, ...]] = {extension: ("users", extension) for extension in tenant.users}
    for section, name, element in tenant.elements():
        if element.extension:
            paths[element.extension] = (section, name, "extension")
        paths |= dict.fromkeys(element.inner_nodes(name), (section, name, element.inner_field))
    for number, path in paths.items():
        if is_emergency(number, tenant.country):
            expected = "another extension" if path[0] == "users" or path[-1] == "extension" else f"other {path[-1]}"
            yield document.problem(path, f"{number} is an emergency number, expected {expected}")
    for field, patterns in (("callers", tenant.blacklist.callers), ("targets", tenant.blacklist.targets)):
        for i, pattern in enumerate(patterns):
            if is_emergency(pattern, tenant.country):
                text = f"{pattern} is an emergency number, which nothing can block"
                yield document.problem(("blacklist", field, str(i)), text)


def _codes(document: Document, tenant: Tenant) -> Iterable[Problem]:
    for path, text in tenant.codes.problems(tenant.switches):
        yield document.problem(("codes", *path), text)


def _ways_out(document: Document, tenant: Tenant) -> Iterable[Problem]:
    """From every element a call can reach a person, a mailbox or a spoken end."""
    targets = {name: set(tenant.targets_of(node)) for name, node in tenant.nodes.items()}
    finished = {name for name, node in tenant.nodes.items() if node.uses().ends}
    grown = True
    while grown:
        new = {name for name in targets.keys() - finished if targets[name] & finished}
        grown = bool(new)
        finished |= new
    for section, name, _ in tenant.elements():
        if name not in finished and targets[name] <= tenant.nodes.keys():
            yield document.problem((section, name), "no way out: from here a call only goes round in circles")


def _loops(document: Document, tenant: Tenant) -> Iterable[Problem]:
    for loop in forward_loops(tenant):
        text = f"a loop: calls would be passed on from {' to '.join((*loop, loop[0]))}"
        yield document.problem(("users", loop[0]), text)
