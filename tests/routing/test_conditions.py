"""Which rule a call follows, and why: the firm's calendar, the caller, switches and phones decide."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.call.english import in_english
from routing.call.facts import DeviceState, Facts, Personal
from routing.call.state import Origin
from routing.check.check import read_tenant
from routing.tenant.tenant import Tenant
from simulator.script import Script
from simulator.simulate import simulate
from tests.examples import examples
from tests.tenants_for_tests import ACME, ROSSI, changed, problems

WARSAW = ZoneInfo("Europe/Warsaw")
NOON = datetime(2026, 11, 23, 12, tzinfo=WARSAW)         # a Monday
MAIN = "+48221234567"
CALLER = "+48600100200"


def firm(*rules: str, more: str = "", text: str = ACME) -> Tenant:
    """Acme with these rules before its menu, each '{when: ..., to: ...}'; `more` is other sections."""
    listed = "".join(f"      - {rule}\n" for rule in rules)
    section = f"{more}conditions:\n  door:\n    rules:\n{listed}    otherwise: main\nnumbers:"
    return read_tenant(changed(("numbers:", section), ("{to: main}", "{to: door}"), text=text), "acme.yaml")


def why(tenant: Tenant, at: datetime = NOON, caller: str = CALLER, extension: str = "", **facts: object) -> str:
    """What the conditions say of a call."""
    number = next(iter(tenant.numbers))
    origin = Origin.PHONE if extension else Origin.TRUNK
    script = Script(origin, number, at, extension, caller=caller, **facts)  # type: ignore[arg-type]
    return next(in_english(visit.why) for visit in simulate(tenant, script).path if visit.node == "door")


def holds(tenant: Tenant, at: datetime = NOON, **facts: object) -> bool:
    return not why(tenant, at, **facts).startswith("no rule holds")  # type: ignore[arg-type]


def test_first_rule_that_holds_wins_and_says_its_title() -> None:
    tenant = firm(
        '{when: {dates: ["11-24"]}, to: mail}', '{title: closed, when: {dates: [2026-11-23]}, to: mail}',
        '{when: {dates: ["11-23"]}, to: sales}')
    assert why(tenant) == "closed: 23 Nov is in 2026-11-23, on to mail"
    assert why(tenant, NOON + timedelta(days=1)) == "rule 1: 24 Nov is in 11-24, on to mail"
    assert why(tenant, NOON + timedelta(days=365)) == "rule 3: 23 Nov is in 11-23, on to sales"
    assert why(tenant, NOON + timedelta(days=2)) == "no rule holds on Wed 25 Nov 12:00, on to main"


def test_all_that_a_rule_names_must_hold() -> None:
    tenant = firm('{when: {hours: [{days: mon-fri, opens: "08:00", closes: "16:00"}], dates: ["11-23"], caller: {numbers: ["+48600*"]}}, to: mail}')
    assert why(tenant) == (
        "rule 1: Mon 12:00 is in mon, tue, wed, thu, fri 08:00-16:00 and 23 Nov is in 11-23 "
        f"and caller {CALLER} is one of the rule's numbers, on to mail")
    assert not holds(tenant, NOON + timedelta(hours=4))
    assert not holds(tenant, NOON + timedelta(days=1))
    assert not holds(tenant, caller="+48700100200")


@pytest.mark.parametrize(("dates", "inside", "outside"), [
    ("12-24..01-06", ["2026-12-24", "2026-12-31", "2027-01-01", "2028-01-06"], ["2026-12-23", "2027-01-07", "2027-06-01"]),
    ("2026-12-30..2027-01-02", ["2026-12-30", "2027-01-01", "2027-01-02"], ["2026-12-29", "2027-01-03", "2027-12-31"]),
    ("02-29", ["2028-02-29"], ["2027-02-28", "2027-03-01", "2028-02-28"]),
    ("02-25..02-29", ["2027-02-28", "2028-02-29"], ["2027-03-01", "2028-03-01"]),
    ("2026-11-23", ["2026-11-23"], ["2027-11-23", "2026-11-22"]),
])
def test_days_and_ranges_of_days_over_new_year_and_in_leap_years(dates: str, inside: list[str], outside: list[str]) -> None:
    tenant = firm(f'{{when: {{dates: ["{dates}"]}}, to: mail}}')
    for days, expected in ((inside, True), (outside, False)):
        for day in days:
            for time in ("00:00:00", "23:59:59"):
                assert holds(tenant, datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=WARSAW)) is expected, (day, time)


def test_new_year_begins_by_the_firms_clock() -> None:
    tenant = firm('{when: {dates: ["01-01"]}, to: mail}')
    assert not holds(tenant, datetime(2026, 12, 31, 22, 59, 59, tzinfo=UTC))
    assert holds(tenant, datetime(2026, 12, 31, 23, 0, tzinfo=UTC))


@pytest.mark.parametrize(("text", "when", "day", "reason"), [
    (ACME, "{}", "2026-12-25", "25 Dec is Boże Narodzenie (pierwszy dzień) (public holiday in PL)"),
    (ACME, "{}", "2026-11-11", "11 Nov is Narodowe Święto Niepodległości (public holiday in PL)"),
    (ACME, "{}", "2027-03-29", "29 Mar is Poniedziałek Wielkanocny (public holiday in PL)"),
    (ROSSI, "{}", "2026-06-02", "2 Jun is Festa della Repubblica (public holiday in IT)"),
    (ROSSI, "{country: IT, region: BZ}", "2026-05-25", "25 May is Lunedì di Pentecoste (public holiday in IT-BZ)"),
    (ACME, "{country: DE, region: BY}", "2027-01-06", "6 Jan is Heilige Drei Könige (public holiday in DE-BY)"),
    (ACME, "{}", "2026-06-02", ""), (ROSSI, "{}", "2026-05-25", ""), (ROSSI, "{}", "2026-11-11", ""),
])
def test_public_holidays_are_those_of_the_country_and_the_region(text: str, when: str, day: str, reason: str) -> None:
    tenant = firm(f"{{title: closed, when: {{holidays: {when}}}, to: mail}}", text=text)
    zone = ZoneInfo(tenant.timezone)
    for moment in (datetime.fromisoformat(f"{day}T00:00").replace(tzinfo=zone), datetime.fromisoformat(f"{day}T23:59").replace(tzinfo=zone)):
        found = why(tenant, moment)
        assert found == f"closed: {reason}, on to mail" if reason else found.startswith("no rule holds")


@pytest.mark.parametrize(("text", "rule"), [(ACME, "Europe/Warsaw"), (ROSSI, "Europe/Rome")])
def test_both_clock_changes_neither_skip_nor_repeat_a_rule(text: str, rule: str) -> None:
    """02:30 that does not exist is in no window; 02:30 that exists twice is in its window both times."""
    tenant = firm('{when: {hours: [{days: sat, opens: "22:00", closes: "02:30"}]}, to: mail}', text=text)
    spring, autumn = datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)
    assert [holds(tenant, spring + timedelta(minutes=minute)) for minute in (0, 30, 59, 60, 90)] == [True, True, True, False, False]
    assert [holds(tenant, autumn + timedelta(minutes=minute)) for minute in (-1, 0, 29, 30, 59, 60, 89, 90)] == [
        True, True, True, False, False, True, True, False]


CALENDARS = """calendars:
  own:
    days:
      - {on: 12-24, title: Wigilia}
      - {on: 05-02, title: Dzień Flagi}
      - {on: 2026-08-01..2026-08-15, title: "Urlop: cała firma!"}
"""


def test_own_day_says_its_title_and_its_calendar() -> None:
    tenant = firm("{title: closed, when: {calendars: [own]}, to: mail}", more=CALENDARS)
    assert why(tenant, datetime(2030, 12, 24, 9, tzinfo=WARSAW)) == "closed: 24 Dec is Wigilia (calendar own), on to mail"
    assert "Urlop: cała firma!" in why(tenant, datetime(2026, 8, 15, 23, 59, tzinfo=WARSAW))
    assert not holds(tenant, datetime(2026, 8, 16, tzinfo=WARSAW))


LISTS = 'lists:\n  vip: ["+48600100200", "+4822*", "+48700000100-+48700000199", "201"]\n'


@pytest.mark.parametrize(("caller", "is_in"), [
    ("+48600100200", True), ("600100200", True), ("+48600100201", False), ("+48221112233", True), ("+48700000100", True),
    ("+48700000199", True), ("+48700000200", False), ("+486001002001", False), ("anonymous", False), ("", False),
])
def test_caller_in_a_list_by_number_by_beginning_and_by_range(caller: str, is_in: bool) -> None:
    tenant = firm("{when: {caller: {lists: [vip]}}, to: '201'}", more=LISTS)
    assert holds(tenant, caller=caller) is is_in


def test_caller_from_outside_who_shows_an_extension_is_not_that_user() -> None:
    assert not holds(firm("{when: {caller: {lists: [vip]}}, to: '201'}", more=LISTS), caller="201")
    assert holds(firm("{when: {caller: {kinds: [anonymous]}}, to: '201'}"), caller="201")


def test_caller_in_a_list_is_told_with_the_list() -> None:
    tenant = firm("{when: {caller: {lists: [vip]}}, to: '201'}", more=LISTS)
    assert why(tenant) == "rule 1: caller +48600100200 is in list vip, on to 201"
    assert why(tenant, extension="201", caller="") == "rule 1: caller 201 is in list vip, on to 201"
    assert not holds(tenant, extension="202", caller="")


@pytest.mark.parametrize(("kind", "caller", "extension", "reason"), [
    ("anonymous", "", "", "the caller's number is hidden"), ("anonymous", "Anonymous", "", "the caller's number is hidden"),
    ("anonymous", CALLER, "", ""), ("anonymous", "", "201", ""),
    ("foreign", "+390612345678", "", "caller +390612345678 is not from PL"), ("foreign", CALLER, "", ""), ("foreign", "", "", ""),
    ("foreign", "112", "", ""), ("foreign", "", "201", ""),
    ("internal", "", "201", "caller 201 is internal"), ("internal", CALLER, "", ""), ("internal", "", "", ""),
])
def test_kind_of_caller(kind: str, caller: str, extension: str, reason: str) -> None:
    tenant = firm(f"{{when: {{caller: {{kinds: [{kind}]}}}}, to: mail}}")
    found = why(tenant, caller=caller, extension=extension)
    assert found == f"rule 1: {reason}, on to mail" if reason else found.startswith("no rule holds")


def test_countries_that_share_a_code_are_told_apart() -> None:
    tenant = firm("{when: {caller: {kinds: [foreign]}}, to: mail}", text=ACME.replace("country: PL", "country: US"))
    assert holds(tenant, caller="+14165550123")           # Toronto
    assert not holds(tenant, caller="+12125550123")       # New York


def test_number_dialled() -> None:
    tenant = firm(f'{{when: {{dialled: ["{MAIN}"]}}, to: mail}}')
    assert why(tenant) == f"rule 1: {MAIN} was dialled, on to mail"
    other = firm('{when: {dialled: ["300"]}, to: mail}')
    assert not holds(other)


SWITCHES = "switches:\n  night: {positions: ['off', 'on']}\n  mode: {initial: day}\n"


def test_switches_position_decides_and_an_untouched_switch_stands_where_it_begins() -> None:
    tenant = firm("{when: {switches: {night: on}}, to: mail}", more=SWITCHES)
    assert not holds(tenant)
    assert why(tenant, switches={"night": "on"}) == "rule 1: switch night is on, on to mail"
    assert not holds(tenant, switches={"night": "a position of long ago"})
    both = firm("{when: {switches: {night: on, mode: day}}, to: mail}", more=SWITCHES)
    assert why(both, switches={"night": "on"}) == "rule 1: switch night is on and switch mode is day, on to mail"
    assert not holds(both, switches={"night": "on", "mode": "auto"})


@pytest.mark.parametrize(("state", "setting", "presence"), [
    (DeviceState.IDLE, Personal(), "free"), (DeviceState.RINGING, Personal(), "free"), (DeviceState.UNKNOWN, Personal(), "free"),
    (DeviceState.IN_USE, Personal(), "busy"), (DeviceState.BUSY, Personal(), "busy"),
    (DeviceState.UNAVAILABLE, Personal(), "unavailable"),
    (DeviceState.IDLE, Personal(do_not_disturb=True), "do_not_disturb"),
])
def test_state_of_a_user(state: DeviceState, setting: Personal, presence: str) -> None:
    for asked in ("free", "busy", "unavailable", "do_not_disturb"):
        tenant = firm(f"{{when: {{users: {{'201': {asked}}}}}, to: mail}}")
        assert holds(tenant, states={"201": state}, personal={"201": setting}) is (asked == presence)


@pytest.mark.parametrize(("first", "second", "setting", "presence"), [
    (DeviceState.IDLE, DeviceState.BUSY, Personal(), "any_free"), (DeviceState.IN_USE, DeviceState.BUSY, Personal(), "all_busy"),
    (DeviceState.UNAVAILABLE, DeviceState.BUSY, Personal(), "all_busy"),
    (DeviceState.UNAVAILABLE, DeviceState.UNAVAILABLE, Personal(), "nobody_there"),
    (DeviceState.IDLE, DeviceState.BUSY, Personal(paused=True), "all_busy"),
    (DeviceState.IDLE, DeviceState.BUSY, Personal(do_not_disturb=True), "all_busy"),
    (DeviceState.IDLE, DeviceState.BUSY, Personal(paused_in=frozenset({"sales"})), "all_busy"),
    (DeviceState.IDLE, DeviceState.BUSY, Personal(paused_in=frozenset({"service"})), "any_free"),
    (DeviceState.IDLE, DeviceState.UNAVAILABLE, Personal(logged_out=True), "nobody_there"),
    (DeviceState.IDLE, DeviceState.UNAVAILABLE, Personal(logged_out_of=frozenset({"sales"})), "nobody_there"),
])
def test_state_of_a_group(first: DeviceState, second: DeviceState, setting: Personal, presence: str) -> None:
    for asked in ("any_free", "all_busy", "nobody_there"):
        tenant = firm(f"{{when: {{groups: {{sales: {asked}}}}}, to: mail}}")
        assert holds(tenant, states={"201": first, "202": second}, personal={"201": setting}) is (asked == presence)


def test_reason_names_the_group() -> None:
    tenant = firm("{when: {groups: {sales: all_busy}}, to: mail}")
    busy = {"201": DeviceState.BUSY, "202": DeviceState.BUSY}
    assert why(tenant, states=busy) == "rule 1: group sales: all busy, on to mail"


def test_share_of_calls_is_its_share_and_one_rule_does_not_follow_from_another() -> None:
    tenant = firm("{when: {share: 10}, to: mail}", "{when: {share: 50}, to: sales}")
    found = [why(tenant, chance=number / 4000) for number in range(4000)]
    first, second = (sum(reason.startswith(f"rule {place}") for reason in found) for place in (1, 2))
    assert 360 <= first <= 440
    assert 1700 <= second <= 1900          # a half of those that are left
    assert found[0] == "rule 1: one of 10 % of the calls, on to mail"


@pytest.mark.parametrize(("rule", "problem"), [
    ("{when: {}, to: mail}", "conditions.door.rules.#1.when: expected at least one of hours, dates, holidays, calendars, caller, dialled, switches, users, groups, queues, share"),
    ("{when: {dates: [2026-02-29]}, to: mail}", "conditions.door.rules.#1.when.dates.#1: found '2026-02-29', expected a day that exists, 2026-02-29 does not"),
    ("{when: {dates: [2026-02-02..2026-02-01]}, to: mail}", "conditions.door.rules.#1.when.dates.#1: found '2026-02-02..2026-02-01', expected a last day that is not before the first, 2026-02-02"),
    ("{when: {dates: [2026-02-02..03-01]}, to: mail}", "conditions.door.rules.#1.when.dates.#1: found '2026-02-02..03-01', expected a year on both days or on neither"),
    ("{when: {dates: [tomorrow]}, to: mail}", "conditions.door.rules.#1.when.dates.#1: found 'tomorrow', expected a day or days such as 2026-12-24, 2026-12-24..2027-01-01, 12-24 or 12-24..01-06"),
    ("{when: {holidays: {country: XX}}, to: mail}", "conditions.door.rules.#1.when.holidays: found the country XX, expected one whose public holidays are known"),
    ("{when: {holidays: {country: IT, region: ZZ}}, to: mail}", "conditions.door.rules.#1.when.holidays: found the region 'ZZ', expected one of IT that has holidays of its own"),
    ("{when: {calendars: [onw]}, to: mail}", "conditions.door.rules.#1.when.calendars.#1: no 'onw' in calendars (did you mean 'own'?)"),
    ("{when: {caller: {lists: [vop]}}, to: mail}", "conditions.door.rules.#1.when.caller.lists.#1: no 'vop' in lists (did you mean 'vip'?)"),
    ("{when: {caller: {}}, to: mail}", "conditions.door.rules.#1.when.caller: expected numbers, lists or kinds"),
    ("{when: {switches: {nigth: on}}, to: mail}", "conditions.door.rules.#1.when.switches.nigth: no 'nigth' in switches (did you mean 'night'?)"),
    ("{when: {switches: {night: day}}, to: mail}", "conditions.door.rules.#1.when.switches.night: switch night has no position 'day', expected one of off, on"),
    ("{when: {users: {'209': busy}}, to: mail}", "conditions.door.rules.#1.when.users.209: no '209' in users (did you mean '203'?)"),
    ("{when: {groups: {sale: all_busy}}, to: mail}", "conditions.door.rules.#1.when.groups.sale: no 'sale' in groups (did you mean 'sales'?)"),
    ("{when: {share: 100}, to: mail}", "conditions.door.rules.#1.when.share: found '100', expected less than 100"),
    ("{when: {dates: ['11-23']}, to: male}", "conditions.door.rules.#1.to: no element named 'male' (did you mean 'mail'?)"),
])
def test_mistake_in_a_rule_is_told_with_its_place(rule: str, problem: str) -> None:
    section = f"{CALENDARS}{LISTS}{SWITCHES}conditions:\n  door:\n    rules:\n      - {rule}\n    otherwise: main\nnumbers:"
    (found,) = problems(changed(("numbers:", section), ("{to: main}", "{to: door}")))
    assert found.partition(" ")[2] == problem


EVERYTHING = (
    "{when: {holidays: {}}, to: mail}", "{when: {calendars: [own]}, to: mail}", "{when: {dates: ['02-29', '12-31..01-01']}, to: mail}",
    "{when: {hours: [{days: mon-fri, opens: '22:00', closes: '02:30'}]}, to: sales}",
    "{when: {hours: [{days: mon-fri, opens: '08:00', closes: '16:00'}], users: {'201': free}}, to: '201'}",
)


@settings(max_examples=examples(300))
@given(st.datetimes(datetime(1990, 1, 1), datetime(2060, 12, 31), timezones=st.just(UTC)), st.sampled_from([ACME, ROSSI]),
       st.text(max_size=20), st.floats(0, 1, exclude_max=True))
def test_every_moment_has_exactly_one_outcome(moment: datetime, text: str, caller: str, chance: float) -> None:
    tenant = firm(*EVERYTHING, more=CALENDARS, text=text)
    first, again = (why(tenant, moment, caller=caller, chance=chance) for _ in range(2))
    assert first == again
    assert ", on to " in first


def test_every_quarter_of_an_hour_of_a_leap_year_has_an_outcome() -> None:
    tenant = firm(*EVERYTHING, more=CALENDARS)
    node, begins = tenant.conditions["door"], datetime(2028, 1, 1, tzinfo=WARSAW).astimezone(UTC)
    from routing.call.state import Entered
    from routing.nodes.node import Go, Here
    seen = set()
    for quarter in range(366 * 96):
        answer = node.decide(Here("door", tenant, Facts(begins + timedelta(minutes=15 * quarter))), (), Entered())
        assert isinstance(answer, Go)
        seen.add(in_english(answer.why).partition(":")[0].partition(" on ")[0])
    assert seen == {"rule 1", "rule 2", "rule 3", "rule 4", "rule 5", "no rule holds"}
