"""Whether tenants' files can be used: each by itself, and all together. Pure."""

import difflib
from collections.abc import Iterable, Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from routing.document import Document, read_document
from routing.engine import START
from routing.errors import ConfigError, Problem
from routing.names import expected_for
from routing.tenant import AddressTrunk, RegistrationTrunk, Tenant

Texts = Mapping[str, str]      # file name -> YAML
MAX_DIAL_CHARACTERS = 7000     # Asterisk reads an AGI line, and an application's arguments, of at most 8191


def read_tenant(text: str, file: str) -> Tenant:
    """One tenant's file. Raises ConfigError with everything that is wrong in it."""
    return _checked(read_document(text, file))


def read_tenants(texts: Texts) -> list[Tenant]:
    """All tenants' files, in the order of their names. Raises ConfigError with everything that is wrong in any of them."""
    problems: list[Problem] = []
    read: list[tuple[Document, Tenant]] = []
    for file in sorted(texts):
        try:
            document = read_document(texts[file], file)
            read.append((document, _checked(document)))
        except ConfigError as error:
            problems += error.problems
    problems += _clashes(read)
    if problems:
        raise ConfigError(problems)
    return [tenant for _, tenant in read]


def _checked(document: Document) -> Tenant:
    try:
        tenant = Tenant.model_validate(document.values)
    except ValidationError as error:
        raise ConfigError([_told(document, detail) for detail in _first_causes(error.errors())]) from None
    rules = (_names, _references, _too_many, _ways_out)
    problems = [problem for rule in rules for problem in rule(document, tenant)]
    if problems:
        raise ConfigError(problems)
    return tenant


def _first_causes(details: list[ErrorDetails]) -> Iterable[ErrorDetails]:
    """Without 'too few items' where the items themselves are what is wrong."""
    paths = [detail["loc"] for detail in details]
    for detail in details:
        where = detail["loc"]
        if detail["type"] != "too_short" or not any(len(path) > len(where) and path[:len(where)] == where for path in paths):
            yield detail


def _told(document: Document, detail: ErrorDetails) -> Problem:
    """pydantic's error in our words: what was found and what was expected."""
    path = tuple(str(part) for part in detail["loc"] if part not in ("[key]", "address", "registration"))
    found = detail["input"]
    context = detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            text = f"unknown key {path[-1]!r}"
        case "missing":
            text = f"{path[-1]!r} is missing"
            path = path[:-1]
        case "string_pattern_mismatch":
            text = f"found {_shown(found)}, expected {expected_for(context['pattern'])}"
        case "value_error":
            text = f"found {_shown(found)}, {context['error']}" if isinstance(found, str) else str(context["error"])
        case _:
            text = f"found {_shown(found)}: {detail['msg'][0].lower()}{detail['msg'][1:]}"
    return document.problem(path, text)


def _shown(value: object) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _names(document: Document, tenant: Tenant) -> Iterable[Problem]:
    """Every element's name once, every internal number once."""
    seen: dict[str, str] = {}
    numbers = dict.fromkeys(tenant.users, "users")
    for section, name, element in tenant.elements():
        if name == START:
            yield document.problem((section, name), f"{START!r} is the system's own word, expected another name")
        if name in seen:
            yield document.problem((section, name), f"{name!r} is also one of {seen[name]}; every element needs its own name")
        seen[name] = section
        if element.extension:
            if element.extension in numbers:
                yield document.problem(
                    (section, name, "extension"),
                    f"extension {element.extension} is already that of {numbers[element.extension]}")
            numbers[element.extension] = f"{section}.{name}"


def _references(document: Document, tenant: Tenant) -> Iterable[Problem]:
    """Nothing dangles: targets, prompts, members, mailboxes."""
    prompts = tenant.all_prompts()
    for did, number in tenant.numbers.items():
        yield from _target(document, tenant, ("numbers", did, "to"), number.to)
    for name, trunk in tenant.trunks.items():
        if isinstance(trunk, RegistrationTrunk) and trunk.number not in tenant.numbers:
            hint = _did_you_mean(trunk.number, tenant.numbers)
            yield document.problem(("trunks", name, "number"), f"{trunk.number} is not one of the tenant's numbers{hint}")
    for extension in tenant.failover.ring:
        yield from _user(document, tenant, ("failover", "ring"), extension)
    if tenant.failover.voicemail:
        yield from _mailbox(document, tenant, ("failover", "voicemail"), tenant.failover.voicemail)
    for extension, user in tenant.users.items():
        for field, target in user.uses().targets:
            yield from _target(document, tenant, ("users", extension, field), target)
    for section, name, element in tenant.elements():
        uses = element.uses()
        for field, target in uses.targets:
            yield from _target(document, tenant, (section, name, *field.split(".")), target)
        for field, prompt in uses.prompts:
            if prompt not in prompts:
                hint = _did_you_mean(prompt, prompts)
                yield document.problem((section, name, *field.split(".")), f"no prompt named {prompt!r}{hint}")
        for field, extension in uses.users:
            check = _mailbox if field == "mailbox" else _user
            yield from check(document, tenant, (section, name, *field.split(".")), extension)
        for field, other, key in uses.settings:
            known = getattr(tenant, other)
            if key not in known:
                yield document.problem((section, name, *field.split(".")), f"no {key!r} in {other}{_did_you_mean(key, known)}")
        for field, switch, position in uses.positions:
            positions = tenant.switches[switch].positions if switch in tenant.switches else (position,)
            if position not in positions:
                found = f"switch {switch} has no position {position!r}, expected one of {', '.join(positions)}"
                yield document.problem((section, name, *field.split(".")), found)


def _too_many(document: Document, tenant: Tenant) -> Iterable[Problem]:
    """What rings together fits into one Dial() step, as Asterisk reads it."""
    ringing: list[tuple[tuple[str, ...], Iterable[str]]] = [(("failover", "ring"), tenant.failover.ring)]
    ringing += [((section, name), [user for _, user in element.uses().users]) for section, name, element in tenant.elements()]
    for path, extensions in ringing:
        known = [extension for extension in extensions if extension in tenant.users]
        devices = [endpoint for extension in known for endpoint in tenant.endpoints_of(extension)]
        length = sum(len(f"&PJSIP/{endpoint}") for endpoint in devices)
        if length > MAX_DIAL_CHARACTERS:
            found = f"{len(devices)} devices are too many to ring: their names make {length} characters"
            yield document.problem(path, f"{found}, at most {MAX_DIAL_CHARACTERS}")


def _target(document: Document, tenant: Tenant, path: tuple[str, ...], target: str) -> Iterable[Problem]:
    if target not in tenant.nodes:
        kind = "user with extension" if target.isdigit() else "element named"
        yield document.problem(path, f"no {kind} {target!r}{_did_you_mean(target, tenant.nodes)}")


def _user(document: Document, tenant: Tenant, path: tuple[str, ...], extension: str) -> Iterable[Problem]:
    if extension not in tenant.users:
        yield document.problem(path, f"no user with extension {extension!r}{_did_you_mean(extension, tenant.users)}")


def _mailbox(document: Document, tenant: Tenant, path: tuple[str, ...], extension: str) -> Iterable[Problem]:
    yield from _user(document, tenant, path, extension)
    if extension in tenant.users and not tenant.users[extension].voicemail:
        yield document.problem(path, f"user {extension} has no voicemail")


def _did_you_mean(name: str, names: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _ways_out(document: Document, tenant: Tenant) -> Iterable[Problem]:
    """From every element a call can come to a human, a mailbox or a spoken end."""
    targets = {name: {target for _, target in node.uses().targets} for name, node in tenant.nodes.items()}
    finished = {name for name, node in tenant.nodes.items() if node.uses().ends}
    grown = True
    while grown:
        new = {name for name in targets.keys() - finished if targets[name] & finished}
        grown = bool(new)
        finished |= new
    for section, name, _ in tenant.elements():
        if name not in finished and targets[name] <= tenant.nodes.keys():
            yield document.problem((section, name), "no way out: from here a call only goes round in circles")


def _clashes(read: list[tuple[Document, Tenant]]) -> Iterable[Problem]:
    """A slug, a public number and a trunk's address belong to one tenant each."""
    owners: dict[str, str] = {}
    for document, tenant in read:
        claims: list[tuple[tuple[str, ...], str]] = [(("tenant",), f"tenant {tenant.tenant}")]
        claims += [(("numbers", did), f"number {did}") for did in tenant.numbers]
        claims += [
            (("trunks", name, "address"), f"trunk address {trunk.address.lower()}")
            for name, trunk in tenant.trunks.items() if isinstance(trunk, AddressTrunk)
        ]
        for path, claim in claims:
            if claim in owners:
                yield document.problem(path, f"{claim} already belongs to {owners[claim]}")
            else:
                owners[claim] = document.file
    # A server that some register at would be taken for the trunk that is known by this address.
    for document, tenant in read:
        for name, trunk in tenant.trunks.items():
            if isinstance(trunk, RegistrationTrunk) and f"trunk address {trunk.server.lower()}" in owners:
                owner = owners[f"trunk address {trunk.server.lower()}"]
                yield document.problem(("trunks", name, "server"), f"{trunk.server} is the address of a trunk in {owner}")
