"""Carriers of the platform: who uses them, by which endpoints, and what is refused of them."""

from datetime import UTC, datetime

import pytest

from routing.call.state import Origin
from routing.call.step import Dial
from routing.check.check import read_platform, read_tenants
from routing.numbering.dialled import CallClass
from routing.platform.platform import Platform
from routing.tenant.tenant import Tenant
from simulator.behaviour import changed_numbers
from simulator.script import Script
from simulator.simulate import simulate
from tests.tenants_for_tests import ACME, ROSSI
from yaml_models.errors import ConfigError

CARRIERS = """carriers:
  telco: {kind: address, address: 192.0.2.7}
  voice: {kind: registration, server: sip.example.org, user: pbx}
"""


def on(platform: str = CARRIERS, **trunks: str) -> dict[str, Tenant]:
    """Acme and Rossi, whose files end with these lines, on the platform."""
    texts = {"acme.yaml": ACME + trunks.get("acme", ""), "rossi.yaml": ROSSI + trunks.get("rossi", "")}
    found = read_platform(platform, "platform.yaml")
    return {tenant.tenant: tenant for tenant in read_tenants(texts, dict.fromkeys(texts, found))}


def refused(platform: str = CARRIERS, **trunks: str) -> list[str]:
    with pytest.raises(ConfigError) as told:
        on(platform, **trunks)
    return [str(problem) for problem in told.value.problems]


def test_tenant_that_says_nothing_of_trunks_uses_all_carriers_in_their_order() -> None:
    acme = on()["acme"]
    assert acme.trunks_for(CallClass.NATIONAL) == ("telco", "voice")
    assert acme.emergency_trunks == ("platform-trunk-telco", "platform-trunk-voice")
    assert acme.shares_carriers
    assert not acme.own_trunks


def test_tenant_that_says_which_trunks_it_has_uses_no_others() -> None:
    assert on(acme="trunks: {}\n")["acme"].trunks == {}
    own = on(acme="trunks:\n  main: {kind: address, address: 192.0.2.9}\n  spare: {kind: carrier, carrier: voice}\n")["acme"]
    assert own.emergency_trunks == ("acme-trunk-main", "platform-trunk-voice")
    assert list(own.own_trunks) == ["acme-trunk-main"]
    assert not on(acme="trunks:\n  main: {kind: address, address: 192.0.2.9}\n")["acme"].shares_carriers


def test_call_goes_on_to_the_next_carrier_and_a_route_chooses_among_them() -> None:
    def legs(tenant: Tenant, *failing: str) -> list[str]:
        script = Script(Origin.PHONE, "600100200", datetime(2026, 11, 25, 9, tzinfo=UTC), "201", caller="201",
                        failing_trunks=frozenset(failing))
        return [leg.trunk for step in simulate(tenant, script).steps if isinstance(step, Dial) for leg in step.outside]

    assert legs(on()["acme"], "telco") == ["platform-trunk-telco", "platform-trunk-voice"]
    assert legs(on(acme="routes: [{classes: [mobile], trunks: [voice]}]\n")["acme"]) == ["platform-trunk-voice"]


@pytest.mark.parametrize(("platform", "trunks", "expected"), [
    (CARRIERS, "trunks: {out: {kind: carrier, carrier: telko}}\n",
     "trunks.out.carrier: no carrier named 'telko', expected one of telco, voice (did you mean 'telco'?)"),
    ("brake: null\n", "trunks: {out: {kind: carrier, carrier: telco}}\n",
     "trunks.out.carrier: no carrier named 'telco', platform.yaml has none"),
    (CARRIERS, "trunks: {out: {kind: carrier}}\n", "trunks.out: 'carrier' is missing"),
    (CARRIERS, "trunks: {carrier: {kind: address, address: 192.0.2.9, port: 0}}\n", "trunks.carrier.port: found '0', expected at least 1"),
    (CARRIERS, "trunks: {address: {kind: address, address: ''}}\n", "trunks.address.address: found '', expected a host name or an IP address"),
    (CARRIERS, "routes: [{classes: [mobile], trunks: [tellco]}]\n", "routes.#1.trunks.#1: no trunk named 'tellco' (did you mean 'telco'?)"),
    (CARRIERS, "trunks: {out: {kind: address, address: 192.0.2.7}}\n",
     "trunks.out.address: trunk address 192.0.2.7 already belongs to the platform's carrier telco"),
    (CARRIERS, "trunks: {out: {kind: address, address: SIP.example.org}}\n",
     "trunks.out.address: trunk address sip.example.org already belongs to the platform's carrier voice"),
    (CARRIERS, "trunks: {out: {kind: address, address: 192.0.2.99, calls_from: [192.0.2.0/28]}}\n",
     "trunks.out.calls_from.#1: 192.0.2.0/28 overlaps 192.0.2.7/32, which belongs to the platform's carrier telco"),
    (CARRIERS, "trunks: {out: {kind: address, address: 192.0.2.99, calls_from: [192.0.2.300]}}\n",
     "trunks.out.calls_from.#1: found '192.0.2.300', expected an address or a network such as 192.0.2.0/28"),
    (CARRIERS, "trunks: {out: {kind: address, address: gw.example.net}}\n",
     "trunks.out.address: trunk address gw.example.net is a name, expected an IP address beside the platform's carriers"),
    (CARRIERS, 'trunks: {out: {kind: registration, server: 192.0.2.7, user: u, number: "+48221234567"}}\n',
     "trunks.out.server: trunk address 192.0.2.7 already belongs to the platform's carrier telco"),
])
def test_what_a_tenant_may_not_have_is_told_where_it_stands(platform: str, trunks: str, expected: str) -> None:
    (found,) = refused(platform, acme=trunks)
    assert found.startswith("acme.yaml:")
    assert found.partition(" ")[2] == expected


def test_tenants_may_register_where_a_carrier_does() -> None:
    trunk = 'trunks: {out: {kind: registration, server: sip.example.org, user: u, number: "+48221234567"}}\n'
    assert on(acme=trunk)["acme"].emergency_trunks == ("acme-trunk-out",)


@pytest.mark.parametrize(("more", "expected"), [
    ("  other: {kind: address, address: 192.0.2.7, port: 5070}\n",
     "platform.yaml:4 carriers.other.address: 192.0.2.7 already belongs to the carrier telco"),
    ("  other: {kind: address, address: SIP.example.org}\n",
     "platform.yaml:3 carriers.voice.server: sip.example.org already belongs to the carrier other"),
    ("  other: {kind: carrier, carrier: telco}\n", "platform.yaml:4 carriers.other.kind: found 'carrier', expected one of address, registration"),
    ("  other: {kind: address, address: 192.0.2.8, country: XX}\n",
     "platform.yaml:4 carriers.other.country: found 'XX', expected a country's two letters, such as PL"),
])
def test_carriers_that_cannot_be_are_refused(more: str, expected: str) -> None:
    with pytest.raises(ConfigError) as told:
        read_platform(CARRIERS + more, "platform.yaml")
    assert [str(problem) for problem in told.value.problems] == [expected]


def test_two_carriers_may_register_at_one_server() -> None:
    more = "  other: {kind: registration, server: sip.example.org, user: another}\n"
    assert list(read_platform(CARRIERS + more, "platform.yaml").carriers) == ["telco", "voice", "other"]


def test_no_tenant_is_called_as_the_platform() -> None:
    with pytest.raises(ConfigError, match="tenant: 'platform' is the system's own word, expected another name"):
        read_tenants({"x.yaml": ACME.replace("tenant: acme", "tenant: platform")})


def test_another_carrier_changes_no_numbers_calls() -> None:
    before, after = on(), on(CARRIERS.replace("192.0.2.7", "192.0.2.8"))
    assert changed_numbers(before, after) == {}
    assert Platform().trunks() == {}
