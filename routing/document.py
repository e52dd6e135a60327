"""A tenant's YAML text as plain values, every one with its line. Pure.

Every scalar stays the text that the person wrote: extension 0201 keeps its zero and the country `no` is not False.
The models convert. Source: YAML 1.2.2, chapter 10 (schemas are the reader's choice).
"""

import re
from dataclasses import dataclass, field

import yaml as libyaml
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from routing.errors import ConfigError, Problem

MAX_VALUES = 200_000   # aliases can multiply a small file into an endless one
MAX_DEPTH = 30
BLOCKS = ("|", ">")      # the two parsers differ in which of them they take
# What the two parsers take differently: tabs, and line breaks that only YAML 1.1 knows.
_ODD = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")

Value = dict[str, "Value"] | list["Value"] | str | None


@dataclass(frozen=True, slots=True)
class Document:
    """The values of one file and the line each stands on."""

    file: str
    values: dict[str, Value]
    lines: dict[tuple[str, ...], int] = field(repr=False)

    def line_of(self, path: tuple[str, ...]) -> int:
        """The line of `path`, or of the nearest thing that contains it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def problem(self, path: tuple[str, ...], text: str) -> Problem:
        return Problem(self.file, self.line_of(path), ".".join(path), text)


class _Reader:
    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[tuple[str, ...], int] = {}
        self.problems: list[Problem] = []

    def value(self, node: Node, path: tuple[str, ...]) -> Value:
        if len(path) > MAX_DEPTH or len(self.lines) > MAX_VALUES:
            line = node.start_mark.line + 1
            raise ConfigError([Problem(self.file, line, ".".join(path), "nested too deeply or far too large")])
        self.lines.setdefault(path, node.start_mark.line + 1)
        match node:
            case MappingNode():
                return self.mapping(node, path)
            case SequenceNode():
                return [self.value(item, (*path, str(i))) for i, item in enumerate(node.value)]
            case ScalarNode():
                is_plain = node.style not in ("'", '"', "|", ">")
                return None if is_plain and node.value in ("", "~", "null") else str(node.value)
            case _:
                raise TypeError(f"a YAML node of an unknown kind: {type(node)}")

    def mapping(self, node: MappingNode, path: tuple[str, ...]) -> dict[str, Value]:
        values: dict[str, Value] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value) if isinstance(key_node, ScalarNode) else ""
            line = key_node.start_mark.line + 1
            here = (*path, key)
            if not key:
                self.problems.append(Problem(self.file, line, ".".join(path), "found an empty or nested key, expected a name"))
                continue
            if key in values:
                self.problems.append(
                    Problem(self.file, line, ".".join(here), f"{key!r} stands twice, first on line {self.lines[here]}"))
                continue
            self.lines[here] = line
            values[key] = self.value(value_node, here)
        return values


def _plain_tree(text: str) -> Node | None:
    """The nodes of a file without anchors, tags, block texts and oddities, by libyaml in C: many times as fast as ruamel.
    None for any other file, and for one that it does not take: then ruamel decides, and tells what is wrong."""
    if _ODD.search(text):
        return None
    parser = libyaml.CSafeLoader(text)
    open_nodes: list[MappingNode | SequenceNode] = []
    node: ScalarNode | MappingNode | SequenceNode
    keys: list[Node | None] = []          # of each open node: the key whose value comes next
    documents: list[Node] = []
    try:
        while parser.check_event():
            event = parser.get_event()
            if isinstance(event, libyaml.ScalarEvent):
                if event.style in BLOCKS:
                    return None
                node = ScalarNode(None, event.value, event.start_mark, event.end_mark, style=event.style)
            elif isinstance(event, libyaml.MappingStartEvent):
                node = MappingNode(None, [], event.start_mark)
            elif isinstance(event, libyaml.SequenceStartEvent):
                node = SequenceNode(None, [], event.start_mark)
            elif isinstance(event, libyaml.CollectionEndEvent):
                open_nodes.pop()
                keys.pop()
                continue
            elif isinstance(event, libyaml.AliasEvent):
                return None
            else:
                continue
            if event.anchor or event.tag or len(open_nodes) > MAX_DEPTH:
                return None
            if not open_nodes:
                documents.append(node)
            elif isinstance(open_nodes[-1], SequenceNode):
                open_nodes[-1].value.append(node)
            elif keys[-1] is None:
                keys[-1] = node
            else:
                open_nodes[-1].value.append((keys[-1], node))
                keys[-1] = None
            if not isinstance(node, ScalarNode):
                open_nodes.append(node)
                keys.append(None)
    except libyaml.YAMLError:
        return None
    finally:
        parser.dispose()
    return documents[0] if len(documents) == 1 else None


def read_document(text: str, file: str) -> Document:
    """Raises ConfigError with the line of the first thing that is not YAML, or of each key that stands twice."""
    try:
        root = _plain_tree(text) or YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise ConfigError([Problem(file, line, "", f"not YAML: {error.problem or error.context}")]) from None
    except RecursionError:
        raise ConfigError([Problem(file, 1, "", "nested too deeply")]) from None
    except YAMLError as error:
        raise ConfigError([Problem(file, 1, "", f"not YAML: {str(error).splitlines()[0]}")]) from None
    reader = _Reader(file)
    if not isinstance(root, MappingNode):
        raise ConfigError([Problem(file, 1, "", "found no mapping, expected 'tenant: ...' and the other sections")])
    values = reader.mapping(root, ())
    if reader.problems:
        raise ConfigError(reader.problems)
    return Document(file, values, reader.lines)
