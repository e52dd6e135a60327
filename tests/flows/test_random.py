"""Random tenants and random events: whatever happens, a call ends well, soon, and at home."""

from datetime import UTC, datetime

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from routing.call.admission import Limit
from routing.call.call_server import CallServerReply, Failed, Failure
from routing.call.effects import (
    CHANGED,
    GOES_ON,
    NOT_CHANGED,
    PAUSES,
    Admit,
    ChangeSetting,
    CheckPin,
    ConfirmCountry,
    Flip,
    FlipPause,
    Offer,
    PinIs,
    PutSwitch,
    TryRoomPin,
    Turn,
    Withdraw,
)
from routing.call.facts import Answer, DeviceState, Facts, Forwarding, Personal, Request, Unanswered
from routing.call.questions import (
    NOT_KNOWN,
    AskServer,
    HasPin,
    KnownCountry,
    LastCaller,
    Loads,
    Speak,
    Stopped,
    Understand,
    UserLoad,
)
from routing.call.state import (
    Awaits,
    ConferenceLeft,
    DialEnded,
    DialStatus,
    Digits,
    Entered,
    Event,
    Listened,
    Origin,
    Parked,
    ParkEnded,
    Played,
    QueueEnd,
    QueueLeft,
    Started,
    State,
    VoicemailEnded,
)
from routing.call.step import (
    CheckVoicemail,
    Conference,
    Dial,
    Echo,
    Failover,
    Hangup,
    Listen,
    Play,
    Read,
    Say,
    Step,
    Unpark,
    Voicemail,
)
from routing.engine.engine import MAX_HOPS, next_step
from routing.engine.entry import START
from routing.nodes import Elements
from routing.nodes.outgoing import OUTGOING
from routing.tenant.tenant import Tenant
from simulator.script import Script
from simulator.simulate import simulate
from tests.examples import examples
from tests.flows.random_tenants import ELEMENTS, tenants

MAX_STEPS = 60 * 25         # the engine's limit of elements, each of which asks for 25 steps at most
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31)).map(lambda moment: moment.replace(tzinfo=UTC))
# Without shrinking, which takes minutes with whole tenants: the first example that fails is told as it is.
SOME = settings(
    max_examples=examples(150), deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
CODES = (
    "*50", "*52300", "*52201", "*53999", "*54", "*78", "*72202", "*72+48600100200", "*72", "*73", "*550630", "*559999", "*69", "*43", "*301",
    "*30", "*399", "*433", "*67700100200")
DIALLED = st.sampled_from([
    "+48221234567", "48221234567", "201", "204", *map(str, range(300, 316)), "*97", "*5", "9", "", "600100200", "+4930123456", "112",
    *CODES])
KEYS = st.text("0123456789*#", max_size=3)
MEMORY_NUMBERS = st.integers(0, 3) | st.integers(0, 99) | st.integers(0, 10**9 - 1)      # what a channel's variable can hold
EXTENSIONS = st.sampled_from(["201", "202", "0203", "204"])
FAR = ["+48600100200", "+48500990990"]
FORWARDS = st.dictionaries(st.sampled_from(Forwarding), st.sampled_from(["201", "202", "0203", "300", "+48600100200", "112", "x"]))
PERSONAL = st.builds(Personal, st.booleans(), st.booleans(), forwards=FORWARDS)

ANSWERS: dict[Awaits, st.SearchStrategy[Event]] = {
    Awaits.DIGITS: st.builds(Digits, KEYS),
    Awaits.PIN: st.builds(Digits, KEYS),
    Awaits.SPEECH: st.builds(Listened, KEYS),
    Awaits.PLAYED: st.just(Played()),
    Awaits.DIAL: st.builds(DialEnded, st.sampled_from(DialStatus)),
    Awaits.VOICEMAIL: st.builds(VoicemailEnded, st.booleans()),
    Awaits.CONFERENCE: st.builds(ConferenceLeft, st.booleans()),
    Awaits.QUEUE: st.builds(QueueLeft, st.sampled_from(QueueEnd), st.sampled_from("0123456789*#")),
    Awaits.PARKED: st.builds(ParkEnded, st.sampled_from(Parked)),
    Awaits.ENTERED: st.just(Entered()),
}
"""What the phone system may answer, by what the state waits for: a new step is one entry."""
ANY_EVENT = st.one_of(st.just(Entered()), *ANSWERS.values())


def test_every_kind_of_element_and_every_wait_takes_part() -> None:
    assert ELEMENTS.keys() == Elements.model_fields.keys()
    assert ANSWERS.keys() == set(Awaits) - {Awaits.NOTHING}


@SOME
@given(tenants(), st.data())
def test_call_ends_in_bounded_steps_at_a_human_a_mailbox_a_spoken_refusal_or_the_failover(tenant: Tenant, data: st.DataObject) -> None:
    origin = data.draw(st.sampled_from(Origin))
    extension = data.draw(EXTENSIONS) if origin is Origin.PHONE else ""
    reached = st.sampled_from([*tenant.internal_numbers, *tenant.numbers])
    event: Event = Started(origin, data.draw(reached if data.draw(st.booleans()) else DIALLED), extension)
    state: State | None = None
    served = False
    for _ in range(MAX_STEPS):
        decision_state, step = decide(tenant, data, state, event, extension)
        stays_at_home(tenant, decision_state, step)
        state = decision_state
        match step:
            case Failover():
                assert state.hops >= MAX_HOPS, "only a call that goes round in circles is given up"
                return
            case Hangup():
                assert served or state.node == OUTGOING, "whoever calls outside hears what comes from there"
                return
            case Voicemail(mailbox=mailbox) | CheckVoicemail(mailbox=mailbox):
                assert tenant.users[mailbox].voicemail
                served = True
            case Read() | Listen() | Play() | Echo() | Say() | Unpark() | Conference():
                served = True
        event = data.draw(ANSWERS[state.awaits])
        match event:
            case DialEnded(status=DialStatus.ANSWER) | QueueLeft(end=QueueEnd.ANSWERED) | ParkEnded(end=Parked.FETCHED):
                served = True
    raise AssertionError("the call never ended")


@SOME
@given(tenants(), st.data())
def test_event_that_nobody_asked_for_keeps_the_call_at_home_and_raises_nothing(tenant: Tenant, data: st.DataObject) -> None:
    node = data.draw(st.sampled_from([*tenant.nodes, START, "gone"]))
    memory = tuple(data.draw(st.lists(MEMORY_NUMBERS, max_size=10)))
    state = State(node, data.draw(st.sampled_from(Awaits)), data.draw(st.integers(0, MAX_HOPS + 1)), memory)
    after, step = decide(tenant, data, state, data.draw(ANY_EVENT), "")
    stays_at_home(tenant, after, step)


@SOME
@given(tenants(), MOMENTS, DIALLED, st.lists(KEYS, max_size=8), st.sampled_from(["", "201", "204"]), st.data())
def test_simulator_never_raises(
    tenant: Tenant, moment: datetime, dialled: str, keys: list[str], extension: str, data: st.DataObject,
) -> None:
    some = st.frozensets(EXTENSIONS)
    script = Script(
        Origin.PHONE if extension else Origin.TRUNK, dialled, moment, extension, tuple(keys),
        data.draw(st.dictionaries(EXTENSIONS, st.sampled_from(DeviceState))), data.draw(some), refusing=data.draw(some),
        answer_after_s=data.draw(st.dictionaries(EXTENSIONS, st.integers(0, 99))),
        hangs_up_in=data.draw(st.sampled_from(["", *tenant.nodes])))
    assert simulate(tenant, script).outcome


def decide(tenant: Tenant, data: st.DataObject, state: State | None, event: Event, extension: str) -> tuple[State, Step]:
    """One decision, whatever the world is like then and whatever it answers."""
    endpoints = [endpoint for user in tenant.users for endpoint in tenant.endpoints_of(user)]
    answers: dict[Request, Answer] = {}
    devices = data.draw(st.dictionaries(st.sampled_from(endpoints), st.sampled_from(DeviceState)))
    dialled = event.dialled if isinstance(event, Started) else ""      # later a call knows it by itself
    moment, personal = data.draw(MOMENTS), data.draw(st.dictionaries(EXTENSIONS, PERSONAL))
    while True:
        try:
            decision = next_step(tenant, Facts(
                moment, extension, dialled=dialled, devices=devices, personal=personal, answers=answers), state, event)
        except Unanswered as unanswered:
            answers[unanswered.question] = data.draw(answers_to(unanswered.question, tenant))
            continue
        assert decision.path
        return decision.state, decision.step


def answers_to(question: Request, tenant: Tenant) -> st.SearchStrategy[Answer]:
    match question:
        case Turn():
            return st.integers(0, 9)
        case Flip(positions=positions):
            return st.integers(NOT_CHANGED, len(positions) - 1)
        case FlipPause():
            return st.sampled_from([PAUSES, GOES_ON, NOT_CHANGED])
        case ChangeSetting() | PutSwitch():
            return st.sampled_from([CHANGED, NOT_CHANGED])
        case LastCaller():
            return st.sampled_from(["", NOT_KNOWN, "201", "600100200", "*78", "*69", "112", "+48221234567", "x"])
        case Offer(order=order):
            return st.integers(0, max(0, len(order) - 1))
        case Loads(extensions=extensions):
            load = st.builds(UserLoad, st.integers(0, 9), st.integers(0, 999))
            return st.tuples(*[load] * len(extensions))
        case AskServer():
            replies = st.builds(CallServerReply, text=st.sampled_from([None, "Tak"]), go_to=st.sampled_from([None, "999", *FAR, *tenant.nodes]))
            return replies | st.builds(Failed, st.sampled_from(Failure))
        case Speak():
            return st.sampled_from(["", "said"])
        case CheckPin():
            return st.sampled_from(PinIs)
        case Admit():
            return st.sampled_from(Limit)
        case KnownCountry() | HasPin() | Stopped() | TryRoomPin() | Withdraw() | ConfirmCountry():
            return st.booleans()
        case Understand(names=names):
            return st.lists(st.sampled_from([user for user, _ in names]), max_size=3, unique=True).map(tuple)


def stays_at_home(tenant: Tenant, state: State, step: Step) -> None:
    """The step names only what is this tenant's."""
    match step:
        case Dial(endpoints=endpoints, outside=outside):
            assert endpoints or outside
            assert {leg.trunk for leg in outside} <= {"acme-trunk-carrier"}
            assert set(endpoints) <= {endpoint for user in tenant.users for endpoint in tenant.endpoints_of(user)}
        case Read(prompts=prompts) | Listen(prompts=prompts) | Play(prompts=prompts):
            known = tenant.all_prompts()
            assert all(name in known and (not other or other in known[name].translations)
                       for name, _, other in (prompt.partition(".") for prompt in prompts))
        case Voicemail(mailbox=mailbox) | CheckVoicemail(mailbox=mailbox):
            assert mailbox in tenant.users
        case Hangup() | Failover():
            assert state.awaits is Awaits.NOTHING
