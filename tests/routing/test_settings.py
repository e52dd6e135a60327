"""What users set."""

import pytest

from routing.settings import known_groups, read_settings
from tests.tenants_for_tests import acme

SUPPORT = ("menus:", 'queues: {support: {members: ["201"], unanswered: main}}\nmenus:')


def test_names_of_groups_that_can_be_read_only_once_are_all_there() -> None:
    assert known_groups(acme(SUPPORT), "201", iter(["support"])) == {"support"}


def test_user_forwards_no_calls_to_the_own_extension() -> None:
    with pytest.raises(ValueError, match="found the user's own extension 201"):
        read_settings(acme(), "201", ["busy=201"])
    assert read_settings(acme(), "201", ["busy=202"]).forwards
