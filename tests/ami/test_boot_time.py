"""The time of Asterisk's boot stays before every event of its calls, however the clock is set."""

from datetime import UTC, datetime, timedelta

from ami.view.boot_time import BootTime

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Machine:
    """`pass_s` is time that passes, `set` a change of the clock. Asterisk has booted at noon."""

    def __init__(self) -> None:
        self.passed, self.change, self.booted = timedelta(0), timedelta(0), NOON
        self.boot = BootTime(lambda: self.now, lambda: self.passed.total_seconds())

    @property
    def now(self) -> datetime:
        return NOON + self.passed + self.change

    def logs_in(self) -> None:
        self.boot.note(int((self.now - self.booted).total_seconds()))


def test_boot_of_a_clock_that_nobody_sets_is_as_reported() -> None:
    machine = Machine()
    assert machine.boot.earliest is None
    machine.passed += 2 * HOUR
    machine.logs_in()
    machine.passed += HOUR
    assert machine.boot.earliest == NOON


def test_call_that_begins_after_the_clock_was_set_back_began_after_the_boot() -> None:
    machine = Machine()
    machine.logs_in()
    machine.passed += HOUR / 2
    machine.change -= HOUR
    assert machine.boot.earliest == NOON - HOUR < machine.now
    machine.logs_in()
    assert machine.boot.earliest == NOON - HOUR, "after another login, too"


def test_call_that_began_before_the_clock_was_set_forward_began_after_the_boot() -> None:
    machine = Machine()
    machine.logs_in()
    machine.passed += HOUR / 2
    machine.change += HOUR
    assert machine.boot.earliest == NOON
    machine.logs_in()
    assert machine.boot.earliest == NOON
    machine.change -= HOUR
    assert machine.boot.earliest == NOON - HOUR


def test_another_boot_is_later_than_the_calls_before_it() -> None:
    machine = Machine()
    machine.logs_in()
    machine.passed += HOUR
    machine.booted = machine.now
    machine.logs_in()
    assert machine.boot.earliest == NOON + HOUR
