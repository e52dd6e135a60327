"""Members of groups: their forwards and mobiles, and numbers outside. The stories are those of other exchanges."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.call.english import in_english
from routing.call.facts import DeviceState, Facts, Forwarding, Personal
from routing.call.questions import UserLoad
from routing.call.state import DialStatus, Origin, Started
from routing.call.step import Dial, ExternalNumber
from routing.check.check import read_tenant
from routing.engine.engine import next_step
from routing.hunt.hunting import Algorithm, Seat
from routing.hunt.presence import GroupPresence, presence_in
from routing.tenant.tenant import Tenant
from simulator.behaviour import changed_numbers
from simulator.graph import graph_of
from tests.routing.hunt.test_hunting import NOON, Asked, decide, hunted, rung
from tests.tenants_for_tests import acme, changed, problems

TRUNK = ("menus:", "trunks:\n  carrier: {kind: address, address: 192.0.2.7}\nmenus:")
MEMBERS = 'members: ["201", "202"], unanswered: mail}'
MOBILE = ("Anna, devices: [desk]", 'Anna, devices: [desk], mobile: "+48600100201"')
CARRIER, FAR = "acme-trunk-carrier", "+48600100999"
MOBILE_LEG = ExternalNumber("+48600100201", CARRIER, confirm=True, payer="201", permitted=True)


def firm(group: str, *changes: tuple[str, str]) -> Tenant:
    return acme(TRUNK, (MEMBERS, f"{group}, unanswered: mail}}"), *changes)


def sets(**forwards: str) -> Personal:
    return Personal(forwards={Forwarding(name): to for name, to in forwards.items()})


def first(tenant: Tenant, facts: Facts) -> Dial:
    step = decide(tenant, facts, None, Started(Origin.PHONE, "300", facts.caller_extension), Asked()).step
    assert isinstance(step, Dial)
    return step


def why(tenant: Tenant, facts: Facts) -> str:
    return in_english(decide(tenant, facts, None, Started(Origin.PHONE, "300", "299"), Asked()).path[1].why)


def test_phone_that_two_members_lead_to_rings_once() -> None:
    tenant = firm('forwards: follow, members: ["201", "202", "203"]')
    facts = Facts(NOON, "299", personal={"201": sets(unconditional="203"), "202": sets(unconditional="203")})
    assert first(tenant, facts).endpoints == ("acme-203-desk",)


def test_number_that_two_members_lead_to_is_called_once() -> None:
    tenant = firm(f'forwards: follow, members: ["201", "202", "{FAR}"]')
    facts = Facts(NOON, "299", personal={"201": sets(unconditional=FAR), "202": sets(unconditional="600100999")})
    assert first(tenant, facts).outside == (ExternalNumber(FAR, CARRIER, confirm=True, payer="201"),)


def test_member_who_has_rung_for_another_is_not_rung_for_as_long_again() -> None:
    """The group's ring time counts, and only that, however many members lead to one phone."""
    tenant = firm('algorithm: ordered, forwards: follow, members: ["201", "202", "203"]')
    facts = Facts(NOON, "299", personal={"201": sets(unconditional="203")})
    assert rung(hunted(tenant, facts)) == ["203", "202"]


def test_ring_time_is_the_groups_whatever_the_members_have() -> None:
    tenant = firm('forwards: follow, ring_s: 9, members: ["201"]', ("Zofia, devices: [desk]", "Zofia, devices: [desk], ring_s: 60"))
    assert first(tenant, Facts(NOON, "299", personal={"201": sets(unconditional="203")})).ring_s == 9


def test_mobile_that_would_ring_after_the_groups_time_does_not_ring_at_all() -> None:
    tenant = firm('ring_s: 5, members: ["201"]', (MOBILE[0], MOBILE[1] + ", mobile_after_s: 5"))
    assert first(tenant, Facts(NOON, "299")).outside == ()


def test_mobile_waits_for_the_members_delay_and_its_own() -> None:
    tenant = firm('members: ["202", "201"], delays_s: {"201": 4}', (MOBILE[0], MOBILE[1] + ", mobile_after_s: 3"))
    step = first(tenant, Facts(NOON, "299"))
    assert step.delays_s == (0, 4)
    assert step.outside == (replace(MOBILE_LEG, after_s=7),)


def test_mobile_rings_for_a_member_without_a_phone_and_nobody_waits_for_the_phone() -> None:
    tenant = firm('algorithm: ordered, members: ["201", "202"]', MOBILE)
    away = Facts(NOON, "299", devices={"acme-201-desk": DeviceState.UNAVAILABLE})
    assert first(tenant, away).outside == (MOBILE_LEG,)


def test_mobile_of_a_member_who_is_in_a_call_does_not_ring() -> None:
    tenant = firm('algorithm: ordered, members: ["201", "202"]', MOBILE)
    step = first(tenant, Facts(NOON, "299", devices={"acme-201-desk": DeviceState.IN_USE}))
    assert (step.endpoints, step.outside) == (("acme-202-desk",), ())


def test_members_forward_to_a_group_is_passed_over_and_the_record_says_why() -> None:
    tenant = firm('forwards: follow, members: ["201", "202"]')
    told = why(tenant, Facts(NOON, "299", personal={"201": sets(unconditional="sales")}))
    assert told == "201 forwards all calls to sales, which a group does not follow, rings 202"


@pytest.mark.parametrize(("personal", "reason"), [
    (Personal(do_not_disturb=True), "201 is not to be disturbed"), (Personal(paused=True), "201 is paused"),
    (Personal(logged_out_of=frozenset({"sales"})), "201 is logged out")])
def test_record_says_why_a_member_did_not_ring(personal: Personal, reason: str) -> None:
    assert why(firm('members: ["201", "202"]'), Facts(NOON, "299", personal={"201": personal})) == f"{reason}, rings 202"


def test_loop_of_sixty_forwards_ends_within_one_decision() -> None:
    """fusionpbx#5362: each destination found was looked up for more destinations, until the processor was busy with nothing else."""
    extensions = [str(1000 + i) for i in range(60)]
    users = "".join(f'  "{extension}": {{name: X, devices: [desk]}}\n' for extension in extensions)
    members = ", ".join(f'"{extension}"' for extension in extensions)
    tenant = firm(f"forwards: follow, members: [{members}]", ("numbers:\n", f"{users}numbers:\n"))
    ring = {extension: sets(unconditional=to) for extension, to in zip(extensions, [*extensions[1:], extensions[0]], strict=True)}
    step = first(tenant, Facts(NOON, "299", personal=ring))
    assert len(step.endpoints) == len(set(step.endpoints)) <= 60


def test_who_has_passed_the_call_on_is_not_rung_again_by_the_group_it_came_to() -> None:
    tenant = firm('members: ["201", "202"]', ("{to: main}", '{to: "201"}'))
    facts = Facts(NOON, personal={"201": sets(unconditional="300")})
    step = next_step(tenant, facts, None, Started(Origin.TRUNK, "+48221234567")).step
    assert isinstance(step, Dial)
    assert step.endpoints == ("acme-202-desk",)


# Numbers outside


@pytest.mark.parametrize("algorithm", Algorithm)
def test_every_algorithm_offers_the_call_to_a_number_outside_once_and_it_confirms(algorithm: Algorithm) -> None:
    tenant = firm(f'algorithm: {algorithm}, members: ["{FAR}", "201"]')
    legs = [leg for each in hunted(tenant, Facts(NOON, "299")) if isinstance(each.step, Dial) for leg in each.step.outside]
    assert legs == [ExternalNumber(FAR, CARRIER, confirm=True)]


@pytest.mark.parametrize("algorithm", ["longest_idle", "least_loaded"])
def test_number_outside_comes_after_all_colleagues_where_their_talk_counts(algorithm: str) -> None:
    tenant, asked = firm(f'algorithm: {algorithm}, members: ["{FAR}", "201", "202"]'), Asked({"201": UserLoad(9, 99, 99.0)})
    assert rung(hunted(tenant, Facts(NOON, "299"), asked)) == ["202", "201"]
    dials = [each.step for each in hunted(tenant, Facts(NOON, "299"), asked) if isinstance(each.step, Dial)]
    assert [bool(step.outside) for step in dials] == [False, False, True]


def test_weight_and_delay_count_for_a_number_outside() -> None:
    weighted = firm(f'algorithm: weighted, members: ["201", "{FAR}"], weights: {{"{FAR}": 99}}')
    assert first(weighted, Facts(NOON, "299", chance=0.5)).outside
    late = first(firm(f'members: ["201", "{FAR}"], delays_s: {{"{FAR}": 6}}'), Facts(NOON, "299"))
    assert late.outside == (ExternalNumber(FAR, CARRIER, 6, confirm=True),)


def test_number_outside_is_shown_the_number_that_the_group_says() -> None:
    step = first(firm(f'members: ["{FAR}"], presentation: "+48221234567"'), Facts(NOON, "299"))
    assert (step.shown, step.vouching) == ("+48221234567", "+48221234567")
    assert first(firm(f'members: ["201", "{FAR}"]'), Facts(NOON, "")).vouching == "+48221234567"


def test_refused_number_outside_is_no_colleague_who_was_there() -> None:
    tenant = firm(f'members: ["{FAR}"], all_busy: service')
    decisions = hunted(tenant, Facts(NOON, "299"), status=DialStatus.UNAVAILABLE)
    assert in_english(decisions[-1].path[0].why).endswith("nobody is available, on to mail")


@pytest.mark.parametrize(("members", "more", "problem"), [
    (f'"{FAR}"', [("menus:", "menus:")], f"no trunk leads to {FAR}, expected one in trunks"),
    ('"+48500990990"', [TRUNK], "+48500990990 may be neither a user nor a target"),
    ('"+48221234567"', [TRUNK], "+48221234567 is one of the tenant's own numbers, expected 'main', where its calls go"),
    ('"+48700123456"', [TRUNK, ("voicemails:", 'blacklist: {targets: ["+48700*"]}\nvoicemails:')], "+48700123456 is on the blacklist"),
    ('"600100200"', [TRUNK], "found '600100200', expected the name of an element, an extension, or a number outside as +48600100200"),
])
def test_number_that_may_not_be_called_is_no_member(members: str, more: list[tuple[str, str]], problem: str) -> None:
    (found,) = problems(changed(*more, (MEMBERS, f"members: [{members}], unanswered: mail}}")))
    assert f"groups.sales.members.#1: {problem}" in found


def test_group_of_more_numbers_outside_than_asterisk_can_ring_is_refused() -> None:
    members = ", ".join(f'"+486001{n:05}"' for n in range(80))
    (found,) = problems(changed(TRUNK, (MEMBERS, f"members: [{members}], unanswered: mail}}")))
    assert "groups.sales: too many phones and numbers to ring: their names make" in found


def test_change_of_whom_a_member_forwards_to_is_told_of_the_groups_number() -> None:
    before = changed(TRUNK, (MEMBERS, 'forwards: follow, members: ["201"], unanswered: mail}'),
                     ("Anna, devices: [desk]", 'Anna, devices: [desk], forwards: {unconditional: "203"}'))
    after = before.replace("Zofia, devices: [desk]", "Zofia, devices: [desk, dect]")
    told = changed_numbers({"acme": read_tenant(before, "a")}, {"acme": read_tenant(after, "a")})
    assert "300" in told["acme"]


_TO = st.sampled_from(["201", "202", "203", "300", "sales", "main", FAR, "600100999", "+48500990990", "112", ""])
_PERSONAL = st.dictionaries(st.sampled_from(["201", "202", "203"]), st.builds(
    Personal, do_not_disturb=st.booleans(), paused=st.booleans(), forwards=st.dictionaries(st.sampled_from(Forwarding), _TO)))
_STATES = st.dictionaries(st.sampled_from(["acme-201-desk", "acme-202-desk", "acme-203-desk"]), st.sampled_from(DeviceState))
TENANTS = {
    (algorithm, forwards): firm(f'algorithm: {algorithm}, forwards: {forwards}, members: ["201", "202", "203", "{FAR}"]', MOBILE)
    for algorithm in Algorithm for forwards in ("ignore", "follow")}


@settings(deadline=None)
@given(st.sampled_from(sorted(TENANTS)), _PERSONAL, _STATES, st.floats(0, 1, exclude_max=True))
def test_group_ends_and_rings_no_phone_twice_and_nobody_who_wants_peace(
    which: tuple[Algorithm, str], personal: dict[str, Personal], devices: dict[str, DeviceState], chance: float,
) -> None:
    facts = Facts(NOON, "299", chance=chance, devices=devices, personal=personal)
    dials = [each.step for each in hunted(TENANTS[which], facts) if isinstance(each.step, Dial)]
    legs = [leg for step in dials for leg in (*step.endpoints, *(far.number for far in step.outside))]
    assert len(legs) == len(set(legs))
    assert all(far.confirm for step in dials for far in step.outside)
    for extension, found in personal.items():
        assert not (found.do_not_disturb and f"acme-{extension}-desk" in legs)


def test_picture_tells_the_numbers_outside_that_a_group_rings() -> None:
    (sales,) = [node for node in graph_of(firm(f'members: ["201", "{FAR}"]')).nodes if node.id == "sales"]
    assert f"calls {FAR}" in sales.notes


def test_mobile_does_not_wait_for_a_phone_that_is_away() -> None:
    tenant = firm('algorithm: ordered, ring_s: 5, members: ["201", "202"]', (MOBILE[0], MOBILE[1] + ", mobile_after_s: 5"))
    away = Facts(NOON, "299", devices={"acme-201-desk": DeviceState.UNAVAILABLE})
    assert first(tenant, away).outside == (MOBILE_LEG,)


def test_number_outside_counts_as_free_where_a_rule_asks_for_the_group() -> None:
    seat, colleague = Seat(FAR, ("sales",)), Seat("201", ("sales",))
    away = Facts(NOON, devices={"acme-201-desk": DeviceState.UNAVAILABLE})
    assert presence_in(away, [(seat, ()), (colleague, ("acme-201-desk",))]) is GroupPresence.ANY_FREE
    assert presence_in(away, [(colleague, ("acme-201-desk",))]) is GroupPresence.NOBODY_THERE
