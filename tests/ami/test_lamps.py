"""Which lamps are lit, by what is set."""

from collections.abc import Mapping

from ami.view.lamps import lamps_of, tenant_of_lamp
from routing.call.facts import Personal
from tests.ami.test_queue_agents import QUEUES
from tests.tenants_for_tests import acme

TENANT = acme(QUEUES, ("failover:", 'switches:\n  mode: {positions: [day, night]}\ncodes: {switches: {mode: "*61"}}\nfailover:'))


def lit(switches: Mapping[str, str], personal: Mapping[str, Personal]) -> dict[str, bool]:
    found = {lamp.device: is_lit for lamp, is_lit in lamps_of(TENANT, switches, personal)}
    assert {tenant_of_lamp(device) for device in found} == {"acme"}
    return found


def test_switch_that_was_moved_is_lit() -> None:
    assert lit({}, {})["Custom:acme-switch-mode"] is False
    assert lit({"mode": "day"}, {})["Custom:acme-switch-mode"] is False
    assert lit({"mode": "night"}, {})["Custom:acme-switch-mode"] is True


def test_agent_who_is_away_from_any_queue_is_lit() -> None:
    away = {
        "201": Personal(logged_out_of=frozenset({"line"})), "202": Personal(paused_in=frozenset({"elsewhere"}))}
    assert lit({}, away) == {
        "Custom:acme-switch-mode": False, "Custom:acme-away-201": True, "Custom:acme-away-202": False}
    assert lit({}, {"202": Personal(do_not_disturb=True)})["Custom:acme-away-202"] is True
