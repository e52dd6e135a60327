"""Lists of numbers: what stands in them, what does not, and that long ones are asked as fast as short ones."""

import sys
from collections.abc import Callable
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.numbering.number_list import NumberSet, number_pattern

_NUMBER = st.integers(10**8, 10**10).map(lambda number: f"+{number}")
_RANGE = st.tuples(st.integers(10**9, 10**10 - 1), st.integers(0, 10**6)).map(
    lambda pair: (pair[0], min(pair[0] + pair[1], 10**10 - 1)))


@pytest.mark.parametrize(("pattern", "inside", "outside"), [
    ("+48600100200", ["+48600100200"], ["+486001002000", "+4860010020", "48600100200", ""]),
    ("118913", ["118913"], ["+48118913", "118912", "1189130"]),
    ("+48600*", ["+48600100200", "+48600"], ["+48601100200", "+4860", "48600100200"]),
    ("+48221230000-+48221239999", ["+48221230000", "+48221235555", "+48221239999"],
     ["+48221229999", "+48221240000", "+482212350000", "+4822123500", "48221235555"]),
])
def test_pattern_means_what_it_says(pattern: str, inside: list[str], outside: list[str]) -> None:
    numbers = NumberSet([number_pattern(pattern)])
    assert [number for number in inside if number not in numbers] == []
    assert [number for number in outside if number in numbers] == []


@pytest.mark.parametrize(("pattern", "expected"), [
    ("48600100200", "a number as"), ("+48 600 100 200", "a number as"), ("*", "a number as"), ("+*", "a number as"),
    ("+48600?", "a number as"), ("+48600*-+48601*", "a number as"), ("", "a number as"), ("+٤٨٦٠٠١٠٠٢٠٠", "a number as"),
    ("+48221230000-+4822123999", "one length"), ("+48221239999-+48221230000", "such as +48221230000-+48221239999"),
])
def test_text_that_is_no_pattern_is_refused_with_what_was_expected(pattern: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected.replace("+", r"\+")):
        number_pattern(pattern)


@given(st.lists(_RANGE, max_size=30), st.lists(_NUMBER, max_size=10), _NUMBER)
def test_ranges_that_overlap_hold_what_each_of_them_holds(ranges: list[tuple[int, int]], exact: list[str], asked: str) -> None:
    numbers = NumberSet([*exact, *(f"+{first}-+{last}" for first, last in ranges)])
    edges = [f"+{edge + step}" for pair in ranges for edge in pair for step in (-1, 0, 1)]
    for number in (asked, *exact, *edges):
        expected = number in exact or any(
            first <= int(number) <= last and len(number) == len(f"+{first}") for first, last in ranges)
        assert (number in numbers) is expected, number


def patterns(count: int) -> list[str]:
    exact = [f"+4860{i:07}" for i in range(2 * count)]
    return exact + [f"+4822{i:04}000-+4822{i:04}500" for i in range(count)] + [f"+39{i:05}*" for i in range(count)]


def steps_to_ask(numbers: NumberSet, number: str) -> int:
    """Lines of Python and comprehensions' turns that are executed; a speed is a benchmark's."""
    steps = 0

    def count(frame: FrameType, event: str, argument: object) -> Callable[..., object]:
        nonlocal steps
        steps += 1
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        assert number not in numbers
    finally:
        sys.settrace(before)
    return steps


def test_list_of_20_000_numbers_is_asked_in_as_many_steps_as_one_of_20() -> None:
    few, many = NumberSet(patterns(5)), NumberSet(patterns(5_000))
    assert [number for i in range(5_000) if (number := f"+4822{i:04}700") in many] == []
    assert steps_to_ask(many, "+48220003700") == steps_to_ask(few, "+48220003700")
