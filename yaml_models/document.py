"""A tenant's YAML text as plain values, every one with its line. Pure.

Every scalar stays the text that the person wrote: extension 0201 keeps its zero and the country `no` is not False.
The models convert. Source: YAML 1.2.2, chapter 10 (schemas are the reader's choice).
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import yaml as libyaml
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from yaml_models.errors import ConfigError, Problem
from yaml_models.yaml_errors import explained

MAX_VALUES = 200_000   # aliases can multiply a small file into an endless one
MAX_DEPTH = 30
BLOCKS = ("|", ">")      # the two parsers differ in which of them they take
# What the two parsers take differently: tabs, and line breaks that only YAML 1.1 knows.
_ODD = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")

Value = dict[str, "Value"] | list["Value"] | str | None
Path = tuple[str, ...]      # keys, and the places in lists, counted from 0


@dataclass(frozen=True, slots=True)
class Document:
    """The values of one file and the line each stands on. `places` are those of items whose list was longer in the file."""

    file: str
    values: dict[str, Value]
    lines: Mapping[Path, int] = field(repr=False)
    places: Mapping[Path, int] = field(default_factory=dict, repr=False)

    def line_of(self, path: Path) -> int:
        """The line of `path`, or of the nearest thing that contains it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def problem(self, path: Path, text: str) -> Problem:
        return Problem(self.file, self.line_of(path), self.shown(path), text)

    def problem_in(self, path: Path, field: str, text: str) -> Problem:
        """A problem of the whole `path`, on the line of one of its fields."""
        return Problem(self.file, self.line_of((*path, field)), self.shown(path), text)

    def place(self, path: Path) -> str:
        """'acme.yaml:12 phones.reception.mac'."""
        return f"{self.file}:{self.line_of(path)} {self.shown(path)}"

    def shown(self, path: Path) -> str:
        """'groups.sales.members.#2': list items counted from 1."""
        value: Value = self.values
        words: list[str] = []
        for i, part in enumerate(path):
            if isinstance(value, list) and part.isdecimal():
                words.append(f"#{self.places.get(path[:i + 1], int(part)) + 1}")
                value = value[int(part)] if int(part) < len(value) else None
            else:
                words.append(part)
                value = value.get(part) if isinstance(value, dict) else None
        return ".".join(words)

    def value_at(self, path: Path) -> Value:
        """None where the document has no value."""
        value: Value = self.values
        for part in path:
            match value:
                case dict():
                    value = value.get(part)
                case list() if part.isdecimal() and int(part) < len(value):
                    value = value[int(part)]
                case _:
                    return None
        return value

    def keys_at(self, path: Path) -> Collection[str]:
        value = self.value_at(path)
        return value.keys() if isinstance(value, dict) else ()

    def without(self, paths: Collection[Path]) -> "Document":
        """The rest of the file; errors in it show the lines and places that it has in the whole."""
        lines: dict[Path, int] = {}
        places: dict[Path, int] = {}

        def mapping(value: dict[str, Value], old: Path, new: Path) -> dict[str, Value]:
            kept = {key: each for key, each in value.items() if (*old, key) not in paths}
            return {key: rest(each, (*old, key), (*new, key)) for key, each in kept.items()}

        def rest(value: Value, old: Path, new: Path) -> Value:
            lines[new] = self.line_of(old)
            if isinstance(value, dict):
                return mapping(value, old, new)
            if isinstance(value, list):
                left = [place for place in range(len(value)) if (*old, str(place)) not in paths]
                places.update({(*new, str(i)): self.places.get((*old, str(place)), place) for i, place in enumerate(left)})
                return [rest(value[place], (*old, str(place)), (*new, str(i))) for i, place in enumerate(left)]
            return value

        return Document(self.file, mapping(self.values, (), ()), lines, places)


class _Reader:
    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[Path, int] = {}
        self.wrong: list[tuple[int, Path, str]] = []      # line, where, and what is wrong there

    def value(self, node: Node, path: Path) -> Value:
        if len(path) > MAX_DEPTH or len(self.lines) > MAX_VALUES:
            raise ConfigError([Problem(self.file, node.start_mark.line + 1, "", "nested too deeply or far too large")])
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

    def mapping(self, node: MappingNode, path: Path) -> dict[str, Value]:
        values: dict[str, Value] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value) if isinstance(key_node, ScalarNode) else ""
            line = key_node.start_mark.line + 1
            here = (*path, key)
            if not key:
                self.wrong.append((line, path, "found an empty or nested key, expected a name"))
                continue
            if key in values:
                self.wrong.append((line, here, f"{key!r} stands twice, first on line {self.lines[here]}"))
                continue
            self.lines[here] = line
            values[key] = self.value(value_node, here)
        return values


def _plain_tree(text: str) -> Node | None:
    """The nodes of a file without anchors, tags, block texts and oddities, by libyaml in C: many times as fast as ruamel.
    None for any other file, and for one that it does not take: then ruamel decides, and reports the error."""
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
        line, text = explained(error)
        raise ConfigError([Problem(file, line, "", f"not YAML: {text}")]) from None
    except RecursionError:
        raise ConfigError([Problem(file, 1, "", "nested too deeply")]) from None
    except YAMLError as error:
        raise ConfigError([Problem(file, 1, "", f"not YAML: {str(error).splitlines()[0]}")]) from None
    reader = _Reader(file)
    if not isinstance(root, MappingNode):
        raise ConfigError([Problem(file, 1, "", "found no sections, expected 'tenant: ...' and the others")])
    values = reader.mapping(root, ())
    document = Document(file, values, reader.lines)
    if reader.wrong:
        raise ConfigError([Problem(file, line, document.shown(path), text) for line, path, text in reader.wrong])
    return document
