"""Random tenants for property tests: valid ones, with elements of every kind that lead anywhere.

A new kind of element is one function in ELEMENTS, by its section of the tenant's file.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import strategies as st

from routing.check.check import read_tenant
from routing.hunt.hunting import Algorithm
from routing.hunt.ring_rules import CallKind
from routing.platform.platform import Platform
from routing.tenant.tenant import Tenant
from yaml_models.errors import ConfigError

Values = dict[str, object]
KEYS = "0123456789*#"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WITH_MAILBOX, WITHOUT = ("201", "202", "0203"), ("204",)


@dataclass(frozen=True)
class Names:
    """What an element of the tenant may refer to."""

    targets: st.SearchStrategy[str]
    users: st.SearchStrategy[str]
    mailboxes: st.SearchStrategy[str]
    prompts: st.SearchStrategy[str]


def announcement(names: Names) -> st.SearchStrategy[Values]:
    return st.fixed_dictionaries(
        {"prompts": st.lists(names.prompts, min_size=1, max_size=3), "next": names.targets},
        optional={"interruptible": st.just("true"), "days": st.just(["12-24..01-06"])})


def menu(names: Names) -> st.SearchStrategy[Values]:
    return st.fixed_dictionaries({
        "prompt": names.prompts,
        "keys": st.dictionaries(st.sampled_from(KEYS), names.targets, min_size=1, max_size=4),
        "tries": st.integers(1, 3).map(str),
        "direct_dial": st.sampled_from(["true", "false"]),
        "no_key": names.targets,
        "wrong_key": names.targets,
    })


def group(names: Names) -> st.SearchStrategy[Values]:
    return st.fixed_dictionaries({
        "algorithm": st.sampled_from(list(Algorithm)),
        "members": st.lists(names.users | st.just("+48587000003"), min_size=1, max_size=4, unique=True),
        "forwards": st.sampled_from(["ignore", "follow"]),
        "skip_busy": st.sampled_from(["true", "false"]),
        "rounds": st.integers(1, 2).map(str),
        "unanswered": names.targets,
    }, optional={"all_busy": names.targets, "none_available": names.targets, "total_s": st.just("30"), "prompt": names.prompts})


def dial_internal(names: Names) -> st.SearchStrategy[Values]:
    return st.fixed_dictionaries({
        "prompt": names.prompts, "excluded": st.lists(names.users, max_size=2, unique=True), "failed": names.targets})


def directory(names: Names) -> st.SearchStrategy[Values]:
    return st.fixed_dictionaries({
        "by": st.sampled_from(["last", "first", "any"]), "excluded": st.lists(names.users, max_size=2, unique=True),
        "failed": names.targets}, optional={"speech": st.just("true")})


def external(names: Names) -> st.SearchStrategy[Values]:
    return st.fixed_dictionaries(
        {"number": st.just("+48587000001"), "unanswered": names.targets}, optional={"busy": names.targets})


def call_server(names: Names) -> st.SearchStrategy[Values]:
    ask = st.fixed_dictionaries({"prompt": names.prompts})
    return st.fixed_dictionaries(
        {"url": st.just("https://crm.example/"), "next": names.targets, "failed": names.targets},
        optional={"ask": ask, "unanswered": names.targets})


def schedule(names: Names) -> st.SearchStrategy[Values]:
    clock = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 30]))
    window = st.fixed_dictionaries({"days": st.sampled_from(DAYS), "opens": clock, "closes": clock})
    return st.fixed_dictionaries({
        "windows": st.lists(window, min_size=1, max_size=2), "open": names.targets, "closed": names.targets})


def conditions(names: Names) -> st.SearchStrategy[Values]:
    when = st.sampled_from([
        {"share": "50"}, {"caller": {"kinds": ["foreign"]}}, {"caller": {"numbers": ["+48600*"]}}, {"holidays": {}},
        {"switches": {"switche_0": "night"}}, {"users": {"201": "busy"}}, {"groups": {"group_0": "all_busy"}},
        {"dates": ["12-24"]}, {"dialled": ["+48221234567"]}])
    rule = st.fixed_dictionaries({"when": when, "to": names.targets})
    return st.fixed_dictionaries({"rules": st.lists(rule, min_size=1, max_size=3), "otherwise": names.targets})


def switch(names: Names) -> st.SearchStrategy[Values]:
    return st.just({})


def voicemail(names: Names) -> st.SearchStrategy[Values]:
    return st.fixed_dictionaries({"mailbox": names.mailboxes, "greeting": names.prompts})


def queue(names: Names) -> st.SearchStrategy[Values]:
    return st.fixed_dictionaries({
        "strategy": st.sampled_from(["ring_all", "ordered", "random"]),
        "members": st.lists(st.sampled_from(["201", "202"]), min_size=1, max_size=2, unique=True),
        "unanswered": names.targets,
    }, optional={
        "later": st.just([{"after_s": "10", "members": ["204"]}]), "keys": st.dictionaries(st.sampled_from(KEYS), names.targets),
        "empty": names.targets, "full": names.targets, "max_wait_s": st.just("30"), "max_waiting": st.just("2"),
        "prompt": names.prompts, "wait_when_empty": st.just("true")}).map(
            lambda values: values if values.get("max_wait_s") or values.get("keys") else {**values, "wait_when_empty": "false"})


def conference(names: Names) -> st.SearchStrategy[Values]:
    return st.fixed_dictionaries(
        {"wrong_pin": names.targets, "closed": names.targets},
        optional={"pin": st.just("1234"), "moderator_pin": st.just("123456"), "tries": st.just("1")})


def mobile_access(names: Names) -> st.SearchStrategy[Values]:
    return st.fixed_dictionaries({"users": st.just(["201"]), "otherwise": names.targets})


def setting(names: Names) -> st.SearchStrategy[Values]:
    chosen = st.sampled_from([{"name_prefix": "Biuro: "}, {"language": "en"}, {"language": "it", "name_prefix": "x"}])
    return st.builds(lambda what, target: {**what, "next": target}, chosen, names.targets)


def hangup(names: Names) -> st.SearchStrategy[Values]:
    return st.fixed_dictionaries({"prompt": names.prompts}, optional={"cause": st.sampled_from(["busy", "refused"])})


def parking(names: Names) -> st.SearchStrategy[Values]:
    return st.fixed_dictionaries({"slots": st.just("701-703"), "unanswered": names.targets})


ELEMENTS: dict[str, Callable[[Names], st.SearchStrategy[Values]]] = {
    "announcements": announcement,
    "menus": menu,
    "dial_internal": dial_internal,
    "directories": directory,
    "externals": external,
    "call_servers": call_server,
    "groups": group,
    "schedules": schedule,
    "conditions": conditions,
    "switches": switch,
    "voicemails": voicemail,
    "queues": queue,
    "conferences": conference,
    "mobile_accesses": mobile_access,
    "sets": setting,
    "parkings": parking,
    "hangups": hangup,
}
USERS_AND_NUMBERS: dict[str, object] = {"country": "PL", "language": "pl", "timezone": "Europe/Warsaw"}


@st.composite
def tenants(draw: st.DrawFn) -> Tenant:
    """What `centralka check` takes. Of every kind one element or two."""
    elements = {section: [f"{section[:-1]}_{i}" for i in range(draw(st.integers(1, 2)))] for section in ELEMENTS}
    users = (*WITH_MAILBOX, *WITHOUT)
    places = [*users, *(name for names in elements.values() for name in names)]
    names = Names(
        st.sampled_from(places), st.sampled_from(users), st.sampled_from(WITH_MAILBOX),
        st.sampled_from(["hello", "sys_unavailable"]))
    people = {
        extension: {"name": "X", "devices": draw(st.sampled_from([["desk"], ["desk", "dect"]])),
                    "voicemail": str(extension in WITH_MAILBOX)} | draw(st.fixed_dictionaries(
                        {}, optional={
                            "permissions": st.sampled_from([[], ["internal"], ["internal", "mobile", "international"]]),
                            "missed": names.targets, "mobile": st.just(f"+48600000{int(extension):03}"),
                            "rings": st.dictionaries(st.sampled_from(CallKind), st.just({"desk": "2"}) | st.just({"desk": "0"}))}))
        for extension in users
    }
    people["201"]["mobile"] = "+48600000201"
    values = USERS_AND_NUMBERS | {
        "tenant": "acme", "name": "Acme", "users": people, "prompts": {"hello": {"text": "Tak"}},
        "numbers": {"+48221234567": {"to": draw(names.targets)}}, "failover": {"ring": ["201"]}, "codes": {"switches": {"switche_0": "*30"}},
        "plan": {"name": "office_one"}, "trunks": {"carrier": {"kind": "address", "address": "192.0.2.1"}},
        **{section: {name: draw(ELEMENTS[section](names)) for name in found} for section, found in elements.items()},
    }
    for number, (section, found) in enumerate(elements.items()):
        values[section][found[0]]["extension"] = str(300 + number)       # type: ignore[index]
    for number, lot in enumerate(elements["parkings"]):
        values["parkings"][lot]["slots"] = f"7{number}1-7{number}3"       # type: ignore[index]
    try:
        return read_tenant(json.dumps(values), "random.yaml", Platform())
    except ConfigError as error:
        if all("no way out" in problem.text or "loop" in problem.text for problem in error.problems):
            return draw(st.nothing())        # a circle that `check` refuses: another one, please
        raise
