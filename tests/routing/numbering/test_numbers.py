"""Public numbers as carriers of several countries write them."""

import pytest

from routing.call.facts import Facts
from routing.call.state import Origin, Started
from routing.call.step import Dial, Hangup
from routing.engine.engine import next_step
from routing.numbering.numbers import find_did
from tests.routing.test_nodes import NOON
from tests.tenants_for_tests import acme
from tests.words import words


@pytest.mark.parametrize(("dialled", "country", "did"), [
    ("221234567", "PL", "+48221234567"),
    ("0048221234567", "PL", "+48221234567"),
    ("0612345678", "IT", "+390612345678"),           # Italy's zero belongs to the number
    ("00390612345678", "IT", "+390612345678"),
    ("390612345678", "IT", "+390612345678"),
    ("02071838750", "GB", "+442071838750"),          # Britain's does not
    ("2125550123", "US", "+12125550123"),
    ("011442071838750", "US", "+442071838750"),      # and America's prefix for abroad is 011
])
def test_number_is_read_as_in_the_tenants_country(dialled: str, country: str, did: str) -> None:
    assert find_did(dialled, country, {did}) == did


@pytest.mark.parametrize(("dialled", "country", "did"), [
    ("221234567", "IT", "+48221234567"),
    ("0612345678", "PL", "+390612345678"),
    ("612345678", "IT", "+390612345678"),
])
def test_number_of_another_country_is_not_taken_for_ones_own(dialled: str, country: str, did: str) -> None:
    assert find_did(dialled, country, {did}) is None


def test_number_with_its_country_and_no_prefix_is_known_in_every_country() -> None:
    assert find_did("48221234567", "IT", {"+48221234567"}) == "+48221234567"
    assert find_did("+48221234567", "US", {"+48221234567"}) == "+48221234567"


def test_number_that_could_be_read_in_two_ways_is_read_as_the_whole_one_first() -> None:
    assert find_did("3906123456", "IT", {"+3906123456", "+393906123456"}) == "+3906123456"
    assert find_did("3906123456", "IT", {"+393906123456"}) == "+393906123456"


@pytest.mark.parametrize("dialled", [
    "", "+", "++48221234567", "48-22-123-45-67", "(48)221234567", "*48221234567", "#", "٤٨٢٢١٢٣٤٥٦٧", "48221234567 ", "1-800-FLOWERS",
    "tel:+48221234567", "0" * 21, "+" + "4" * 300,
])
def test_text_that_is_no_number_is_none_of_the_tenants(dialled: str) -> None:
    assert find_did(dialled, "PL", {"+48221234567", "+18003569377"}) is None


def test_internal_number_goes_before_a_public_one_that_reads_the_same_from_a_phone_only() -> None:
    tenant = acme(("country: PL", "country: IT"), ("+48221234567", "+39123456"), ('"203": {', '"123456": {'), ('"3": "203"', '"3": "123456"'))
    inside = next_step(tenant, Facts(NOON), None, Started(Origin.PHONE, "123456", "201"))
    assert inside.step == Dial(("acme-123456-desk",), 20)
    assert words(inside.path[0]) == ("start", "201 dials 123456")
    outside = next_step(tenant, Facts(NOON), None, Started(Origin.TRUNK, "123456"))
    assert words(outside.path[0]) == ("start", "to +39123456")
    assert not isinstance(outside.step, Hangup)
