"""What a person is told before a change: which callers, at which hours, end elsewhere."""

from datetime import date

import pytest

from routing.check.check import read_tenant
from simulator.comparison import Comparison, compare
from tests.tenants_for_tests import acme, changed

MONDAY = date(2026, 11, 23)
MAIN = "+48221234567"
HOURS = changed(
    ("{to: main}", "{to: hours}"),
    ("voicemails:", """schedules:
  hours: {windows: [{days: mon-fri, opens: "08:00", closes: "18:00"}], open: main, closed: mail}
voicemails:"""))


def told(*changes: tuple[str, str], text: str = HOURS, only: str = "", most: int = 12_000) -> Comparison:

    return compare(read_tenant(text, "acme.yaml"), read_tenant(changed(*changes, text=text), "acme.yaml"), MONDAY, only, most)


def lines(*changes: tuple[str, str], text: str = HOURS) -> list[str]:
    return [str(change) for change in told(*changes, text=text).changes]


def test_earlier_closing_is_told_with_days_hours_and_keys() -> None:
    found = lines(('closes: "18:00"', 'closes: "16:00"'))
    assert f"{MAIN}, Mon-Fri 16:00-18:00, key 2: answered by 202 -> message for 201" in found
    assert f"{MAIN}, Mon-Fri 16:00-18:00, key 3, when all are busy: refused (busy) -> message for 201" in found
    assert all(" Mon-Fri 16:00-18:00, " in line for line in found)


def test_single_days_are_told_apart() -> None:
    found = lines(("days: mon-fri", 'days: "mon-wed, sat"'))
    assert f"{MAIN}, Thu, Fri 08:00-18:00, key 2: answered by 202 -> message for 201" in found
    assert f"{MAIN}, Sat 08:00-18:00, key 2: message for 201 -> answered by 202" in found


def test_other_mailbox_matters_only_when_nobody_takes_the_call() -> None:
    assert lines(('mail: {mailbox: "201"}', 'mail: {mailbox: "202"}')) == [
        f"{MAIN}, Mon-Fri 00:00-08:00, 18:00-24:00; Sat, Sun: message for 201 -> message for 202",
        f"{MAIN}, Mon-Fri 08:00-18:00, no key or key 1 or key 2, when nobody takes the call: message for 201 -> message for 202",
        "300, when nobody takes the call: message for 201 -> message for 202",
    ]


def test_order_of_phones_that_ring_together_is_no_change_of_the_end_and_order_of_turns_is() -> None:
    together = told(('["201", "202"]', '["202", "201"]'))
    assert (together.changes, together.same_end) == ((), (MAIN, "300"))
    assert lines(('["202", "201"]', '["201", "202"]')) == [f"{MAIN}, Mon-Fri 08:00-18:00, key 2: answered by 202 -> answered by 201"]


def test_wrong_key_and_no_key_are_tried() -> None:
    assert f"{MAIN}, Mon-Fri 08:00-18:00, wrong key: answered by 201 -> answered by 203" in lines(('wrong_key: "201"', 'wrong_key: "203"'))
    assert f"{MAIN}, Mon-Fri 08:00-18:00, no key: answered by 201 or 202 -> answered by 203" in lines(("no_key: sales", 'no_key: "203"'))


def test_menu_behind_a_key_is_tried_too() -> None:
    text = changed(('"3": "203"}', '"3": inner}'), ("groups:", '  inner: {prompt: welcome, keys: {"7": "201"}, no_key: mail, wrong_key: mail}\ngroups:'))
    assert lines(('"7": "201"', '"7": "202"'), text=text)[0] == f"{MAIN}, key 3 then key 7: answered by 201 -> answered by 202"


def test_other_words_are_told_as_the_same_end() -> None:
    found = told(("text: Witamy", "text: Dzien dobry"))
    assert (found.changes, found.same_end) == ((), (MAIN,))


def test_other_clock_moves_the_hours_that_are_told() -> None:
    found = lines(("Europe/Warsaw", "Europe/London"))
    assert f"{MAIN}, Mon-Fri 08:00-09:00, key 2: answered by 202 -> message for 201" in found
    assert f"{MAIN}, Mon-Fri 18:00-19:00, key 2: message for 201 -> answered by 202" in found


def test_new_and_removed_numbers_are_told_as_such() -> None:
    found = told((MAIN, "+48221234599"), ('extension: "300", ', ""))
    assert (found.new, found.gone, found.compared) == (("+48221234599",), (MAIN, "300"), 0)


def test_window_past_midnight_is_told_whole() -> None:
    found = lines(('closes: "18:00"', 'closes: "02:00"'))
    assert any("Mon 18:00-24:00; Tue-Fri 00:00-02:00, 18:00-24:00; Sat 00:00-02:00, key 2" in line for line in found)


def test_same_configuration_has_nothing_to_compare() -> None:
    assert compare(acme(), acme(), MONDAY) == Comparison()


def test_only_the_number_asked_for_is_compared() -> None:
    found = told(('mail: {mailbox: "201"}', 'mail: {mailbox: "202"}'), only="300")
    assert {change.number for change in found.changes} == {"300"}


@pytest.mark.parametrize("most", [1, 10, 300])
def test_work_is_bounded_and_a_cut_is_told(most: int) -> None:
    found = told(('mail: {mailbox: "201"}', 'mail: {mailbox: "202"}'), most=most)
    assert found.compared <= most
    assert found.is_cut


RULES = changed(
    ("{to: main}", "{to: door}"),
    ("voicemails:", """switches:
  night: {}
conditions:
  door:
    rules:
      - {when: {switches: {night: night}}, to: mail}
      - {when: {users: {"203": do_not_disturb}}, to: "202"}
      - {when: {groups: {service: nobody_there}, caller: {kinds: [anonymous]}}, to: "203"}
    otherwise: "201"
voicemails:"""))


@pytest.mark.parametrize(("change", "line"), [
    (("{night: night}}, to: mail}", '{night: night}}, to: "203"}'), "when switch night is night: message for 201 -> answered by 203"),
    (("do_not_disturb}}, to: \"202\"}", 'do_not_disturb}}, to: "203"}'), "when 203 is not to be disturbed: answered by 202 -> refused (busy)"),
    (("[anonymous]}}, to: \"203\"}", "[anonymous]}}, to: mail}"),
     "from a hidden number, when all of service are paused: answered by 203 -> message for 201"),
])
def test_switches_users_and_groups_that_rules_ask_for_are_tried(change: tuple[str, str], line: str) -> None:
    found = lines(change, text=RULES)
    assert any(line in each for each in found), found


def test_forward_that_only_one_user_needs_is_tried() -> None:
    text = changed(("Anna, devices: [desk]", 'Anna, devices: [desk], forwards: {no_answer: "202"}'))
    assert f"{MAIN}, wrong key, when 201 does not answer: answered by 202 -> answered by 203" in lines(('no_answer: "202"', 'no_answer: "203"'), text=text)


def test_number_outside_that_takes_calls_no_more_is_told() -> None:
    text = changed(("menus:", "trunks:\n  carrier: {kind: address, address: 192.0.2.7}\nmenus:"),
                   ('members: ["201", "202"], unanswered', 'members: ["201", "+48600100999"], unanswered'))
    found = lines((', "+48600100999"', ""), text=text)
    assert "300, when all are free or nobody is registered: answered by +48600100999 -> message for 201" in found


def test_whole_comparison_is_not_called_cut() -> None:
    assert not told(('closes: "18:00"', 'closes: "16:00"')).is_cut
