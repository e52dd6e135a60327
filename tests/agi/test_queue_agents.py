"""Which members of Asterisk's queues are paused: by what users have set, for every tenant that has queues."""

import json
from pathlib import Path

from agi.published import Published
from agi.queue_agents import QueueAgents, QueueMember, members_of
from routing.facts import Personal
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


def test_tenant_with_queues_is_found_whatever_its_rules_ask_for(tmp_path: Path) -> None:
    tenants = tmp_path / "published" / "revisions" / "1" / "tenants"
    tenants.mkdir(parents=True)
    for slug, tenant in (("acme", acme(QUEUES)), ("plain", acme())):
        (tenants / f"{slug}.json").write_text(json.dumps({"tenant": tenant.model_dump(mode="json"), "sounds": {}}, indent=1))
    (tmp_path / "published" / "decided").symlink_to("revisions/1")
    found = QueueAgents(None, Published(tmp_path), None).with_queues("revisions/1")      # type: ignore[arg-type]
    assert [list(tenant.queues) for tenant in found] == [["line", "other"]]
