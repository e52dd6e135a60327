"""Who rings: the table of docs/forwarding.md, the stories of other exchanges, and what holds whatever is set."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.call.english import in_english
from routing.call.facts import DeviceState, Facts, Forwarding, Personal
from routing.call.reasons import Why
from routing.call.state import DialEnded, DialStatus, Digits, Origin, Started
from routing.call.step import Dial, ExternalNumber, Hangup
from routing.engine.engine import next_step
from routing.hunt.forwarding import MAX_FORWARDS, Nobody, Passed, Reachable, who_rings
from routing.tenant.tenant import Tenant
from simulator.script import Script, Simulation
from simulator.simulate import simulate
from tests.routing.test_nodes import NOON
from tests.tenants_for_tests import acme, changed, problems

ALWAYS, BUSY, SILENT, AWAY = Forwarding.UNCONDITIONAL, Forwarding.BUSY, Forwarding.NO_ANSWER, Forwarding.UNAVAILABLE
TRUNK = ("menus:", "trunks:\n  carrier: {kind: address, address: 192.0.2.7}\nmenus:")
MOBILE = ("Anna, devices: [desk]", 'Anna, devices: [desk], mobile: "+48600100201", mobile_after_s: 5')
DIRECT = ("{to: main}", '{to: "201"}')
TENANT = acme(TRUNK, DIRECT)
DESK = {extension: (f"acme-{extension}-desk",) for extension in ("201", "202", "203")}


def sets(**forwards: str) -> Personal:
    return Personal(forwards={Forwarding(name): to for name, to in forwards.items()})


def call(
    personal: Mapping[str, Personal], *, tenant: Tenant = TENANT, silent: str = "", states: Mapping[str, DeviceState] | None = None,
    caller: str = "",
) -> Simulation:
    return simulate(tenant, Script(
        Origin.TRUNK, "+48221234567", NOON, states=states or {}, silent=frozenset(silent.split()), personal=personal, caller=caller))


def member(extension: str, personal: Mapping[str, Personal], *, follow: bool = False, devices: Mapping[str, DeviceState] | None = None,
           tenant: Tenant = TENANT) -> Reachable | Passed | Nobody:
    return who_rings(tenant, Facts(NOON, devices=devices or {}, personal=personal), extension, groups=("sales",), follow=follow)


# The table


@pytest.mark.parametrize(("forwards", "states", "silent", "outcome"), [
    (sets(unconditional="202"), {}, "", "answered by 202"),
    (sets(busy="202"), {"201": DeviceState.BUSY}, "", "answered by 202"),
    (sets(no_answer="202"), {}, "201", "answered by 202"),
    (sets(unavailable="202"), {"201": DeviceState.UNAVAILABLE}, "", "answered by 202"),
    (sets(busy="202", unavailable="202"), {}, "201", "message for 201"),
    (sets(unconditional="+48600100200"), {}, "", "answered by +48600100200"),
    (sets(unconditional="600100200"), {}, "", "answered by +48600100200"),
    (sets(unconditional="+48600100200"), {}, "+48600100200", "message for 201"),
    (sets(unconditional="300"), {}, "201", "answered by 202"),
    (Personal(do_not_disturb=True), {}, "", "message for 201"),
    (Personal(do_not_disturb=True, forwards={BUSY: "202"}), {}, "", "answered by 202"),
    (Personal(paused=True, logged_out=True), {}, "", "answered by 201"),
])
def test_call_to_a_user_goes_as_the_table_says(
    forwards: Personal, states: dict[str, DeviceState], silent: str, outcome: str,
) -> None:
    assert call({"201": forwards}, states=states, silent=silent).outcome == outcome


def test_forwards_of_the_file_hold_until_the_user_sets_others() -> None:
    tenant = acme(TRUNK, DIRECT, ("Anna, devices: [desk]", 'Anna, devices: [desk], forwards: {unconditional: "202"}'))
    assert call({}, tenant=tenant).outcome == "answered by 202"
    assert call({"201": sets(unconditional="203")}, tenant=tenant).outcome == "answered by 203"


@pytest.mark.parametrize("to", ["+48500990990", "500990990", "+48700123456", "112", "999", "77777", "*97", "", "201", "+", "x y"])
def test_forward_that_may_not_be_followed_rings_the_user_as_if_it_were_not_set(to: str) -> None:
    tenant = acme(TRUNK, DIRECT, ("voicemails:", 'blacklist: {targets: ["+48700*"]}\nvoicemails:'))
    assert call({"201": sets(unconditional=to)}, tenant=tenant).outcome == "answered by 201"


def test_forward_back_to_the_caller_is_not_followed() -> None:
    assert call({"201": sets(unconditional="+48600100200")}, caller="+48600100200").outcome == "answered by 201"


def test_mobile_rings_later_and_confirms_and_not_for_its_own_call() -> None:
    tenant = acme(TRUNK, DIRECT, MOBILE)
    leg = ExternalNumber("+48600100201", "acme-trunk-carrier", 5, confirm=True, payer="201", permitted=True)
    step = next_step(tenant, Facts(NOON), None, Started(Origin.TRUNK, "+48221234567")).step
    assert step == Dial(DESK["201"], 20, outside=(leg,), vouching="+48221234567")
    own = next_step(tenant, Facts(NOON, caller="+48600100201"), None, Started(Origin.TRUNK, "+48221234567")).step
    assert own == Dial(DESK["201"], 20)


@pytest.mark.parametrize("personal", [
    Personal(do_not_disturb=True), Personal(paused=True), Personal(paused_in=frozenset({"sales"})), Personal(logged_out=True),
    Personal(logged_out_of=frozenset({"sales"}))])
def test_member_who_is_out_is_skipped_by_the_group_and_so_is_the_mobile(personal: Personal) -> None:
    assert isinstance(member("201", {"201": personal}, tenant=acme(TRUNK, MOBILE)), Nobody)


def test_member_who_paused_in_another_group_rings() -> None:
    assert isinstance(member("201", {"201": Personal(paused_in=frozenset({"service"}))}), Reachable)


# What happened elsewhere, and does not here


def test_two_users_who_forward_to_each_other_end_at_a_mailbox_and_stop_no_exchange() -> None:
    """fusionpbx#2481, #2746: 10 forwards to 16, 16 to 10, and FreeSWITCH crashed."""
    found = call({"201": sets(unconditional="202"), "202": sets(unconditional="201")})
    assert found.outcome == "answered by 202"
    found = call({"201": sets(no_answer="202"), "202": sets(no_answer="201")}, silent="201 202")
    assert found.outcome == "message for 202"
    assert len(found.path) < 8


def test_follow_me_inside_a_group_does_not_look_again_for_ever() -> None:
    """fusionpbx#5362: each destination found was looked up for more destinations."""
    around = {"201": sets(unconditional="202"), "202": sets(unconditional="203"), "203": sets(unconditional="201")}
    found = member("201", around, follow=True)
    assert isinstance(found, Reachable)
    assert found.endpoints == DESK["203"]


def test_number_outside_that_a_member_forwards_to_confirms_as_it_would_for_the_member_alone() -> None:
    """fusionpbx#1165: the group ignored the confirmation, and the mobile's voicemail took the call."""
    found = member("201", {"201": sets(unconditional="+48600100200")}, follow=True)
    assert isinstance(found, Reachable)
    assert [leg.confirm for leg in found.outside] == [True]


def test_forward_of_a_phone_without_power_works_through_a_group_that_follows() -> None:
    """fusionpbx#2164: forwards when not registered were lost in ring groups."""
    away = {"acme-201-desk": DeviceState.UNAVAILABLE}
    found = member("201", {"201": sets(unavailable="203")}, follow=True, devices=away)
    assert isinstance(found, Reachable)
    assert found.endpoints == DESK["203"]


def test_voicemail_of_a_member_who_is_not_to_be_disturbed_takes_no_call_from_the_group() -> None:
    """fusionpbx#2756: a member with do not disturb answered by voicemail at once."""
    assert member("201", {"201": Personal(do_not_disturb=True)}) == Nobody(DialStatus.BUSY, Why.NOT_TO_BE_DISTURBED("201"))


def test_user_with_do_not_disturb_is_not_rung_by_a_colleagues_forward() -> None:
    dnd = {"201": sets(unconditional="202"), "202": Personal(do_not_disturb=True)}
    assert call(dnd).outcome == "message for 202"
    assert isinstance(member("201", dnd, follow=True), Nobody)


def test_group_rings_its_members_phones_and_ignores_their_forwards() -> None:
    found = member("201", {"201": sets(unconditional="+48600100200")})
    assert isinstance(found, Reachable)
    assert (found.endpoints, found.outside) == (DESK["201"], ())


def test_extension_that_forwards_everything_does_not_ring_as_well() -> None:
    """FreePBX issue-tracker#1043: follow-me said no, the phone rang for two seconds."""
    found = call({"201": sets(unconditional="+48600100200")})
    assert next(in_english(visit.why) for visit in found.path if visit.node == "201") == "forwards all calls to +48600100200"


def test_forward_to_the_firms_own_public_number_does_not_go_round_through_the_carrier() -> None:
    assert call({"201": sets(unconditional="+48221234567")}).outcome == "answered by 201"
    assert call({"201": sets(unconditional="221234567")}).outcome == "answered by 201"


def test_caller_who_presses_a_key_again_may_reach_the_same_user_again() -> None:
    tenant = acme(("Zofia, devices: [desk]", "Zofia, devices: [desk], missed: main"))
    facts = Facts(NOON)
    state = next_step(tenant, facts, None, Started(Origin.TRUNK, "+48221234567")).state
    for _ in range(3):
        rung = next_step(tenant, facts, state, Digits("3"))
        assert rung.step == Dial(DESK["203"], 20)
        state = next_step(tenant, facts, rung.state, DialEnded(DialStatus.NOANSWER)).state


# Before saving


@pytest.mark.parametrize(("changes", "problem"), [
    ([("Anna, devices: [desk]", 'Anna, devices: [desk], forwards: {busy: "201"}')],
     "users.201: a loop: calls would be passed on from 201 to 201"),
    ([("Anna, devices: [desk]", 'Anna, devices: [desk], forwards: {busy: "202"}'),
      ("Jan, devices: [desk]", 'Jan, devices: [desk], missed: "201"')],
     "users.201: a loop: calls would be passed on from 201 to 202 to 201"),
    ([("Anna, devices: [desk]", 'Anna, devices: [desk], forwards: {no_answer: sales}'), ('"202"], unanswered: mail', '"202"], unanswered: "201"')],
     "users.201: a loop: calls would be passed on from 201 to sales to 201"),
    ([("Anna, devices: [desk]", 'Anna, devices: [desk], forwards: {busy: "+48600100200"}')],
     "users.201.forwards.busy: no trunk leads to +48600100200, expected one in trunks"),
    ([("Anna, devices: [desk]", 'Anna, devices: [desk], mobile: "+48500990990"'), TRUNK],
     "users.201.mobile: +48500990990 may be neither a user nor a target"),
    ([("Anna, devices: [desk]", 'Anna, devices: [desk], forwards: {busy: "+48500990990"}'), TRUNK],
     "users.201.forwards.busy: +48500990990 may be neither a user nor a target"),
    ([("Anna, devices: [desk]", 'Anna, devices: [desk], forwards: {busy: sails}')],
     "users.201.forwards.busy: no element named 'sails' (did you mean 'sales'?)"),
])
def test_forward_that_goes_wrong_is_found_before_it_is_saved(changes: list[tuple[str, str]], problem: str) -> None:
    assert problems(changed(*changes)) == [f"acme.yaml:7 {problem}"]


def test_way_back_that_a_callers_key_decides_is_no_loop() -> None:
    assert problems(changed(("Zofia, devices: [desk]", "Zofia, devices: [desk], missed: main"))) == []


# Whatever is set

_TO = st.sampled_from(["201", "202", "203", "300", "sales", "main", "mail", "+48600100200", "600100200", "+48500990990", "112", "9", ""])
_PERSONAL = st.builds(
    Personal, do_not_disturb=st.booleans(), paused=st.booleans(), logged_out=st.booleans(),
    forwards=st.dictionaries(st.sampled_from(Forwarding), _TO))
_ALL = st.fixed_dictionaries(dict.fromkeys(DESK, _PERSONAL))
_STATES = st.fixed_dictionaries({extension: st.sampled_from(DeviceState) for extension in DESK})


@settings(deadline=None)
@given(_ALL, _STATES, st.sampled_from(["", "201", "202 203", "201 202 203 +48600100200"]), st.sampled_from(["", "+48600100200"]))
def test_call_ends_and_rings_nobody_twice_nobody_who_wants_peace_and_no_forbidden_number(
    personal: dict[str, Personal], states: dict[str, DeviceState], silent: str, caller: str,
) -> None:
    facts = Facts(NOON, caller=caller, personal=personal, devices={DESK[user][0]: state for user, state in states.items()})
    decision = next_step(TENANT, facts, None, Started(Origin.TRUNK, "+48221234567"))
    rung: list[str] = []
    for _ in range(60):
        step = decision.step
        if isinstance(step, Hangup):
            break
        assert len(decision.state.trail) <= MAX_FORWARDS
        assert len(set(decision.state.trail)) == len(decision.state.trail)
        if not isinstance(step, Dial):
            return                                       # a mailbox or a word to the caller
        if decision.state.node in TENANT.users:
            rung += [*step.endpoints, *(leg.number for leg in step.outside)]
            for user, endpoints in DESK.items():
                assert not (personal[user].do_not_disturb and set(endpoints) & set(step.endpoints))
        decision = next_step(TENANT, facts, decision.state, DialEnded(DialStatus.NOANSWER))
    else:
        raise AssertionError("the call does not end")
    assert len(rung) == len(set(rung))
    assert set(rung) <= {*(name for names in DESK.values() for name in names), "+48600100200"}


@settings(deadline=None)
@given(_ALL, _STATES, st.sampled_from(sorted(DESK)), st.booleans())
def test_group_gets_an_answer_for_every_member_and_never_one_who_is_out(
    personal: dict[str, Personal], states: dict[str, DeviceState], extension: str, follow: bool,
) -> None:
    devices = {DESK[user][0]: state for user, state in states.items()}
    found = member(extension, personal, follow=follow, devices=devices)
    assert not isinstance(found, Passed)
    if isinstance(found, Reachable):
        assert found.endpoints or found.outside
        assert all(leg.confirm for leg in found.outside)
        for user, endpoints in DESK.items():
            out = personal[user].do_not_disturb or personal[user].paused or personal[user].logged_out
            assert not (out and set(endpoints) & set(found.endpoints))


@given(st.sampled_from(["112", "999", "998", "997", "+48112"]))
def test_emergency_number_is_neither_barred_nor_the_target_of_a_forward(number: str) -> None:
    tenant = acme(TRUNK, ("voicemails:", 'blacklist: {targets: ["+48*"]}\nvoicemails:'))
    assert tenant.refusal_of(number) == ""
    with pytest.raises(ValueError, match="no number"):
        tenant.destination(number)


# What of a user rings


RINGS = (
    "Anna, devices: [desk]",
    'Anna, devices: [desk, dect], mobile: "+48600100201", rings: {internal: {desk: 0, dect: 5}, direct: {desk: 0, mobile: 9}, '
    "main: {dect: 0}, group: {desk: 3, mobile: 8}}")
LEG = ExternalNumber("+48600100201", "acme-trunk-carrier", 0, confirm=True, payer="201", permitted=True)


def dial(tenant: Tenant, *, dialled: str = "+48221234567", caller: str = "", **devices: DeviceState) -> Dial:
    known = {f"acme-201-{device}": state for device, state in devices.items()}
    origin = Origin.PHONE if caller else Origin.TRUNK
    facts = Facts(NOON, caller, dialled=dialled, devices=known)
    step = next_step(tenant, facts, None, Started(origin, dialled, caller)).step
    assert isinstance(step, Dial)
    return step


@pytest.mark.parametrize(("leads", "dialled", "caller", "endpoints", "delays_s", "after_s"), [
    ("201", "201", "202", ("acme-201-desk", "acme-201-dect"), (0, 5), None),
    ("201", "+48221234567", "", ("acme-201-desk",), (), 9),
    ("202", "+48221234567", "", ("acme-201-dect",), (), None),          # 202 passes the call on to 201
])
def test_kind_of_the_call_decides_what_rings_and_when(
    leads: str, dialled: str, caller: str, endpoints: tuple[str, ...], delays_s: tuple[int, ...], after_s: int | None,
) -> None:
    forward = ("Jan, devices: [desk]", 'Jan, devices: [desk], forwards: {unconditional: "201"}')
    step = dial(acme(TRUNK, ("{to: main}", f'{{to: "{leads}"}}'), RINGS, forward), dialled=dialled, caller=caller)
    assert (step.endpoints, step.delays_s) == (endpoints, delays_s)
    assert step.outside == (() if after_s is None else (replace(LEG, after_s=after_s),))


def test_nobody_waits_for_a_phone_that_is_not_there() -> None:
    tenant = acme(TRUNK, DIRECT, RINGS)
    assert dial(tenant, dialled="201", caller="202", desk=DeviceState.UNAVAILABLE).delays_s == ()
    assert dial(tenant, desk=DeviceState.UNAVAILABLE).outside == (LEG,)


def test_member_rings_as_its_user_wants_it_in_groups() -> None:
    found = member("201", {}, tenant=acme(TRUNK, RINGS))
    assert isinstance(found, Reachable)
    assert (found.endpoints, found.delays_s, found.outside) == (("acme-201-desk",), (0,), (replace(LEG, after_s=5),))


def test_user_whose_only_way_is_the_caller_takes_a_message() -> None:
    only = (RINGS[0], RINGS[1].replace("{desk: 0, mobile: 9}", "{mobile: 0}"))
    assert call({}, tenant=acme(TRUNK, DIRECT, only), caller="+48600100201").outcome == "message for 201"


@pytest.mark.parametrize(("rings", "text"), [
    ("{internal: {phone: 0}}", "rings.internal: found phone, expected some of desk"),
    ("{group: {mobile: 0}}", "rings.group: found mobile, expected some of desk"),
    ("{internal: {desk: 0, dect: 20}}, devices: [desk, dect]", "rings.internal: dect would never ring, expected less than ring_s, 20"),
    ("{nobody: {desk: 0}}", "found 'nobody', expected one of internal, direct, main, group, queue"),
    ("{direct: {}}", "found no entries, expected at least 1"),
    ('{queue: {mobile: 0}}, mobile: "+48600100201"', "rings.queue: found only mobile, expected a device"),
    ("{direct: {mobile: 0}}, devices: [mobile]", "found a device named 'mobile', which is the word for the mobile"),
])
def test_rings_that_cannot_be_are_refused_with_their_line(rings: str, text: str) -> None:
    devices = "" if "devices" in rings else ", devices: [desk]"
    (found, *_) = problems(changed(TRUNK, ("Anna, devices: [desk]", f"Anna, rings: {rings}{devices}")))
    assert found.startswith("acme.yaml:7 users.201")
    assert text in found
