"""The picture of a call flow: what a person sees, and that no text in it can be anything but text."""

import re
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from centralka.cli.picture import LOOKS, dot_text, write_picture
from routing.nodes import Elements
from simulator.graph import Edge, Graph, Node, graph_of, with_path
from simulator.simulate import simulate
from tests.examples import examples
from tests.simulator.test_graph import MAIN, NOON, Origin, Script
from tests.tenants_for_tests import acme


def parsed(svg: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(svg)      # noqa: S314


def texts(file: Path) -> str:
    """All that can be read in an SVG, line for line."""
    return "\n".join("".join(element.itertext()) for element in parsed(file.read_bytes()).iter("{http://www.w3.org/2000/svg}text"))


def test_picture_shows_names_reasons_and_polish_letters(tmp_path: Path) -> None:
    file = tmp_path / "flow.svg"
    write_picture(graph_of(acme(("name: Zofia", "name: Zażółć Gęślą"))), "Acme", file)
    shown = texts(file).splitlines()
    assert {"Acme", "main", "menu", "key 2", "unanswered", "dial 300", "Zażółć Gęślą", MAIN} <= set(shown)


@pytest.mark.parametrize(("suffix", "begins"), [(".svg", b"<?xml"), (".png", b"\x89PNG"), (".dot", b"digraph")])
def test_suffix_chooses_the_form(tmp_path: Path, suffix: str, begins: bytes) -> None:
    file = tmp_path / f"flow{suffix}"
    write_picture(graph_of(acme()), "Acme", file)
    assert file.read_bytes().startswith(begins)


@pytest.mark.parametrize("name", ["flow.jpg", "flow", ".svg"])
def test_other_suffix_is_refused_before_anything_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"expected a file name that ends with \.svg, \.png or \.dot"):
        write_picture(graph_of(acme()), "Acme", tmp_path / name)
    assert not list(tmp_path.iterdir())


HOSTILE = [
    "</svg><script>alert(1)</script>", "<b>x</b>", "&lt;&#x41;&amp;", "\\N\\G\\l\\", '"];n9[label="', "a\x00b\x07\x1b[31m\ud800\ufffe",
    "]]>", "<!--", "'", "x -> y; }", "%s{}", "<TABLE><TR><TD>", "aaa\r\nccc",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text_wherever_it_stands(tmp_path: Path, text: str) -> None:
    nodes = (Node("a", "number", text, (text,), is_walked=True, whys=(text,)), Node("b", text, "b"))
    file = tmp_path / "flow.svg"
    write_picture(Graph(nodes, (Edge("a", "b", (text,)),)), text, file)
    shown = "".join(texts(file).replace("\u200b", "").split())
    for word in re.sub("[\0\x07\x1b\ud800\ufffe]", "\ufffd", text).split():
        assert shown.count(word) == 6
    root = parsed(file.read_bytes())
    assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {"svg", "g", "title", "polygon", "path", "text", "polyline"}
    assert len([element for element in root.iter() if element.get("class") == "node"]) == 2


@settings(max_examples=examples(40), deadline=None)
@given(st.text(max_size=60))
@example("]")
def test_any_text_is_drawn(text: str) -> None:
    graph = Graph((Node("a", "user", text, (text,)), Node("b", "user", "b")), (Edge("a", "b", (text,)),))
    done = subprocess.run(["dot", "-Tsvg"], input=dot_text(graph, text).encode(), capture_output=True, check=True)
    assert not done.stderr
    assert parsed(done.stdout) is not None


def test_path_stands_out_and_the_rest_fades() -> None:
    result = simulate(acme(), Script(Origin.TRUNK, MAIN, NOON, keys=("2",)))
    text = dot_text(with_path(graph_of(acme()), result.path, MAIN, result.outcome), "call")
    heavy = [line for line in text.splitlines() if "->" in line and "weight=20" in line]
    assert len(heavy) == 4
    assert "3. key 2, on to service" in text


def test_kinds_look_different_by_more_than_their_colour() -> None:
    assert len(set(LOOKS.values())) == len(LOOKS) == len(Elements.model_fields)


def test_flow_of_sixty_elements_is_drawn_with_each_of_them(tmp_path: Path) -> None:
    extra = "".join(f"  say_{i}: {{prompts: [welcome], next: {f'say_{i + 1}' if i < 59 else 'mail'}}}\n" for i in range(60))
    tenant = acme(("voicemails:", f"announcements:\n{extra}voicemails:"), ('"3": "203"', '"3": say_0'))
    file = tmp_path / "flow.svg"
    write_picture(graph_of(tenant), "Acme", file)
    assert {f"say_{i}" for i in range(60)} <= set(texts(file).splitlines())
