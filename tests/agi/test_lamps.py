"""Which lamps are lit, by what is set."""

from agi.lamps import lamps_of
from routing.facts import Personal
from tests.agi.test_queue_agents import QUEUES
from tests.tenants_for_tests import acme

TENANT = acme(QUEUES, ("failover:", 'switches:\n  mode: {positions: [day, night]}\ncodes: {switches: {mode: "*61"}}\nfailover:'))


def test_switch_that_was_moved_is_lit() -> None:
    assert dict(lamps_of(TENANT, {}, {}))["Custom:acme-switch-mode"] is False
    assert dict(lamps_of(TENANT, {"mode": "day"}, {}))["Custom:acme-switch-mode"] is False
    assert dict(lamps_of(TENANT, {"mode": "night"}, {}))["Custom:acme-switch-mode"] is True


def test_agent_who_is_away_from_any_queue_is_lit() -> None:
    away = {
        "201": Personal(logged_out_of=frozenset({"line"})), "202": Personal(paused_in=frozenset({"elsewhere"}))}
    assert dict(lamps_of(TENANT, {}, away)) == {
        "Custom:acme-switch-mode": False, "Custom:acme-away-201": True, "Custom:acme-away-202": False}
    assert dict(lamps_of(TENANT, {}, {"202": Personal(do_not_disturb=True)}))["Custom:acme-away-202"] is True
