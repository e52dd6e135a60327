"""Which members of Asterisk's queues are paused: by what users have set, for every tenant that has queues."""

from ami.view.lamps import QueueMember, members_of, tenant_of_pause
from routing.call.facts import Personal
from tests.tenants_for_tests import acme

QUEUES = ("numbers:", """queues:
  line: {members: ["201", "202"], unanswered: "201"}
  other: {strategy: ordered, members: ["202"], unanswered: "201"}
conditions:
  door: {rules: [{when: {dates: [12-24]}, to: line}], otherwise: "201"}
numbers:""")


def test_who_is_out_of_a_queue_or_not_to_be_disturbed_is_paused_there() -> None:
    tenant = acme(QUEUES)
    found = {(member.queue, member.interface): paused for member, paused in members_of(tenant, {
        "201": Personal(logged_out_of=frozenset({"line"})), "202": Personal(paused_in=frozenset({"other"}))})}
    assert found == {
        ("acme-line", "Local/201@acme-agent/n"): True, ("acme-line", "Local/202@acme-agent/n"): False,
        ("acme-other-ordered", "Local/202@acme-agent/n"): True}
    assert dict(members_of(tenant, {"202": Personal(do_not_disturb=True)}))[
        QueueMember("acme-line", "Local/202@acme-agent/n")]


def test_member_is_known_by_the_device_of_its_pause() -> None:
    for member, _ in members_of(acme(QUEUES), {}):
        assert tenant_of_pause(member.device) == "acme"
    for other in ("Queue:acme-line", "PJSIP/acme-201-desk", "Custom:acme-away-201", "Local/201@acme-agent/n"):
        assert tenant_of_pause(other) == ""
