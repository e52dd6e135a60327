"""What two files together, or one file's references, are refused for."""

import pytest

from routing.check.check import read_tenants
from tests.tenants_for_tests import ACME, ROSSI, changed, problems
from yaml_models.errors import ConfigError


@pytest.mark.parametrize(("old", "new", "expected"), [
    ('ring: ["201"]', 'ring: ["201", "209"]', "acme.yaml:25 failover.ring.#2: no user with extension '209' (did you mean '203'?)"),
    ('ring: ["201"], voicemail: "201"', 'ring: ["201"], voicemail: "209"', "acme.yaml:25 failover.voicemail: no user with extension '209' (did you mean '203'?)"),
    ('ring: ["201"], voicemail: "201"', 'ring: ["201"], voicemail: "203"', "acme.yaml:25 failover.voicemail: user 203 has no voicemail"),
    ("voicemail: false", "voicemail: false, missed: salse", "acme.yaml:9 users.203.missed: no element named 'salse' (did you mean 'sales'?)"),
    ("voicemail: false", 'voicemail: false, missed: "9999"', "acme.yaml:9 users.203.missed: no user with extension '9999'"),
    ("{to: main}", "{to: mian}", "acme.yaml:11 numbers.+48221234567.to: no element named 'mian' (did you mean 'main'?)"),
    ('members: ["202", "201"]', 'members: ["202", "8888"]', "acme.yaml:20 groups.service.members.#2: no user with extension '8888'"),
    ("voicemails:", 'voicemails:\n  start: {mailbox: "201"}', "acme.yaml:22 voicemails.start: 'start' is the system's own word, expected another name"),
])
def test_reference_that_dangles_is_told_where_it_stands(old: str, new: str, expected: str) -> None:
    assert problems(changed((old, new))) == [expected]


def test_internal_number_belongs_to_one_element() -> None:
    text = changed(('mailbox: "201"', 'extension: "300", mailbox: "201"'))
    assert problems(text) == ["acme.yaml:22 voicemails.mail.extension: extension 300 is already that of groups.sales"]


def with_trunk(text: str, address: str, port: int = 5060) -> str:
    return changed(("menus:", f"trunks:\n  carrier: {{kind: address, address: {address}, port: {port}}}\nmenus:"), text=text)


def told(texts: dict[str, str]) -> list[str]:
    try:
        read_tenants(texts)
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []


def test_trunk_address_belongs_to_one_tenant() -> None:
    texts = {"acme.yaml": with_trunk(ACME, "192.0.2.7"), "rossi.yaml": with_trunk(ROSSI, "192.0.2.7")}
    clash = ["rossi.yaml:13 trunks.carrier.address: trunk address 192.0.2.7 already belongs to acme.yaml:13 trunks.carrier.address"]
    assert told(texts) == clash
    assert told(texts | {"rossi.yaml": with_trunk(ROSSI, "192.0.2.7", 5070)}) == clash, "Asterisk knows a trunk by its address alone"
    assert told(texts | {"rossi.yaml": with_trunk(ROSSI, "192.0.2.8")}) == []


@pytest.mark.parametrize(("ends", "is_refused"), [
    ("", True), ("max_wait_s: 60", False), ("keys: {'1': mail}", False), ("call_back: {key: '2'}", False)])
def test_line_in_which_nobody_could_ever_answer_or_leave_is_refused(ends: str, is_refused: bool) -> None:
    line = f'queues:\n  line: {{members: ["201"], wait_when_empty: true, unanswered: mail, {ends}}}\ntrunks:'
    text = changed(("trunks:", line), text=with_trunk(ACME, "192.0.2.7"))
    assert problems(text) == ([
        "acme.yaml:13 queues.line.wait_when_empty: where nobody is there the wait never ends, expected max_wait_s, keys or call_back"
    ] if is_refused else [])


def test_tenants_short_name_belongs_to_one_file() -> None:
    other = changed(("+48221234567", "+48229999999"))
    assert told({"acme.yaml": ACME, "other.yaml": other}) == ["other.yaml:1 tenant: tenant acme already belongs to acme.yaml:1 tenant"]
