"""A tenant's call flow as nodes and edges, each edge with its reason, and the path of one call marked in it. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from pydantic import BaseModel

from routing.call.english import in_english
from routing.call.state import Visit
from routing.engine.entry import START
from routing.hours.schedule import Window
from routing.nodes import SYSTEM_NODES
from routing.nodes.node import Element
from routing.nodes.user import User
from routing.tenant.tenant import Tenant

# Nodes that are neither element nor user: no element can have such a name.
CALL, END, FAILOVER = "(call)", "(end)", "(failover)"
MAX_FAR = 10         # external numbers listed in a node
MAX_WINDOWS = 4      # windows listed in a node


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the diagram. `whys` are the reasons of a marked path, in its order."""

    id: str                          # an element's name, an extension, a DID, or one of the words above
    kind: str                        # 'menu', 'call server', 'user', 'number'
    title: str
    notes: tuple[str, ...] = ()
    is_reached: bool = True          # a number leads to it
    is_walked: bool = False
    whys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Edge:
    """The reason for the way from one node to another: 'key 1', 'unanswered'. `rings` separates what a node uses (members, a
    mailbox) from the nodes to which it sends the call."""

    source: str
    target: str
    reasons: tuple[str, ...] = ()
    rings: bool = False
    is_walked: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    is_marked: bool = False          # with the path of a call


def graph_of(tenant: Tenant) -> Graph:
    """Everything that a call to the tenant can reach, each user once."""
    edges = tuple(_merged(_edges(tenant)))
    reached = _reached(tenant, edges)
    nodes = [Node(did, "number", did) for did in tenant.numbers]
    for section, name, element in tenant.elements():
        dialled = (f"dial {element.extension}",) if element.extension else ()
        nodes.append(Node(name, kind_of(section), name, (*dialled, *_hours(element), *_far(element)), name in reached))
    for extension, user in tenant.users.items():
        mailbox = ("has a mailbox",) if user.voicemail else ()
        nodes.append(Node(extension, "user", user.name, (f"dial {extension}", *mailbox, *_far(user))))
    nodes.append(Node(FAILOVER, "failover", "failover", ("when the decision service gives no answer",)))
    return Graph(tuple(nodes), edges)


def with_path(graph: Graph, path: Sequence[Visit], number: str, outcome: str) -> Graph:
    """The graph with the path of a call to `number` (a DID of the tenant, or anything else) marked, and how it ended.
    Nodes of the path that the graph lacks, because the tenant was changed since, are added."""
    known = {node.id for node in graph.nodes}
    places = [_place_of(visit, known) for visit in path]
    whys: dict[str, tuple[str, ...]] = {}
    for i, (place, visit) in enumerate(zip(places, path, strict=True), start=1):
        whys[place] = (*whys.get(place, ()), f"{i}. {in_english(visit.why)}")
    route = [*places, END]
    if number in known and route[0] == CALL:
        route.insert(1 + sum(place == CALL for place in places[1:]), number)
    walked = set(route)
    nodes = [replace(node, is_walked=node.id in walked, whys=whys.get(node.id, ())) for node in graph.nodes]
    gone = [place for place in dict.fromkeys(places) if place not in known and place != CALL]
    nodes += [
        Node(place, "calls outside" if place in SYSTEM_NODES else "not there any more", place, is_walked=True, whys=whys[place])
        for place in gone]
    call = [Node(CALL, "call", "the call", is_walked=True, whys=whys[CALL])] if CALL in whys else []
    nodes = [*call, *nodes, Node(END, "end", outcome, is_walked=True)]
    steps = dict.fromkeys((source, target) for source, target in pairwise(route) if source != target)
    edges = [replace(edge, is_walked=(edge.source, edge.target) in steps and not edge.rings) for edge in graph.edges]
    drawn = {(edge.source, edge.target) for edge in edges if edge.is_walked}
    edges += [Edge(source, target, is_walked=True) for source, target in steps if (source, target) not in drawn]
    return Graph(tuple(nodes), tuple(edges), is_marked=True)


def kind_of(section: str) -> str:
    """One of a section of the tenant's file: 'menus' -> 'menu', 'call_servers' -> 'call server'."""
    word = section.replace("_", " ")
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    if word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    return word.removesuffix("s")


def reason_of(field: str) -> str:
    """The reason that a field's path stands for: 'keys.1' -> 'key 1', 'no_key' -> 'no key', 'rules.0.to' -> 'rule 1'."""
    parts = field.removesuffix(".to").split(".")
    words: list[str] = []
    for part, following in zip(parts, (*parts[1:], ""), strict=True):
        if words and parts[0] == "keys":
            words.append(part)
        elif part.isdecimal():
            words.append(str(int(part) + 1))
        else:
            words.append(kind_of(part) if following else part.replace("_", " "))
    return " ".join(words)


def _place_of(visit: Visit, known: Iterable[str]) -> str:
    if visit.node == START:
        return CALL
    return FAILOVER if visit.node == "failover" and visit.node not in known else visit.node


def _edges(tenant: Tenant) -> Iterator[Edge]:
    # A slot is drawn as its lot.
    lots = {number: name for _, name, element in tenant.elements() for number in element.inner_nodes(name)}
    for did, number in tenant.numbers.items():
        yield Edge(did, lots.get(number.to, number.to))
    for name, node in tenant.nodes.items():
        if name in lots:
            continue
        uses = node.uses()
        for field, target in uses.targets:
            yield Edge(name, lots.get(target, target), (reason_of(field),))
        for field, extension in uses.users:
            if extension != name:
                yield Edge(name, extension, (reason_of(field),), rings=True)
    for extension in tenant.failover.ring:
        yield Edge(FAILOVER, extension, ("rings",), rings=True)
    if tenant.failover.voicemail:
        yield Edge(FAILOVER, tenant.failover.voicemail, ("then the mailbox",), rings=True)


def _merged(edges: Iterable[Edge]) -> Iterable[Edge]:
    """One edge between two nodes for each kind of it, with all the reasons."""
    merged: dict[tuple[str, str, bool], Edge] = {}
    for edge in edges:
        same = (edge.source, edge.target, edge.rings)
        merged[same] = replace(edge, reasons=(*merged[same].reasons, *edge.reasons)) if same in merged else edge
    return merged.values()


def _reached(tenant: Tenant, edges: Iterable[Edge]) -> set[str]:
    targets: dict[str, list[str]] = {}
    for edge in edges:
        targets.setdefault(edge.source, []).append(edge.target)
    reached: set[str] = set()
    waiting = [*tenant.numbers, *tenant.internal_numbers.values()]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += targets.get(name, ())
    return reached


def _far(node: Element | User) -> tuple[str, ...]:
    """The external numbers that it may call."""
    return tuple(dict.fromkeys(f"calls {number}" for _, number in node.uses().outside[:MAX_FAR]))


def _hours(element: BaseModel) -> tuple[str, ...]:
    windows = [window for _, value in element if isinstance(value, tuple) for window in value if isinstance(window, Window)]
    described = [window.describe() for window in windows[:MAX_WINDOWS]]
    more = len(windows) - len(described)
    return (*described, f"and {more} windows more") if more else tuple(described)
