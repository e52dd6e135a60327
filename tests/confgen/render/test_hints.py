"""Which hints a tenant's lamps are made of."""

import pytest

from confgen.render.hints import Lamps, Numbers, lamps_of, together
from tests.ami.test_queue_agents import QUEUES
from tests.confgen.test_templates import rendered
from tests.tenants_for_tests import acme

TENANT = acme(QUEUES, ("failover:", """parkings:
  yard: {extension: "700", slots: 708-711, unanswered: main}
switches:
  mode: {positions: [day, night]}
codes: {switches: {mode: "*61"}}
failover:"""))


@pytest.mark.parametrize(("extensions", "expected"), [
    (("201", "203", "202"), [("20", "123")]),
    (("209", "210", "20", "2100"), [("20", "9"), ("21", "0"), ("2", "0"), ("210", "0")]),
    ((), []),
])
def test_numbers_that_differ_in_the_last_digit_are_one_hint(extensions: tuple[str, ...], expected: list[tuple[str, str]]) -> None:
    assert list(together(extensions)) == [Numbers(*each) for each in expected]


def test_lamps_of_users_with_devices_of_other_names_are_hints_of_their_own() -> None:
    tenant = acme(("Anna, devices: [desk]", "Anna, devices: [desk, mobile]"))
    assert lamps_of(tenant).users == ((Numbers("20", "1"), ("desk", "mobile")), (Numbers("20", "23"), ("desk",)))


def test_agents_have_lamps_only_where_a_code_begins_a_pause() -> None:
    assert lamps_of(TENANT).agents == (Numbers("20", "12"),)
    codes = TENANT.codes.model_copy(update={"pause": None})
    assert lamps_of(TENANT.model_copy(update={"codes": codes})) == Lamps(lamps_of(TENANT).users, lamps_of(TENANT).slots, ())


def test_every_lamp_is_a_hint_for_exactly_its_numbers() -> None:
    text = rendered(TENANT)["extensions/acme.conf"].partition("[acme-lamps]\n")[2].partition("\n\n")[0]
    assert text.splitlines() == [
        "exten => _20[123],hint,PJSIP/acme-${EXTEN}-desk",
        "exten => _70[89],hint,park:${EXTEN}@acme-yard",
        "exten => _71[01],hint,park:${EXTEN}@acme-yard",
        "exten => *61,hint,Custom:acme-switch-mode",
        "exten => _*5220[12],hint,Custom:acme-away-${EXTEN:3}",
    ]
