"""A call flow drawn by Graphviz: SVG, PNG or DOT. Every text in it is escaped, none becomes markup."""

import html
import re
import subprocess
import sys
import textwrap
from pathlib import Path

from graphviz import Digraph

from routing.nodes import Elements
from simulator.graph import END, Edge, Graph, Node, kind_of

DRAW_LIMIT_S = 120
FONT = "DejaVu Sans"
TITLE_OF_ALL_WIDTH, TITLE_WIDTH, NOTE_WIDTH, REASON_WIDTH = 100, 22, 30, 18      # characters
# Paul Tol's "light" scheme, made to stand behind black text and to be distinguished by colour-blind people
# (https://sronpersonalpages.nl/~pault/). Shapes and the kind's word say the same as the colours.
FILLS = ("#77AADD", "#EE8866", "#EEDD88", "#99DDFF", "#FFAABB", "#BBCC33", "#44BB99", "#AAAA00")
SHAPES = ("box", "hexagon", "note", "component", "tab")
DARK, FADED = "#222222", "#AAAAAA"
# Lines of one node in one colour, so that an eye can follow them: the dark ones of Tol's "muted" scheme.
LINES = ("#332288", "#117733", "#882255", "#AA4499", "#661100", "#006699", "#6B5B00", "#444444")
WALKED = "#C1272D"
# By kind, the same in every picture. The two lists have no common divisor, so that pairs repeat late.
LOOKS = {kind_of(section): (FILLS[i % len(FILLS)], SHAPES[i % len(SHAPES)]) for i, section in enumerate(Elements.model_fields)}
_UNPRINTABLE = re.compile(r"[^\t\r\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\x7f-\x9f]")     # XML 1.0 has none of it


def write_picture(graph: Graph, title: str, file: Path | None) -> None:
    """Draws into the file, by its suffix, or as SVG to standard output. Raises ValueError for a suffix that is none of ours and
    OSError when Graphviz is not there or fails."""
    suffix = file.suffix if file else ".svg"
    if suffix not in (".svg", ".png", ".dot"):
        raise ValueError(f"found {file}, expected a file name that ends with .svg, .png or .dot")
    text = dot_text(graph, title)
    drawn = text.encode() if suffix == ".dot" else _laid_out(text, suffix.removeprefix("."))
    if file:
        file.write_bytes(drawn)
    else:
        sys.stdout.buffer.write(drawn)


def dot_text(graph: Graph, title: str) -> str:
    """The graph in Graphviz' language."""
    drawn = Digraph(
        graph_attr={
            "rankdir": "LR", "label": f"<{_lines(title, TITLE_OF_ALL_WIDTH)}>", "labelloc": "t", "fontsize": "18",
            "fontname": FONT, "nodesep": "0.18", "ranksep": "0.7"},
        node_attr={"fontname": FONT, "fontsize": "11", "style": "filled", "margin": "0.12,0.06", "height": "0.4"},
        edge_attr={"fontname": FONT, "fontsize": "9", "arrowsize": "0.7"})
    ids = {node.id: f"n{i}" for i, node in enumerate(graph.nodes)}
    for node in graph.nodes:
        drawn.node(ids[node.id], **_node(node, graph.is_marked))
    leading = dict.fromkeys(edge.source for edge in graph.edges)
    first = [node.id for node in graph.nodes if node.kind == "number" and not graph.is_marked]
    last = [node.id for node in graph.nodes if node.id == END or (node.kind == "user" and node.id not in leading)]
    for rank, column in (("source", first), ("sink", last)):
        with drawn.subgraph(graph_attr={"rank": rank}) as together:
            for name in column:
                together.node(ids[name])
    colours = {source: LINES[i % len(LINES)] for i, source in enumerate(leading)}
    for edge in graph.edges:
        colour = WALKED if edge.is_walked else FADED if graph.is_marked else colours[edge.source]
        drawn.edge(ids[edge.source], ids[edge.target], **_edge(edge, colour))
    return str(drawn.source)


def _laid_out(text: str, form: str) -> bytes:
    try:
        done = subprocess.run(["dot", f"-T{form}"], input=text.encode(), capture_output=True, timeout=DRAW_LIMIT_S, check=False)
    except FileNotFoundError:
        raise OSError("Graphviz' program dot is not here: apt-get install graphviz; a file.dot needs none") from None
    except subprocess.TimeoutExpired:
        raise OSError(f"Graphviz drew for {DRAW_LIMIT_S} s without an end; a file.dot needs no drawing") from None
    if done.returncode != 0:
        raise OSError(f"Graphviz' program dot ended with {done.returncode}: {done.stderr.decode(errors='replace')[:300]}")
    return done.stdout


def _node(node: Node, marked: bool) -> dict[str, str]:
    fill, shape, style, colour, text = "", "box", "filled", DARK, DARK
    match node.kind:
        case "number":
            fill, style, text = "#333333", "filled,rounded", "white"
        case "user":
            fill, style = "white", "filled,rounded"
        case "failover":
            fill, style = "#DDDDDD", "filled,dashed"
        case "call" | "end":
            fill, style, colour = "white", "filled,rounded,bold", WALKED
        case kind if kind in LOOKS:
            fill, shape = LOOKS[kind]
        case _:
            fill, style = "white", "filled,dashed"
    if not node.is_reached:
        style += ",dashed"
    if node.is_walked:
        style, colour = f"{style},bold", WALKED
    elif marked:
        fill, colour, text = "white", FADED, FADED
    return {"label": _label(node), "shape": shape, "style": style, "fillcolor": fill, "color": colour, "fontcolor": text,
            "penwidth": "2.5" if node.is_walked else "1"}


def _label(node: Node) -> str:
    captions = [] if node.kind in ("failover", "call") else [node.kind]
    captions += [] if node.is_reached else ["nothing leads here"]
    parts = [f"<B>{_lines(node.title, TITLE_WIDTH)}</B>"]
    small = [_lines(text, NOTE_WIDTH) for text in (*captions, *node.notes)]
    if small:
        parts.append(f'<FONT POINT-SIZE="9">{"<BR/>".join(small)}</FONT>')
    parts += [f'<FONT POINT-SIZE="10"><I>{_lines(why, NOTE_WIDTH)}</I></FONT>' for why in node.whys]
    return f"<{'<BR/>'.join(parts)}>"


def _edge(edge: Edge, colour: str) -> dict[str, str]:
    look = {"color": colour, "fontcolor": colour}
    if edge.rings:
        look |= {"style": "dashed", "arrowhead": "empty"}
    if edge.is_walked:
        look |= {"penwidth": "2.5", "weight": "20"}       # a heavy edge is drawn straight
    if edge.reasons:
        look["label"] = f"<{_lines(', '.join(edge.reasons), REASON_WIDTH)}>"
    return look


def _lines(text: str, width: int) -> str:
    """The text in lines of at most that many characters, for one of Graphviz' HTML-like labels."""
    lines = textwrap.wrap(_UNPRINTABLE.sub("\ufffd", text), width) or [" "]
    # Graphviz puts names in place of \N, \G and others here too, and has no escape for it: a space without width parts them.
    # At the end of a label it takes ']' for the end of a CDATA section.
    return "<BR/>".join(html.escape(line).replace("]", "&#93;").replace("\\", "\\\u200b") for line in lines)
