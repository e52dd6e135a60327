"""What a person sees of a tenant's call flow before it is drawn."""

from datetime import UTC, datetime

import pytest

from routing.call.reasons import Why
from routing.call.state import Origin, Visit
from routing.tenant.tenant import Tenant
from simulator.graph import CALL, END, FAILOVER, Edge, Graph, Node, graph_of, kind_of, reason_of, with_path
from simulator.script import Script
from simulator.simulate import simulate
from tests.tenants_for_tests import acme

MAIN = "+48221234567"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOURS = ("numbers:", """schedules:
  hours: {windows: [{days: mon, opens: "08:00", closes: "16:00"}], open: main, closed: main}
numbers:""")


def edge(graph: Graph, source: str, target: str) -> Edge:
    found = [one for one in graph.edges if (one.source, one.target) == (source, target)]
    assert len(found) == 1, found
    return found[0]


def node(graph: Graph, name: str) -> Node:
    found = [one for one in graph.nodes if one.id == name]
    assert len(found) == 1, found
    return found[0]


def marked(tenant: Tenant, *keys: str, number: str = MAIN, extension: str = "") -> Graph:
    origin = Origin.PHONE if extension else Origin.TRUNK
    result = simulate(tenant, Script(origin, number, NOON, extension, keys))
    return with_path(graph_of(tenant), result.path, number, result.outcome)


def walked(graph: Graph) -> list[tuple[str, str]]:
    return [(one.source, one.target) for one in graph.edges if one.is_walked]


def test_every_edge_says_its_reason() -> None:
    graph = graph_of(acme())
    assert edge(graph, "main", "service").reasons == ("key 2",)
    assert edge(graph, "main", "sales").reasons == ("key 1", "no key")
    assert edge(graph, "main", "201").reasons == ("wrong key",)
    assert edge(graph, "sales", "mail").reasons == ("unanswered",)
    assert edge(graph, "service", "202").reasons == ("member 1",)
    assert edge(graph, "mail", "201").reasons == ("mailbox",)
    assert edge(graph, FAILOVER, "201").reasons == ("rings", "then the mailbox")
    assert edge(graph, MAIN, "main").reasons == ()


def test_where_a_call_goes_on_to_and_whom_it_rings_are_told_apart() -> None:
    tenant = acme(("unanswered: mail}\n  service", 'unanswered: "201"}\n  service'))
    edges = [one for one in graph_of(tenant).edges if (one.source, one.target) == ("sales", "201")]
    assert {(one.rings, one.reasons) for one in edges} == {(False, ("unanswered",)), (True, ("member 1",))}


def test_every_user_element_and_number_is_there_once() -> None:
    names = [one.id for one in graph_of(acme()).nodes]
    assert sorted(names) == sorted([MAIN, "main", "sales", "service", "mail", "201", "202", "203", FAILOVER])


def test_node_says_its_kind_its_internal_number_its_hours_and_its_owner() -> None:
    graph = graph_of(acme(HOURS))
    assert (node(graph, "sales").kind, node(graph, "sales").notes) == ("group", ("dial 300",))
    assert node(graph, "hours").notes == ("mon 08:00-16:00",)
    assert (node(graph, "201").title, node(graph, "201").notes) == ("Anna", ("dial 201", "has a mailbox"))
    assert node(graph, "203").notes == ("dial 203",)


def test_element_that_no_number_leads_to_is_told() -> None:
    graph = graph_of(acme(HOURS))
    assert [one.id for one in graph.nodes if not one.is_reached] == ["hours"]


def test_slots_are_drawn_as_their_lot() -> None:
    graph = graph_of(acme(
        ("numbers:", 'parkings:\n  lot: {extension: "700", slots: 701-703, unanswered: main}\nnumbers:'), ("{to: main}", '{to: "702"}')))
    assert edge(graph, MAIN, "lot")
    assert edge(graph, "lot", "main").reasons == ("unanswered",)
    assert {end for one in graph.edges for end in (one.source, one.target)} <= {one.id for one in graph.nodes}


@pytest.mark.parametrize(("field", "reason"), [
    ("keys.1", "key 1"), ("keys.*", "key *"), ("no_key", "no key"), ("rules.0.to", "rule 1"), ("levels.1.members.0", "level 2 member 1"),
    ("otherwise", "otherwise"), ("all_busy", "all busy")])
def test_field_of_the_file_becomes_a_reason(field: str, reason: str) -> None:
    assert reason_of(field) == reason


@pytest.mark.parametrize(("section", "kind"), [
    ("menus", "menu"), ("call_servers", "call server"), ("directories", "directory"), ("switches", "switch"), ("hangups", "hangup")])
def test_section_becomes_the_kind_of_one(section: str, kind: str) -> None:
    assert kind_of(section) == kind


def test_path_of_a_call_is_marked_from_the_number_to_the_end() -> None:
    graph = marked(acme(), "9", "2")
    assert graph.is_marked
    assert walked(graph) == [(MAIN, "main"), ("main", "service"), (CALL, MAIN), ("service", END)]
    assert node(graph, "main").whys == ("2. asks for a key", "3. wrong key 9, asks again", "4. key 2, on to service")
    assert node(graph, END).title == "answered by 202"
    assert not node(graph, "sales").is_walked
    assert not node(graph, "202").is_walked


def test_way_on_is_marked_and_not_the_membership_beside_it() -> None:
    tenant = acme(("unanswered: mail}\n  service", 'unanswered: "201"}\n  service'))
    path = (Visit("start", Why.WORDS("202 dials 300")), Visit("sales", Why.WORDS("noanswer, nobody is left, on to 201")), Visit("201", Why.WORDS("rings desk")))
    edges = [one for one in with_path(graph_of(tenant), path, "300", "answered by 201").edges if (one.source, one.target) == ("sales", "201")]
    assert {one.reasons: one.is_walked for one in edges} == {("unanswered",): True, ("member 1",): False}


def test_internal_call_enters_without_a_public_number() -> None:
    graph = marked(acme(), number="300", extension="203")
    assert walked(graph) == [(CALL, "sales"), ("sales", END)]
    assert not node(graph, MAIN).is_walked


def test_number_that_is_nothing_ends_where_it_began() -> None:
    graph = marked(acme(), number="98", extension="203")
    assert walked(graph) == [(CALL, END)]
    assert node(graph, CALL).whys == ("1. 98 is no number here", "2. hangs up")


def test_path_through_what_the_tenant_no_longer_has_is_drawn_whole() -> None:
    path = (Visit("start", Why.WORDS(f"to {MAIN}")), Visit("main", Why.WORDS("key 8, on to gone")), Visit("gone", Why.WORDS("plays hello")), Visit("failover", Why.WORDS("no answer")))
    graph = with_path(graph_of(acme()), path, MAIN, "failover")
    assert walked(graph) == [(MAIN, "main"), (CALL, MAIN), ("main", "gone"), ("gone", FAILOVER), (FAILOVER, END)]
    assert node(graph, "gone").kind == "not there any more"
    assert node(graph, FAILOVER).is_walked


def test_call_that_no_decision_was_made_for_can_be_drawn() -> None:
    graph = with_path(graph_of(acme()), (), MAIN, "unanswered")
    assert walked(graph) == []
    assert node(graph, END).title == "unanswered"
