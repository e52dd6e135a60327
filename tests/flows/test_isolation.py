"""Two tenants with the same extensions, names, codes and keys: whatever is dialled in one, nothing of the other is reached.

Each decision is also looked at as Asterisk reads it: there every name begins with its tenant's.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import PurePosixPath

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from centralka.cli.configuration import load_tenants, tenant_files
from confgen.render.tenant_files import render_tenant
from confgen.secrets import Secrets, with_missing
from routing.call.facts import Answer, DeviceState, Facts, Forwarding, Personal, Request, Unanswered
from routing.call.state import Awaits, Event, Origin, Started, State
from routing.call.step import PickUp, Step
from routing.engine.engine import next_step
from routing.tenant.tenant import Tenant
from services.asterisk_text import step_text
from tests.examples import examples
from tests.flows.test_random import ANSWERS, answers_to
from tests.live.pbx import TENANTS as LIVE

HOME = PurePosixPath("/srv/x")
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
STRINGS, TOGETHER = 10_000, 50            # in each example so many, since an example by itself takes longer than a call


OWN, FAR = {"alfa": "+4822700010", "beta": "+4822700020"}, {"alfa": "+48600711", "beta": "+48600722"}
TENANTS = {tenant.tenant: tenant for tenant in load_tenants(tenant_files([LIVE / f"{slug}.yaml" for slug in OWN]))}
SOUNDS = {slug: {prompt: prompt for prompt in tenant.all_prompts()} for slug, tenant in TENANTS.items()}
OTHER = {"alfa": "beta", "beta": "alfa"}
EXTENSIONS = ("201", "202", "203")

KEYS = st.text("0123456789*#", max_size=12)
KNOWN = st.sampled_from([
    *EXTENSIONS, *map(str, range(300, 310)), *(f"{OWN[slug]}{i}" for slug in OWN for i in range(10)),
    *(f"{FAR[slug]}{who}" for slug in FAR for who in (*EXTENSIONS, "777", "999")), "112"])
CODES = st.sampled_from([code for code in TENANTS["alfa"].codes.model_dump().values() if isinstance(code, str)] + ["*28"])
DIALLED = KEYS | KNOWN | CODES | st.builds(str.__add__, CODES, KEYS | KNOWN) | st.builds(str.__add__, KNOWN, KEYS)
"""Random digits, numbers of both tenants, codes, codes with something behind."""
FORWARDS = st.dictionaries(st.sampled_from(Forwarding), KNOWN, max_size=2)
PERSONAL = st.dictionaries(st.sampled_from(EXTENSIONS), st.builds(Personal, forwards=FORWARDS), max_size=2)
CALLERS = st.sampled_from(["", *(f"{FAR[slug]}{who}" for slug in FAR for who in ("201", "999"))])
EVENTS = {awaits: st.lists(events, min_size=4, max_size=4) for awaits, events in ANSWERS.items()}
MOST = 12           # steps of one call that are looked at


def test_both_have_the_same_of_everything_but_numbers_outside() -> None:
    alfa, beta = TENANTS.values()
    assert alfa.internal_numbers == beta.internal_numbers
    assert alfa.codes == beta.codes
    assert not set(alfa.numbers) & set(beta.numbers)


def test_rendered_files_of_one_name_nothing_of_the_other() -> None:
    secrets = with_missing(Secrets(), TENANTS.values())
    for slug, tenant in TENANTS.items():
        for path, text in render_tenant(tenant, secrets, SOUNDS[slug], HOME).items():
            assert OTHER[slug] not in text, path
            assert not any(secret in text for owner, secret in secrets.sip.items() if owner.startswith(OTHER[slug])), path


@settings(
    max_examples=examples(STRINGS // TOGETHER), deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(list(TENANTS)), st.lists(st.tuples(DIALLED, st.sampled_from(["", *EXTENSIONS])), min_size=TOGETHER, max_size=TOGETHER),
    PERSONAL, CALLERS, st.dictionaries(st.sampled_from(EXTENSIONS), st.sampled_from(DeviceState)), st.fixed_dictionaries(EVENTS), st.data())
def test_nothing_that_is_dialled_reaches_the_other_tenant(
    slug: str, calls: list[tuple[str, str]], personal: Mapping[str, Personal], caller: str, states: Mapping[str, DeviceState],
    events: Mapping[Awaits, list[Event]], data: st.DataObject,
) -> None:
    devices = {
        endpoint: states.get(extension, DeviceState.IDLE)
        for tenant in TENANTS.values() for extension in EXTENSIONS for endpoint in tenant.endpoints_of(extension)}
    facts = Facts(NOON, devices=devices, personal=personal)
    answers: dict[Request, Answer] = {}
    for i, (dialled, extension) in enumerate(calls):
        call = played(TENANTS[slug], facts, dialled, extension, caller, events, i, answers, data)
        for step in call:
            stays_at_home(TENANTS[slug], step)


def played(
    tenant: Tenant, facts: Facts, dialled: str, extension: str, caller: str, events: Mapping[Awaits, list[Event]], turn: int,
    answers: dict[Request, Answer], data: st.DataObject,
) -> Iterator[Step]:
    """The steps of one call: from outside, without an extension; from a phone; every third of these is transferred by that user."""
    origin = Origin.TRUNK if not extension else Origin.TRANSFER if turn % 3 == 0 else Origin.PHONE
    facts = replace(facts, dialled=dialled, answers=answers, caller=caller)
    if origin is Origin.PHONE:
        facts = replace(facts, caller_extension=extension, caller=extension)
    elif origin is Origin.TRANSFER:
        facts = replace(facts, transferrer=extension)
    event: Event = Started(origin, dialled, facts.caller_extension)
    state: State | None = None
    for i in range(MOST):
        while True:
            try:
                decision = next_step(tenant, facts, state, event)
            except Unanswered as unanswered:
                answers[unanswered.question] = data.draw(answers_to(unanswered.question, tenant))
            else:
                break
        yield decision.step
        state = decision.state
        if state.awaits is Awaits.NOTHING:
            return
        known = events[state.awaits]
        event = known[(turn + i) % len(known)]


def stays_at_home(tenant: Tenant, step: Step) -> None:
    """Of the step as Asterisk reads it: every channel, context, room, line, mailbox and sound is this tenant's. A number outside,
    be it the other tenant's, is called by this tenant's own trunk."""
    slug = tenant.tenant
    text = step_text(step, tenant, SOUNDS[slug], HOME)
    assert OTHER[slug] not in text
    endpoints = {endpoint for extension in tenant.users for endpoint in tenant.endpoints_of(extension)}
    if isinstance(step, PickUp):
        assert set(step.endpoints) <= endpoints
    for channel in re.findall(r"(?:PJSIP|Local)/[^&,()^]+", text):
        assert belongs(channel, slug, endpoints), channel
    for named in re.findall(r"(?:VoiceMail(?:Main)?\(|/(?:sounds|said)/|(?:queue|conference|call_back|move),s,1\(|Goto\()([^,)]+)", text):
        assert re.match(rf"(?:[0-9]+@)?{slug}\b", named), named


def belongs(channel: str, slug: str, endpoints: set[str]) -> bool:
    technology, _, name = channel.partition("/")
    if technology == "PJSIP":
        return name in endpoints or bool(re.fullmatch(rf"\+?[0-9]+@{slug}-trunk-carrier", name))
    later = re.fullmatch(r"[0-9]+-(.+)@later", name)
    return bool(later and later[1] in endpoints) or name.endswith((f"{slug}-trunk-carrier@{slug}-confirm", f"@{slug}-confirm/n"))

