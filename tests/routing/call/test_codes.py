"""The table of codes: what keys mean, and what a person is told about a table that cannot be used."""

import pytest

from routing.call.codes import Codes, Feature, InCallCodes, Keyed, SwitchKeyed
from tests.tenants_for_tests import ACME, acme, problems

SWITCHES = 'switches:\n  night: {positions: ["off", "on"]}\n'


def test_every_feature_has_a_field_and_every_field_a_feature() -> None:
    assert {*Feature, "switches", "in_call"} == Codes.model_fields.keys()


def test_a_tenant_that_says_nothing_has_every_code_and_none_is_the_beginning_of_another() -> None:
    codes = Codes()
    assert all(getattr(codes, feature) for feature in Feature)
    assert all(getattr(codes.in_call, field) for field in InCallCodes.model_fields)
    assert not list(codes.problems(()))


@pytest.mark.parametrize(("dialled", "means"), [
    ("*97", Keyed(Feature.VOICEMAIL, "")), ("*52", Keyed(Feature.PAUSE, "")), ("*52300", Keyed(Feature.PAUSE, "300")),
    ("*72+48600100200", Keyed(Feature.FORWARD_UNCONDITIONAL, "+48600100200")), ("*67#1", Keyed(Feature.HIDE_NUMBER, "#1")),
    ("*8", Keyed(Feature.PICK_UP, "")), ("**201", Keyed(Feature.PICK_UP_EXTENSION, "201")), ("*550730", Keyed(Feature.WAKE_UP, "0730")),
    ("*30", SwitchKeyed("night", "")), ("*302", SwitchKeyed("night", "2")), ("*5", None), ("*", None), ("97", None), ("", None),
    ("201*97", None)])
def test_keys_mean_the_code_that_they_begin_with(dialled: str, means: object) -> None:
    codes = Codes(switches={"night": "*30"})
    assert codes.keyed(dialled) == means


def test_code_is_changed_in_the_tenants_file_or_switched_off_there() -> None:
    codes = acme(("failover:", 'codes: {pause: "*1", resume: null}\nfailover:')).codes
    assert codes.keyed("*1300") == Keyed(Feature.PAUSE, "300")
    assert codes.keyed("*52") is None
    assert codes.keyed("*53") is None
    assert codes.keyed("*54") == Keyed(Feature.STATUS, "")


@pytest.mark.parametrize(("table", "expected"), [
    ('pause: "*5"', "codes.pause: *5 and *50, which is login: the same keys could mean both"),
    ('pause: "*51"', "codes.pause: *51 and *51, which is logout: the same keys could mean both"),
    ('pause: "*977"', "codes.pause: *977 and *97, which is voicemail: the same keys could mean both"),
    ('switches: {night: "*541"}', "codes.switches.night: *541 and *54, which is status: the same keys could mean both"),
    ('switches: {nigth: "*30"}', "codes.switches.nigth: no switch named 'nigth'"),
    ('in_call: {park: "##1"}', "codes.in_call.park: ##1 and ##, which is in_call.blind_transfer: the same keys could mean both"),
    ('pause: "52"', "codes.pause: found '52', expected a code such as *97: '*', then 1 to 4 digits or '*'"),
    ('pause: "*1,Dial(x)"', "codes.pause: found '*1,Dial(x)', expected a code such as *97: '*', then 1 to 4 digits or '*'"),
    ('in_call: {park: "3"}',
     "codes.in_call.park: found '3', expected a code such as *2 or ##: '*' or '#', then 1 to 3 digits, '*' or '#'"),
    ('paus: "*52"', "codes.paus: unknown key 'paus' (did you mean 'pause'?)"),
])
def test_table_in_which_keys_could_mean_two_things_is_refused(table: str, expected: str) -> None:
    found = problems(ACME.replace("failover:", f"{SWITCHES}codes:\n  {table}\nfailover:"))
    assert f"acme.yaml:28 {expected}" in found
