"""Reads a tenant's file of scenarios, and finds its problems. Pure."""

import re
from collections.abc import Collection, Container, Iterable, Mapping
from zoneinfo import ZoneInfo

from routing.call.facts import NOTHING_SET
from routing.nodes import SYSTEM_NODES
from routing.numbering.endpoint import device_of, read_device
from routing.numbering.value_types import Extension, Name
from routing.tenant.settings import checked_position, with_setting
from routing.tenant.tenant import Tenant
from simulator.scenario import Scenarios
from simulator.scenario_grammar import HangsUp
from simulator.scenario_run import Scene
from yaml_models.document import Document, read_document
from yaml_models.error_recovery import readable
from yaml_models.errors import ConfigError, Problem
from yaml_models.validation import fitted, problems_of

A_NODE = "element or user"


def read_scenarios(text: str, file: str, tenant: Tenant) -> list[Scene]:
    """The scenarios of a tenant's file, with the name used in errors. Raises ConfigError with all problems of the file."""
    document = read_document(text, file)
    content = fitted(document, Scenarios)
    if isinstance(content, list):
        rest = readable(document, Scenarios, content, {})
        more = _references(rest.document, rest.model, tenant, rest.hidden) if rest else ()
        raise ConfigError([*problems_of(document, content), *more])
    problems = list(_references(document, content, tenant))
    if problems:
        raise ConfigError(problems)
    zone = ZoneInfo(tenant.timezone)
    return [
        Scene(tenant, scenario, moment.replace(tzinfo=zone), document, place)
        for place, scenario in enumerate(content.scenarios) if (moment := scenario.call.at or content.at)
    ]


def _references(
    document: Document, content: Scenarios, tenant: Tenant, hidden: Collection[str] = (),
) -> Iterable[Problem]:
    """Every scenario has its own title and a moment, and names only what the tenant has. `hidden` are words in
    unreadable parts."""
    seen: dict[str, int] = {}
    nodes = {*tenant.nodes, *SYSTEM_NODES}
    prompts = set(tenant.all_prompts())
    prompts |= {f"{name}.{to}" for name, prompt in tenant.all_prompts().items() for to in prompt.translations}
    for place, scenario in enumerate(content.scenarios):
        here = ("scenarios", str(place))
        call, expect = scenario.call, scenario.expect
        if scenario.title in seen:
            yield document.problem((*here, "title"), f"{scenario.title!r} is also the title on line {seen[scenario.title]}")
        seen[scenario.title] = document.line_of((*here, "title"))
        if content.at is None and call.at is None and "at" not in hidden:
            yield document.problem((*here, "call"), "'at' is missing: the call has no moment, and its file has none for all")
        if re.fullmatch(r"[0-9]{2,6}", call.caller) and call.caller not in tenant.users:
            yield document.problem((*here, "call", "from"), f"no user with extension {call.caller!r}")
        named: list[tuple[tuple[str, ...], str, Container[str], str]] = []
        devices = {str(device_of(endpoint)) for extension in tenant.users for endpoint in tenant.endpoints_of(extension)}
        for phone in scenario.phones:
            if "-" in phone:
                named.append((("phones", phone), phone, devices, "device"))
                if (owner := read_device(phone).extension) in scenario.phones:
                    yield document.problem((*here, "phones", phone), f"{owner} stands there too, expected it or its devices")
            elif not phone.startswith("+"):
                named.append((("phones", phone), phone, tenant.users, "user with extension"))
        named += [(("given", "turns", group), group, tenant.groups, "group named") for group in scenario.given.turns]
        named += [(("expect", "path", str(i)), node, nodes, A_NODE) for i, node in enumerate(expect.path or ())]
        named += [(("expect", "hears", str(i)), prompt, prompts, "prompt named") for i, prompt in enumerate(expect.hears or ())]
        named += [(("given", "waiting", queue), queue, tenant.queues, "queue named") for queue in scenario.given.waiting]
        named += [(("given", "failing_trunks", str(i)), name, tenant.trunks, "trunk named")
                  for i, name in enumerate(scenario.given.failing_trunks)]
        for word, rooms in (("closed_rooms", scenario.given.closed_rooms), ("guessed_rooms", scenario.given.guessed_rooms)):
            named += [(("given", word, str(i)), room, tenant.conferences, "conference named") for i, room in enumerate(rooms)]
        called = scenario.given.last_callers
        named += [(("given", "last_callers", user), user, tenant.users, "user with extension") for user in called]
        urls = [name for name, calendar in tenant.calendars.items() if calendar.url]
        named += [(("given", "calendars", name), name, urls, "calendar with a url named") for name in scenario.given.calendars]
        named += [(("talk", str(i)), action.by, tenant.users, "user with extension") for i, action in enumerate(scenario.talk)]
        for i, action in enumerate(scenario.caller):
            if isinstance(action, HangsUp):
                named.append((("caller", str(i)), action.node, nodes, A_NODE))
                if i + 1 < len(scenario.caller):
                    yield document.problem((*here, "caller", str(i + 1)), "the caller has hung up before, expected no more")
        for path, name, names, kind in named:
            if name not in names:
                yield document.problem((*here, *path), f"no {kind} {name!r}")
        for path, text in _not_set(tenant, scenario.given.settings, scenario.given.switches):
            yield document.problem((*here, "given", *path), text)
        for path, text in _not_set(tenant, expect.settings, expect.switches):
            yield document.problem((*here, "expect", *path), text)


def _not_set(
    tenant: Tenant, settings: Mapping[Extension, tuple[str, ...]], switches: Mapping[Name, Name],
) -> Iterable[tuple[tuple[str, ...], str]]:
    """Settings and positions that the tenant's users and switches cannot have."""
    for extension, texts in settings.items():
        if extension not in tenant.users:
            yield ("settings", extension), f"no user with extension {extension!r}"
            continue
        for i, text in enumerate(texts):
            try:
                with_setting(tenant, extension, NOTHING_SET, text)
            except ValueError as error:
                yield ("settings", extension, str(i)), str(error)
    for switch, position in switches.items():
        try:
            checked_position(tenant, switch, position)
        except ValueError as error:
            yield ("switches", switch), str(error)
