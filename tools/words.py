"""Word check: no class name is defined twice, a log event is a key, and prose uses the words of the field (style.md).

Reads docstrings, comments and documents. Prints each place with what to write instead; ends with 1 if there is any.
`python tools/words.py --count` prints totals by word and by folder.
"""

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FORBIDDEN = {
    r"told|tells": "say what is reported, played, printed or configured",
    r"mend(s|ed|ing)?": "repair, fix, correct",
    r"of late": "recently",
    r"anew": "again",
    r"in vain": "without an answer, without success",
    r"who(m)?ever": "the caller, the user, the person who ...",
    r"bears?": "allows, handles, survives",
    r"let(s)? out": "allows the external call, screens",
    r"(is|are|was|were) away": "is unavailable, is not reachable",
    r"(is|are) there\b(?! (a|an|any|no|one|more)\b)": "is present, exists, is registered",
}
LEVELS = ("debug", "info", "warning", "error", "exception", "critical")
KEY = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
QUESTION = re.compile(r"^(What|Whether|Who|Whom|Whose|How|Why)\b")


@dataclass(frozen=True, slots=True)
class Finding:
    path: str
    line: int
    found: str
    instead: str


def prose_of_python(path: Path) -> Iterator[tuple[int, str, bool]]:
    """Line, text, and if it is the first line of a docstring: docstrings and comments of a module."""
    text = path.read_text()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
                for number, line in enumerate(first.value.value.splitlines()):
                    yield first.lineno + number, line, number == 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("# "), False


def log_events(path: Path) -> Iterator[Finding]:
    """Log events that are no keys: the first argument of log.info() and the like, and `failed` of take_turns()."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name("log"), attr=level), args=[event, *_]) if level in LEVELS:
                events = [event]
            case ast.Call(func=ast.Name("take_turns")):
                events = [each.value for each in node.keywords if each.arg == "failed"]
            case _:
                continue
        for event in events:
            for each in (event.body, event.orelse) if isinstance(event, ast.IfExp) else (event,):
                is_key = isinstance(each, ast.Constant) and KEY.fullmatch(str(each.value))
                if not is_key and not (isinstance(each, ast.Name) and each.id == "failed"):
                    yield Finding(str(path), each.lineno, ast.unparse(each), "a log event is a key, such as call_answered")


def findings(path: Path) -> Iterator[Finding]:
    if path.suffix == ".py":
        prose = prose_of_python(path)
    else:
        prose = ((number, line, False) for number, line in enumerate(path.read_text().splitlines(), 1))
    for number, line, begins in prose:
        if begins and (word := QUESTION.match(line)):
            yield Finding(str(path), number, word[0], "a docstring begins with a noun phrase or a verb")
        for pattern, instead in FORBIDDEN.items():
            for found in re.finditer(rf"\b(?:{pattern})\b", line, re.IGNORECASE):
                yield Finding(str(path), number, found[0], instead)


def repeated_classes(paths: list[Path]) -> Iterator[Finding]:
    """Class names that two modules define; a nested or private class does not count."""
    places: dict[str, list[tuple[str, int]]] = {}
    for path in paths:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append((str(path), node.lineno))
    for name, found in places.items():
        for path_, line in found[1:]:
            yield Finding(path_, line, f"class {name}", f"another name: {found[0][0]}:{found[0][1]} has this one")


def main() -> int:
    listed = subprocess.run(["git", "ls-files", "*.py", "*.md"], capture_output=True, text=True, check=True).stdout.split()
    paths = [Path(name) for name in listed if Path(name).is_file()]
    product = [path for path in paths if path.suffix == ".py" and path.parts[0] not in ("tests", "bench", "tools")]
    found = [*repeated_classes(product), *(each for path in product for each in log_events(path))]
    found += [each for path in paths if path.parts[0] not in ("tests", "tools") for each in findings(path)]
    if "--count" in sys.argv:
        for title, counted in (("word", Counter(each.found.lower() for each in found)),
                               ("folder", Counter(each.path.rpartition("/")[0] or "." for each in found))):
            print(title, *(f"{number:5} {what}" for what, number in counted.most_common()), sep="\n")
    else:
        for each in found:
            print(f"{each.path}:{each.line} found '{each.found}', expected: {each.instead}")
    print(f"{len(found)} findings")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
