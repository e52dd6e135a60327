"""What users set."""

from routing.settings import known_groups
from tests.tenants_for_tests import acme

SUPPORT = ("menus:", 'queues: {support: {members: ["201"], unanswered: main}}\nmenus:')


def test_names_of_groups_that_can_be_read_only_once_are_all_there() -> None:
    assert known_groups(acme(SUPPORT), "201", iter(["support"])) == {"support"}
