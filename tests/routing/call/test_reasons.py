"""Reasons: each has a sentence in every language, survives its way through the dialplan, and older records stay readable."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.call.english import SENTENCES, in_english
from routing.call.reasons import Reason, Reasons, Why, read_reasons, reason_text

TEXTS = st.text(max_size=12)


def reasons(values: st.SearchStrategy[str | Reasons]) -> st.SearchStrategy[Reasons]:
    reason = st.builds(Reason, st.sampled_from(Why), st.lists(values, max_size=3).map(tuple))
    return st.lists(reason, min_size=1, max_size=3).map(tuple)


REASONS = reasons(st.recursive(TEXTS, lambda inner: TEXTS | reasons(inner), max_leaves=8))


def test_every_kind_of_reason_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Why)


@given(REASONS)
def test_reasons_come_back_from_the_dialplan_as_they_were(found: Reasons) -> None:
    text = reason_text(found)
    assert re.fullmatch(r"[A-Za-z0-9_ %.~-]*", text, re.ASCII)
    assert read_reasons(text) == found


@given(REASONS)
def test_reasons_of_any_values_can_be_read(found: Reasons) -> None:
    assert isinstance(in_english(found), str)


@given(st.text() | st.from_regex(r"\A(\.[a-z_]{0,8}|-[a-z.]{0,3}|~){1,12}\Z"))
def test_any_text_is_some_reason(text: str) -> None:
    assert in_english(read_reasons(text)) is not None


@pytest.mark.parametrize("words", ["key 1, on to sales", "", "open", ".unknown_kind-1~", ".key-1", ".key-1~x"])
def test_text_of_another_version_stays_as_it_was_written(words: str) -> None:
    assert in_english(read_reasons(words)) == words


@pytest.mark.parametrize(("found", "words"), [
    (Why.WRONG_KEY("9") + Why.IN_ALL(2) + Why.ON_TO("sales"), "wrong key 9, 2 in all, on to sales"),
    (Why.RINGS(Why.WHO("201") + Why.AFTER(Why.WHO_AND("202", "+48600100200"), 5)), "rings 201, 202 and +48600100200 after 5 s"),
    (Why.CLOSED(Why.CALLER_HIDDEN() + Why.SHARE("50")), "calls outside are closed: the caller's number is hidden and one of 50 % of the calls"),
    (Why.SCREENED(Why.NOT_CALLED("+1", Why.NO_DIALLING_PLAN()) + Why.NOT_CALLED("+39", Why.NEW_COUNTRY("IT"))),
     "+1 is not called: it is no number of any dialling plan; +39 is not called: nobody has called IT before"),
    (Why.UNKNOWN_NUMBER(""), "nothing is no number here"),
    (Why.NO_RULE("2026-11-25T10:00:00+01:00"), "no rule holds on Wed 25 Nov 10:00"),
    (Why.IN_CALENDAR_AT("2026-12-24T09:05:00", "Wigilia", "office"), "24 Dec 09:05 is Wigilia (calendar office)"),
])
def test_reasons_are_words_for_people(found: Reasons, words: str) -> None:
    assert in_english(found) == words
