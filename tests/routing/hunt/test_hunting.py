"""Each algorithm offers a call to those who may ring, each once, in the order that it promises."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.call.effects import Offer, Turn, Withdraw
from routing.call.english import in_english
from routing.call.facts import Answer, DeviceState, Facts, Personal, Request, Unanswered
from routing.call.questions import Loads, UserLoad
from routing.call.state import Decision, DialEnded, DialStatus, Event, Origin, Played, Started, State
from routing.call.step import Dial, Play
from routing.engine.engine import next_step
from routing.hunt.hunting import Algorithm, Progress, Seat, by_idleness, by_load, drawn, loop_of, rotated, seats
from routing.numbering.endpoint import device_of
from routing.tenant.tenant import Tenant
from tests.tenants_for_tests import acme, changed, problems

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
EXTENSIONS = tuple(str(extension) for extension in range(201, 209))
NO_ANSWER = DialEnded(DialStatus.NOANSWER)


def firm(group: str, *more: str) -> Tenant:
    """Acme with users 201 to 208, whose group 300 is `group`, and more groups."""
    users = "".join(f'  "{extension}": {{name: X, devices: [desk]}}\n' for extension in EXTENSIONS[3:])
    rows = "".join(f"  {row}\n" for row in more)
    return acme(
        ("numbers:\n", f"{users}numbers:\n"), ("groups:\n", f"groups:\n{rows}"),
        ('sales: {extension: "300", members: ["201", "202"], unanswered: mail}',
         f'sales: {{extension: "300", {group}}}\n  spare: {{members: ["201"], unanswered: mail}}'))


def of_all(algorithm: str, more: str = "") -> Tenant:
    members = ", ".join(f'"{extension}"' for extension in EXTENSIONS)
    return firm(f"algorithm: {algorithm}, members: [{members}], unanswered: mail{more}")


class Asked:
    """Answers as Redis does; `turn` counts on over calls."""

    def __init__(self, loads: dict[str, UserLoad] | None = None) -> None:
        self.loads, self.turn, self.offers = loads or {}, 0, list[Offer]()

    def answer(self, question: Request) -> Answer:
        match question:
            case Turn():
                self.turn += 1
                return self.turn - 1
            case Loads(extensions=extensions):
                return tuple(self.loads.get(extension, UserLoad()) for extension in extensions)
            case Offer():
                self.offers.append(question)
                return 0
            case Withdraw(holder=holder):
                self.offers.append(Offer((), 0, holder))
                return True


def decide(tenant: Tenant, facts: Facts, state: State | None, event: Event, asked: Asked) -> Decision:
    answers: dict[Request, Answer] = {}
    while True:
        try:
            return next_step(tenant, Facts(
                facts.moment, facts.caller_extension, chance=facts.chance, devices=facts.devices, personal=facts.personal,
                answers=answers), state, event)
        except Unanswered as unanswered:
            answers[unanswered.question] = asked.answer(unanswered.question)


def hunted(
    tenant: Tenant, facts: Facts, asked: Asked | None = None, status: DialStatus = DialStatus.NOANSWER, take_s: int = 20,
) -> list[Decision]:
    """What the group decides, one member after the other, until it leaves."""
    asked, decisions = asked or Asked(), list[Decision]()
    state: State | None = None
    event: Event = Started(Origin.PHONE, "300", facts.caller_extension)
    moment = facts.moment
    for _ in range(2000):
        decision = decide(
            tenant, Facts(moment, facts.caller_extension, chance=facts.chance, devices=facts.devices, personal=facts.personal),
            state, event, asked)
        decisions.append(decision)
        if not isinstance(decision.step, Dial):
            return decisions
        state, event, moment = decision.state, DialEnded(status), moment + timedelta(seconds=take_s)
    raise AssertionError("the group never ends")


def rung(decisions: list[Decision]) -> list[str]:
    """The extensions in the order in which they rang."""
    return [device_of(name).extension for each in decisions if isinstance(each.step, Dial) for name in each.step.endpoints]


def exit_of(decisions: list[Decision]) -> str:
    return [in_english(visit.why) for visit in decisions[-1].path if visit.node == "sales"][-1]


STATES = st.dictionaries(st.sampled_from([f"acme-{extension}-desk" for extension in EXTENSIONS]), st.sampled_from(DeviceState))
PERSONAL = st.dictionaries(st.sampled_from(EXTENSIONS), st.sampled_from([
    Personal(do_not_disturb=True), Personal(paused=True), Personal(logged_out=True), Personal(paused_in=frozenset({"sales"})),
    Personal(logged_out_of=frozenset({"sales"})), Personal(paused_in=frozenset({"service"})), Personal()]))


def may_ring(facts: Facts, extension: str) -> bool:
    personal = facts.set_by(extension)
    out = (personal.do_not_disturb or personal.paused or personal.logged_out or "sales" in personal.paused_in
           or "sales" in personal.logged_out_of or extension == facts.caller_extension)
    return not out and facts.state_of(f"acme-{extension}-desk") not in (DeviceState.IN_USE, DeviceState.BUSY)


@given(st.sampled_from(Algorithm), STATES, PERSONAL, st.floats(0, 1, exclude_max=True), st.sampled_from(["", *EXTENSIONS]),
       st.lists(st.builds(UserLoad, st.integers(0, 9), st.integers(0, 999), st.floats(0, 1e9)), min_size=8, max_size=8))
def test_everybody_who_may_ring_is_offered_the_call_once_and_nobody_else(
    algorithm: Algorithm, devices: dict[str, DeviceState], personal: dict[str, Personal], chance: float, caller: str,
    loads: list[UserLoad],
) -> None:
    facts = Facts(NOON, caller or "299", chance=chance, devices=devices, personal=personal)
    asked = Asked(dict(zip(EXTENSIONS, loads, strict=True)))
    decisions = hunted(of_all(algorithm.value), facts, asked)
    assert sorted(rung(decisions)) == [extension for extension in EXTENSIONS if may_ring(facts, extension)]
    assert all(len(decision.state.memory) <= 10 and all(number < 10**6 for number in decision.state.memory)
               for decision in decisions)
    held = [offer.order[0] for offer in asked.offers if offer.order]
    assert [offer.before for offer in asked.offers if offer.before] == held      # each offer is taken back


@given(st.integers(1, 40), st.sets(st.sampled_from(EXTENSIONS), max_size=7))
def test_round_robin_is_fair_over_calls_among_those_who_are_there(calls: int, absent: set[str]) -> None:
    tenant, asked = of_all("round_robin"), Asked()
    facts = Facts(NOON, "299", personal={extension: Personal(logged_out=True) for extension in absent})
    first = Counter(rung([decide(tenant, facts, None, Started(Origin.PHONE, "300", "299"), asked)])[0] for _ in range(calls))
    there = 8 - len(absent)
    assert {first[extension] for extension in EXTENSIONS if extension not in absent} <= {calls // there, -(-calls // there)}
    assert sum(first.values()) == calls


@pytest.mark.parametrize("weights", [(1, 1, 1), (1, 2, 3), (5, 1, 4), (100, 1, 1), (7,), (2, 2, 2, 2)])
def test_each_member_is_first_and_second_in_the_proportion_of_the_weights(weights: tuple[int, ...]) -> None:
    """By going through evenly spread chances, not by trying often."""
    places, many = range(len(weights)), 120_000
    orders = Counter(tuple(drawn(places, weights, (number + 0.5) / many)[:2]) for number in range(many))
    for (first, *rest), found in orders.items():
        expected = Fraction(weights[first], sum(weights))
        for second in rest:
            expected *= Fraction(weights[second], sum(weights) - weights[first])
        assert abs(found - expected * many) <= 2
    assert len(orders) == (len(weights) * (len(weights) - 1) or 1)


@given(st.lists(st.integers(1, 100), min_size=1, max_size=100), st.floats(0, 1, exclude_max=True))
def test_draw_is_a_permutation_whatever_the_chance(weights: list[int], chance: float) -> None:
    assert sorted(drawn(range(len(weights)), weights, chance)) == list(range(len(weights)))


def test_who_talked_longest_ago_and_who_never_talked_come_first() -> None:
    assert by_idleness([0, 1, 2, 3], [UserLoad(ended_at=9), UserLoad(), UserLoad(ended_at=3), UserLoad()]) == [1, 3, 2, 0]


def test_fewest_conversations_count_first_then_the_least_talk() -> None:
    assert by_load([0, 1, 2, 3], [UserLoad(2, 1), UserLoad(1, 90), UserLoad(1, 10), UserLoad(1, 10)]) == [2, 3, 1, 0]


def test_round_begins_anywhere_and_leaves_nobody_out() -> None:
    assert rotated([0, 2, 5], 1) == [2, 5, 0]
    assert rotated([0, 2, 5], 6) == [0, 2, 5]


@given(st.builds(
    Progress, st.integers(0, 999_999), st.integers(0, 99), st.integers(0, 9), st.booleans(), st.booleans(), st.booleans(),
    st.booleans(), st.none() | st.integers(0, 99), st.frozensets(st.integers(0, 99))))
def test_what_a_group_remembers_fits_into_a_state(progress: Progress) -> None:
    memory = progress.to_memory()
    assert Progress.from_memory(memory) == progress
    assert len(memory) <= 10
    assert all(0 <= number < 10**6 for number in memory)


# Groups in groups


def test_group_among_the_members_stands_for_its_own_members_and_nobody_sits_twice() -> None:
    members = {"all": ["201", "sub", "204"], "sub": ["202", "201", "203"]}
    assert seats("all", members) == (
        Seat("201", ("all",)), Seat("202", ("all", "sub")), Seat("203", ("all", "sub")), Seat("204", ("all",)))
    assert seats("all", members)[1].entry == "sub"


def test_who_is_logged_out_of_the_inner_group_does_not_ring_by_way_of_it() -> None:
    tenant = firm('algorithm: ordered, members: [sub, "203"], unanswered: mail', 'sub: {members: ["201", "202"], unanswered: mail}')
    facts = Facts(NOON, "299", personal={"201": Personal(logged_out_of=frozenset({"sub"}))})
    assert rung(hunted(tenant, facts)) == ["202", "203"]


@pytest.mark.parametrize("members", [{"a": ["a"]}, {"a": ["b"], "b": ["a"]}, {"a": ["201", "b"], "b": ["c"], "c": ["a"]}])
def test_loop_of_groups_is_found_and_does_not_hang(members: dict[str, list[str]]) -> None:
    assert loop_of("a", members)[0] == loop_of("a", members)[-1] == "a"
    assert seats("a", members)[:0] == ()


def test_check_names_the_loop_the_stranger_and_what_never_rings() -> None:
    def told(group: str) -> str:
        return " ".join(problems(changed(('members: ["201", "202"], unanswered: mail', group))))

    assert "the group is a member of itself: sales > sales" in told("members: [sales], unanswered: mail")
    assert "no group or user named 'servise' (did you mean 'service'?)" in told("members: [servise], unanswered: mail")
    assert "weights: found 203, expected only members" in told(
        'algorithm: weighted, members: ["201"], weights: {"203": 2}, unanswered: mail')
    assert "delays_s: found with algorithm ordered" in told(
        'algorithm: ordered, members: ["201"], delays_s: {"201": 2}, unanswered: mail')
    assert "201 would never ring" in told('members: ["201"], ring_s: 5, delays_s: {"201": 5}, unanswered: mail')
    assert "no music named 'jazz'" in told('members: ["201"], music: jazz, unanswered: mail')


# Time, rounds, exits


def test_list_is_gone_through_as_often_as_the_group_says() -> None:
    assert rung(hunted(firm('algorithm: ordered, rounds: 3, members: ["201", "202"], unanswered: mail'), Facts(NOON))) == ["201", "202"] * 3


def test_round_in_which_nobody_rang_is_the_last() -> None:
    tenant = firm('algorithm: ordered, rounds: 3, members: ["201", "202"], unanswered: mail')
    assert rung(hunted(tenant, Facts(NOON), status=DialStatus.BUSY)) == ["201", "202"]


def test_group_rings_no_longer_in_all_than_it_says() -> None:
    tenant = of_all("ordered", ", ring_s: 20, total_s: 50")
    assert [each.step.ring_s for each in hunted(tenant, Facts(NOON)) if isinstance(each.step, Dial)] == [20, 20, 10]


EXITS = 'unanswered: mail, all_busy: spare, none_available: service'


@pytest.mark.parametrize(("states", "personal", "status", "target"), [
    ({}, {}, DialStatus.NOANSWER, "mail"),
    ({"acme-201-desk": DeviceState.IN_USE}, {}, DialStatus.NOANSWER, "mail"),
    ({"acme-201-desk": DeviceState.IN_USE, "acme-202-desk": DeviceState.BUSY}, {}, DialStatus.NOANSWER, "spare"),
    ({}, {}, DialStatus.BUSY, "spare"),
    ({"acme-201-desk": DeviceState.IN_USE}, {"202": Personal(paused=True)}, DialStatus.NOANSWER, "spare"),
    ({"acme-201-desk": DeviceState.IN_USE, "acme-202-desk": DeviceState.UNAVAILABLE}, {}, DialStatus.UNAVAILABLE, "spare"),
    ({}, {}, DialStatus.UNAVAILABLE, "service"),
    ({}, {"201": Personal(logged_out=True), "202": Personal(do_not_disturb=True)}, DialStatus.NOANSWER, "service"),
])
@pytest.mark.parametrize("algorithm", Algorithm)
def test_call_leaves_by_the_exit_that_says_why_nobody_took_it(
    states: dict[str, DeviceState], personal: dict[str, Personal], status: DialStatus, target: str, algorithm: Algorithm,
) -> None:
    tenant = firm(f'algorithm: {algorithm}, members: ["201", "202"], {EXITS}')
    facts, asked = Facts(NOON, "299", devices=states, personal=personal), Asked()
    state: State | None = None
    event: Event = Started(Origin.PHONE, "300", "299")
    for _ in range(9):
        decision = decide(tenant, facts, state, event, asked)
        if leaving := [in_english(visit.why) for visit in decision.path if visit.node == "sales" and " on to " in in_english(visit.why)]:
            assert leaving[-1].endswith(f"on to {target}")
            return
        state, event = decision.state, DialEnded(status)
    raise AssertionError("the group is never left")


def test_who_seems_to_be_away_is_tried_last_since_that_may_be_old() -> None:
    tenant = firm('algorithm: ordered, members: ["201", "202", "203"], unanswered: mail')
    away = {"acme-201-desk": DeviceState.UNAVAILABLE, "acme-203-desk": DeviceState.UNAVAILABLE}
    dials = [each.step.endpoints for each in hunted(tenant, Facts(NOON, "299", devices=away)) if isinstance(each.step, Dial)]
    assert dials == [("acme-202-desk",), ("acme-201-desk", "acme-203-desk")]


def test_delays_begin_with_the_first_who_can_ring() -> None:
    tenant = firm('members: ["201", "202", "203"], delays_s: {"202": 5, "203": 8}, unanswered: mail')
    start = Started(Origin.PHONE, "300", "299")
    assert decide(tenant, Facts(NOON, "299"), None, start, Asked()).step == Dial(
        ("acme-201-desk", "acme-202-desk", "acme-203-desk"), 20, delays_s=(0, 5, 8))
    busy = Facts(NOON, "299", devices={"acme-201-desk": DeviceState.IN_USE})
    assert decide(tenant, busy, None, start, Asked()).step == Dial(("acme-202-desk", "acme-203-desk"), 20, delays_s=(0, 3))


def test_prompt_is_played_before_somebody_rings_and_not_when_nobody_can() -> None:
    tenant = firm('members: ["201"], prompt: welcome, unanswered: mail')
    start = Started(Origin.PHONE, "300", "299")
    first = decide(tenant, Facts(NOON, "299"), None, start, Asked())
    assert first.step == Play(("welcome",))
    assert decide(tenant, Facts(NOON, "299"), first.state, Played(), Asked()).step == Dial(("acme-201-desk",), 20)
    out = Facts(NOON, "299", personal={"201": Personal(paused=True)})
    assert decide(tenant, out, None, start, Asked()).step == Play(("sys_leave_message",))
