"""What parts of a tenant's file name is there: elements, users, prompts, musics, switches. Pure."""

from collections.abc import Iterable

from routing.document import Document
from routing.errors import Problem
from routing.nodes.node import Uses
from routing.suggestion import did_you_mean
from routing.tenant import Tenant
from routing.trunks import CarrierTrunk, RegistrationTrunk


def dangling_references(document: Document, tenant: Tenant) -> Iterable[Problem]:
    """Nothing dangles: targets, prompts, members, mailboxes."""
    prompts = tenant.all_prompts()
    for did, number in tenant.numbers.items():
        yield from _target(document, tenant, ("numbers", did, "to"), number.to)
    for name, trunk in tenant.trunks.items():
        if isinstance(trunk, RegistrationTrunk) and trunk.number not in tenant.numbers:
            hint = did_you_mean(trunk.number, tenant.numbers)
            yield document.problem(("trunks", name, "number"), f"{trunk.number} is not one of the tenant's numbers{hint}")
        if isinstance(trunk, CarrierTrunk) and trunk.carrier not in tenant.platform.carriers:
            hint = did_you_mean(trunk.carrier, tenant.platform.carriers)
            text = f"no carrier named {trunk.carrier!r}{hint}, expected one of the carriers in platform.yaml"
            yield document.problem(("trunks", name, "carrier"), text)
    for extension in tenant.failover.ring:
        yield from _user(document, tenant, ("failover", "ring"), extension)
    if tenant.failover.voicemail:
        yield from _mailbox(document, tenant, ("failover", "voicemail"), tenant.failover.voicemail)
    if tenant.blacklist.prompt not in prompts:
        hint = did_you_mean(tenant.blacklist.prompt, prompts)
        yield document.problem(("blacklist", "prompt"), f"no prompt named {tenant.blacklist.prompt!r}{hint}")
    for extension, user in tenant.users.items():
        for field, target in user.uses().targets:
            yield from _target(document, tenant, ("users", extension, *field.split(".")), target)
        yield from _asked(document, tenant, ("users", extension), user.uses())
    if tenant.closed_outside:
        uses = Uses(settings=tuple(tenant.closed_outside.settings()), positions=tuple(
            (f"switches.{switch}", switch, position) for switch, position in tenant.closed_outside.switches.items()))
        yield from _asked(document, tenant, ("closed_outside",), uses)
    for section, name, element in tenant.elements():
        uses = element.uses()
        for field, target in uses.targets:
            yield from _target(document, tenant, (section, name, *field.split(".")), target)
        for field, prompt in uses.prompts:
            if prompt not in prompts:
                hint = did_you_mean(prompt, prompts)
                yield document.problem((section, name, *field.split(".")), f"no prompt named {prompt!r}{hint}")
        for field, internal in uses.numbers:
            if internal not in tenant.internal_numbers:
                hint = did_you_mean(internal, tenant.internal_numbers)
                yield document.problem((section, name, *field.split(".")), f"no internal number {internal!r}{hint}")
        for field, extension in uses.users:
            check = _mailbox if field == "mailbox" else _user
            yield from check(document, tenant, (section, name, *field.split(".")), extension)
        for field, group in uses.groups:
            if group not in tenant.groups:
                hint = did_you_mean(group, [*tenant.groups, *tenant.users])
                yield document.problem((section, name, *field.split(".")), f"no group or user named {group!r}{hint}")
        for field, music in uses.musics:
            if music not in tenant.musics:
                hint = did_you_mean(music, tenant.musics)
                yield document.problem((section, name, *field.split(".")), f"no music named {music!r}{hint}")
        yield from _asked(document, tenant, (section, name), uses)
    if tenant.hold_music and tenant.hold_music not in tenant.musics:
        hint = did_you_mean(tenant.hold_music, tenant.musics)
        yield document.problem(("hold_music",), f"no music named {tenant.hold_music!r}{hint}")
    for group, members in tenant.pickup_groups.items():
        for extension in members:
            yield from _user(document, tenant, ("pickup_groups", group), extension)
    for name, each in tenant.musics.items():
        for i, prompt in enumerate(each.prompts):
            if prompt not in prompts:
                hint = did_you_mean(prompt, prompts)
                yield document.problem(("musics", name, "prompts", str(i)), f"no prompt named {prompt!r}{hint}")


def _asked(document: Document, tenant: Tenant, path: tuple[str, ...], uses: Uses) -> Iterable[Problem]:
    """What rules ask of other sections is there."""
    for field, other, key in uses.settings:
        known = getattr(tenant, other)
        if key not in known:
            yield document.problem((*path, *field.split(".")), f"no {key!r} in {other}{did_you_mean(key, known)}")
    for field, switch, position in uses.positions:
        positions = tenant.switches[switch].positions if switch in tenant.switches else (position,)
        if position not in positions:
            found = f"switch {switch} has no position {position!r}, expected one of {', '.join(positions)}"
            yield document.problem((*path, *field.split(".")), found)


def _target(document: Document, tenant: Tenant, path: tuple[str, ...], target: str) -> Iterable[Problem]:
    if target not in tenant.nodes:
        kind = "user with extension" if target.isdigit() else "element named"
        yield document.problem(path, f"no {kind} {target!r}{did_you_mean(target, tenant.nodes)}")


def _user(document: Document, tenant: Tenant, path: tuple[str, ...], extension: str) -> Iterable[Problem]:
    if extension not in tenant.users:
        yield document.problem(path, f"no user with extension {extension!r}{did_you_mean(extension, tenant.users)}")


def _mailbox(document: Document, tenant: Tenant, path: tuple[str, ...], extension: str) -> Iterable[Problem]:
    yield from _user(document, tenant, path, extension)
    if extension in tenant.users and not tenant.users[extension].voicemail:
        yield document.problem(path, f"user {extension} has no voicemail")
