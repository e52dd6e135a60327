"""What a number costs and whether it calls for help, in the dialling plans of several countries."""

import pytest

from routing.call.facts import Facts
from routing.call.state import Origin, Started
from routing.call.step import Dial
from routing.engine.engine import next_step
from routing.numbering.numbers import NumberClass, classify, e164, find_did, is_emergency, may_be_called
from tests.routing.test_nodes import NOON
from tests.tenants_for_tests import acme

OWN = {"+48221234567", "+390612345678"}


@pytest.mark.parametrize(("number", "country", "expected"), [
    ("226543210", "PL", NumberClass.FIXED),
    ("+48226543210", "PL", NumberClass.FIXED),
    ("391234567", "PL", NumberClass.FIXED),
    ("600100200", "PL", NumberClass.MOBILE),
    ("801234567", "PL", NumberClass.SPECIAL),
    ("800123456", "PL", NumberClass.SPECIAL),
    ("116111", "PL", NumberClass.SPECIAL),
    ("19115", "PL", NumberClass.SPECIAL),
    ("700123456", "PL", NumberClass.PREMIUM),
    ("118913", "PL", NumberClass.PREMIUM),
    ("0039061234567", "PL", NumberClass.INTERNATIONAL),
    ("+390612345678", "PL", NumberClass.INTERNATIONAL),
    ("0698765432", "IT", NumberClass.FIXED),
    ("+390669812345", "IT", NumberClass.FIXED),            # the Vatican has numbers of Rome
    ("3331234567", "IT", NumberClass.MOBILE),
    ("187", "IT", NumberClass.SPECIAL),
    ("1254", "IT", NumberClass.PREMIUM),
    ("892424", "IT", NumberClass.PREMIUM),
    ("899123456", "IT", NumberClass.PREMIUM),
    ("+48600100200", "IT", NumberClass.INTERNATIONAL),
    ("02071838750", "GB", NumberClass.FIXED),
    ("07400123456", "GB", NumberClass.MOBILE),
    ("2125550123", "US", NumberClass.FIXED),
    ("+18765550123", "US", NumberClass.INTERNATIONAL),     # Jamaica shares America's code, not its prices
    ("", "PL", NumberClass.UNKNOWN),
    ("*97", "PL", NumberClass.UNKNOWN),
    ("+48999999999999", "PL", NumberClass.UNKNOWN),
    ("201", "PL", NumberClass.UNKNOWN),
])
def test_number_is_classed_for_whoever_pays(number: str, country: str, expected: NumberClass) -> None:
    assert classify(number, country, set()) is expected


@pytest.mark.parametrize(("number", "country"), [
    ("221234567", "PL"), ("+48221234567", "IT"), ("0612345678", "IT"), ("00390612345678", "PL")])
def test_number_of_the_own_network_needs_no_carrier(number: str, country: str) -> None:
    assert classify(number, country, OWN) is NumberClass.OWN


@pytest.mark.parametrize(("country", "numbers"), [
    ("PL", ["112", "999", "998", "997", "+48112", "+48999"]), ("IT", ["112", "113", "115", "118", "+39118"]),
    ("GB", ["999", "112"]), ("US", ["911"])])
def test_emergency_number_is_one_whoever_owns_or_lists_it(country: str, numbers: list[str]) -> None:
    assert [number for number in numbers if not is_emergency(number, country)] == []
    assert {classify(number, country, set(numbers)) for number in numbers} == {NumberClass.EMERGENCY}


@pytest.mark.parametrize(("number", "country"), [
    ("113", "PL"), ("118", "PL"), ("1121", "PL"), ("112112112", "PL"), ("+39112", "PL"), ("", "PL"), ("+", "PL"), ("١١٢", "PL")])
def test_number_that_only_resembles_one_for_emergencies_is_none(number: str, country: str) -> None:
    assert not is_emergency(number, country)


@pytest.mark.parametrize(("number", "country", "area_code", "expected"), [
    ("1234567", "PL", "22", "+48221234567"),
    ("601234567", "PL", "22", "+48601234567"),             # whole numbers stay what they are
    ("+48601234567", "PL", "22", "+48601234567"),
    ("201", "PL", "22", "201"),
    ("12345678", "IT", "06", "+390612345678"),
    ("5550123", "US", "212", "+12125550123"),
])
def test_number_without_area_code_is_one_of_the_tenants_area(number: str, country: str, area_code: str, expected: str) -> None:
    assert e164(number, country, area_code) == expected


def test_colleague_dials_the_firms_number_without_its_area_code_and_a_carrier_cannot() -> None:
    tenant = acme(("country: PL", 'country: PL\narea_code: "22"'), ("{to: main}", '{to: "203"}'))
    inside = next_step(tenant, Facts(NOON), None, Started(Origin.PHONE, "1234567", "201"))
    assert inside.step == Dial(("acme-203-desk",), 20)
    outside = next_step(tenant, Facts(NOON), None, Started(Origin.TRUNK, "1234567"))
    assert not isinstance(outside.step, Dial)
    assert find_did("1234567", "PL", tenant.numbers) is None


def test_number_of_the_rule_in_p34_is_never_called() -> None:
    assert not may_be_called(e164("500 990 990".replace(" ", ""), "PL"))
    assert may_be_called("+48500990991")
