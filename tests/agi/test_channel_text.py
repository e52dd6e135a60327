"""What a channel remembers of its call, and says of it, is read as it was written, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi.channel_text import MAX_PATH_TEXT, ChannelResult, path_text, read_event, read_state, state_text
from routing.call.reasons import Why
from routing.call.state import (
    REDIRECTED,
    Awaits,
    Chosen,
    ConferenceLeft,
    DialEnded,
    DialStatus,
    Digits,
    Origin,
    QueueEnd,
    QueueLeft,
    Started,
    State,
    Visit,
    VoicemailEnded,
)
from services.asterisk_text import AgiError


@pytest.mark.parametrize(("left", "event"), [
    ("CONTINUE", QueueLeft(QueueEnd.ANSWERED)), ("TIMEOUT", QueueLeft(QueueEnd.TIMEOUT)), ("FULL", QueueLeft(QueueEnd.FULL)),
    ("LEAVEEMPTY", QueueLeft(QueueEnd.EMPTY)), ("missing", QueueLeft(QueueEnd.EMPTY)), ("", QueueLeft(QueueEnd.EMPTY)),
    ("key * 3", QueueLeft(QueueEnd.KEY, "*", 3)), ("key 5 ", QueueLeft(QueueEnd.KEY, "5", 1)),
    ("key 12 1", QueueLeft(QueueEnd.EMPTY)), ("key 1 1\n", QueueLeft(QueueEnd.EMPTY)),
])
def test_how_a_queue_was_left_is_read_from_what_asterisk_says(left: str, event: QueueLeft) -> None:
    state = State("support", Awaits.QUEUE, 1)
    assert read_event(state, "trunk", "", "", ChannelResult(left=left)) == event


@given(st.lists(st.builds(Visit, st.text(max_size=50), st.builds(Why.WORDS, st.text(max_size=300))), max_size=20))
def test_no_reason_can_become_dialplan_or_a_second_command(path: list[Visit]) -> None:
    assert not set(path_text(tuple(path))) & set('$"\\\n\r\0,(){}[]&^')


def test_path_that_is_too_long_keeps_its_end() -> None:
    path = tuple(Visit(f"n{i}", Why.WORDS("x" * 100)) for i in range(60))
    text = path_text(path)
    assert len(text) <= MAX_PATH_TEXT
    assert text.startswith("n")
    assert text.endswith("n59|.words-" + "x" * 100 + "~")


@given(st.builds(
    State, st.from_regex(r"\A[a-z][a-z0-9_]{0,30}\Z"), st.sampled_from(Awaits), st.integers(0, 9999),
    st.lists(st.integers(0, 999999), max_size=10).map(tuple),
    st.lists(st.from_regex(r"\A[0-9]{2,6}\Z"), max_size=10).map(tuple),
    st.builds(Chosen, st.sampled_from(["", "en", "it", "pl"]), st.sampled_from(["", "jazz", "music_2"]))))
def test_state_survives_its_channel_variable(state: State) -> None:
    assert read_state(state_text(state)) == state


@given(st.text(min_size=1))
def test_state_that_we_never_wrote_is_refused(text: str) -> None:
    try:
        state = read_state(text)
    except AgiError:
        return
    assert state is not None
    assert read_state(state_text(state)) == state


@pytest.mark.parametrize("dialled", ["", "20 1", "201,1", "${EXTEN}", "201\nHANGUP", "201%0a", "201%2C1", "1" * 65, "٢٠١"])
def test_number_that_no_telephone_can_dial_counts_as_none(dialled: str) -> None:
    assert read_event(None, "phone", dialled, "202", ChannelResult()) == Started(Origin.PHONE, "", "202")


def test_number_is_read_as_the_dialplan_encoded_it() -> None:
    assert read_event(None, "phone", "*97%23", "202", ChannelResult()) == Started(Origin.PHONE, "*97#", "202")


def test_event_is_read_by_what_the_state_waits_for() -> None:
    assert read_event(None, "trunk", "+48221234567", "", ChannelResult()) == Started(Origin.TRUNK, "+48221234567")
    assert read_event(State("main", Awaits.DIGITS, 0), "trunk", "1", "", ChannelResult("7", "BUSY")) == Digits("7")
    assert read_event(State("201", Awaits.DIAL, 0), "trunk", "1", "", ChannelResult("7", "BUSY17")) == DialEnded(DialStatus.BUSY, 17)
    assert read_event(State("201", Awaits.DIAL, 0), "trunk", "1", "", ChannelResult("7", "BUSY0")) == DialEnded(DialStatus.BUSY, REDIRECTED)
    assert read_event(State("room", Awaits.CONFERENCE, 0), "trunk", "1", "", ChannelResult(left="closed")) == ConferenceLeft(refused=True)


def test_mailbox_that_could_not_take_a_message_is_reported() -> None:
    state = State("201", Awaits.VOICEMAIL, 0)
    assert read_event(state, "trunk", "1", "", ChannelResult(voicemail_status="FAILED")) == VoicemailEnded(failed=True)
    assert read_event(state, "trunk", "1", "", ChannelResult(voicemail_status="SUCCESS")) == VoicemailEnded()


def test_dial_status_that_nobody_knows_counts_as_refused() -> None:
    assert read_event(State("201", Awaits.DIAL, 0), "trunk", "1", "", ChannelResult("", "TORTURE")) == DialEnded(DialStatus.CONGESTION)


def test_call_that_goes_on_after_its_end_is_refused() -> None:
    with pytest.raises(AgiError):
        read_event(State("201", Awaits.NOTHING, 0), "trunk", "1", "", ChannelResult())
