"""Which numbers a person is told will behave otherwise before an apply."""

import pytest

from routing.check.check import read_tenant
from routing.speech.phrases import PHRASES
from routing.tenant.tenant import Tenant
from simulator.behaviour import changed_numbers
from tests.tenants_for_tests import ROSSI, changed

MAIN = "+48221234567"
BIG = changed(
    ("{text: Witamy}", "{text: Witamy}\n  bye: {text: Zostaw wiadomosc}\n  lonely: {text: Nikt}"),
    ('mailbox: "201"}', 'mailbox: "201", greeting: bye}'),
    ('"203": {', '"204": {name: Ewa}\n  "203": {'),
    ("menus:", '  "+48229999999": {to: "204"}\nschedules:\n  hours: {extension: "301", windows: [{days: mon, opens: "08:00", closes: "16:00"}], open: main, closed: "204"}\nmenus:'),
    ('"+48221234567": {to: main}', '"+48221234567": {to: hours}'),
)


def told(*changes: tuple[str, str], before: str = BIG) -> tuple[str, ...]:
    """Acme's numbers that are told when its file is changed so."""
    def read(text: str) -> dict[str, Tenant]:
        return {"acme": read_tenant(text, "acme.yaml")}

    return changed_numbers(read(before), read(changed(*changes, text=before))).get("acme", ())


EVERY = (MAIN, "+48229999999", "201", "202", "203", "204", "300", "301")


@pytest.mark.parametrize(("old", "new", "numbers"), [
    ("Zostaw wiadomosc", "Zostaw slowo", (MAIN, "300", "301")),                      # a greeting: schedule, menu, group, mailbox
    ("bye: {text", "bye: {language: en, text", (MAIN, "300", "301")),
    ("text: Witamy", "text: Dzien dobry", (MAIN, "301")),                            # the menu's question
    ('members: ["201", "202"]', 'members: ["201", "203"]', (MAIN, "300", "301")),
    ('members: ["202", "201"]', 'members: ["201", "202"]', (MAIN, "301")),            # the order counts
    ("unanswered: mail}\n  service", 'unanswered: "204"}\n  service', (MAIN, "300", "301")),
    ('wrong_key: "201"', 'wrong_key: "202"', (MAIN, "301")),
    ('mailbox: "201"', 'mailbox: "202"', (MAIN, "300", "301")),
    ("name: Jan, devices: [desk]", "name: Jan, devices: [desk, mobile]", (MAIN, "202", "300", "301")),   # a member's phones
    ("ring_s: 10", "ring_s: 11", (MAIN, "301")),
    ('opens: "08:00"', 'opens: "09:00"', (MAIN, "301")),
    ('"+48229999999": {to: "204"}', '"+48229999999": {to: "203"}', ("+48229999999",)),
    ("Europe/Warsaw", "Europe/Rome", tuple(sorted(EVERY))),
    ("language: pl", "language: en", tuple(sorted(EVERY))),
    ("  lonely:", "  sys_leave_message: {text: Slucham}\n  lonely:", tuple(sorted(EVERY))),     # what the system says, in their words
    ('ring: ["201"], voicemail', 'ring: ["202"], voicemail', tuple(sorted(EVERY))),
])
def test_change_at_whatever_depth_is_told_for_each_number_that_reaches_it(old: str, new: str, numbers: tuple[str, ...]) -> None:
    assert told((old, new)) == numbers


@pytest.mark.parametrize(("old", "new"), [
    ("text: Nikt", "text: Ktos"),                                                    # a prompt that nobody hears
    ("name: Acme", "name: Acme Ltd"),
    ("menus:", "trunks:\n  carrier: {kind: address, address: 192.0.2.7}\nmenus:"),
    ("voicemails:", "voicemails:\n  spare: {mailbox: '202'}"),                        # an element that nothing leads to
])
def test_change_that_no_caller_notices_is_told_for_none(old: str, new: str) -> None:
    assert told((old, new)) == ()


def test_language_of_the_tenants_own_words_counts_where_the_system_says_nothing() -> None:
    own = changed(("  lonely:", "".join(f"  {name}: {{text: Tak}}\n" for name in PHRASES) + "  lonely:"), text=BIG)
    assert told(("language: pl", "language: it"), before=own) == tuple(sorted(EVERY))


def test_same_file_changes_no_number() -> None:
    assert told() == ()


def test_new_and_removed_numbers_are_told_and_their_neighbours_are_not() -> None:
    row = '  "+48229999999": {to: "204"}\n'
    assert told((row, row + '  "+48228888888": {to: "203"}\n')) == ("+48228888888",)
    assert told((row, "")) == ("+48229999999",)


def test_new_and_removed_tenants_are_told_with_all_their_numbers_and_the_others_are_not() -> None:
    both = {"acme": read_tenant(BIG, "acme.yaml"), "rossi": read_tenant(ROSSI, "rossi.yaml")}
    one = {"acme": both["acme"]}
    rossis = {"rossi": ("+390612345678", "201", "202", "203", "300")}
    assert changed_numbers(one, both) == rossis
    assert changed_numbers(both, one) == rossis
    assert changed_numbers(both, both) == {}
