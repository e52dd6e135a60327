"""What users set."""

import pytest

from routing.tenant.settings import checked_forward, known_groups, read_settings
from tests.tenants_for_tests import acme

SUPPORT = ("menus:", 'queues: {support: {members: ["201"], unanswered: main}}\nmenus:')


def test_names_of_groups_that_can_be_read_only_once_are_all_there() -> None:
    assert known_groups(acme(SUPPORT), "201", iter(["support"])) == {"support"}


@pytest.mark.parametrize(("to", "problem"), [
    ("+48600100200", "mobile is not permitted"), ("+2482900000", "expected a number of a dialling plan"),
    ("+48587000001", ""), ("202", ""), ("+48221234567", "")])
def test_forward_that_would_never_ring_is_refused(to: str, problem: str) -> None:
    tenant = acme(("{name: Anna, devices: [desk]}", "{name: Anna, devices: [desk], permissions: [internal, national]}"))
    if problem:
        with pytest.raises(ValueError, match=problem):
            checked_forward(tenant, "201", to)
    else:
        checked_forward(tenant, "201", to)


def test_user_forwards_no_calls_to_the_own_extension() -> None:
    with pytest.raises(ValueError, match="found the user's own extension 201"):
        read_settings(acme(), "201", ["busy=201"])
    assert read_settings(acme(), "201", ["busy=202"]).forwards
