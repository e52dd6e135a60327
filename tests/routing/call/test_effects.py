"""Effects: no decision performs one in the guard of a case, and none drops its result."""

import ast
from collections.abc import Iterator
from pathlib import Path

import routing

ROUTING = Path(routing.__path__[0])


def calls_in(tree: ast.AST) -> set[str]:
    """The names of the functions and methods that are called."""
    called = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {each.attr if isinstance(each, ast.Attribute) else each.id for each in called if isinstance(each, ast.Attribute | ast.Name)}


def performing(trees: list[ast.Module]) -> set[str]:
    """`perform`, and the functions that perform an effect by themselves or by others that they call."""
    functions = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    found = {"perform"}
    while more := {function.name for function in functions if calls_in(function) & found} - found:
        found |= more
    return found


def misused(trees: list[ast.Module]) -> Iterator[str]:
    effects = performing(trees)
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.match_case) and node.guard and (found := calls_in(node.guard) & effects):
            yield f"line {node.guard.lineno}: a guard performs {found}"
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and (found := calls_in(node.value) & effects):
            yield f"line {node.lineno}: the result of {found} is dropped"


def test_no_effect_stands_in_a_guard_and_no_result_is_dropped() -> None:
    trees = [ast.parse(file.read_text(), str(file)) for file in ROUTING.rglob("*.py")]
    assert {"take_line", "decide"} <= performing(trees)
    assert list(misused(trees)) == []


def test_effect_in_a_guard_or_a_dropped_result_would_be_found() -> None:
    wrong = """
def admit(facts): return facts.perform(1)
def guard(facts):
    match facts:
        case 1 if admit(facts): pass
def drop(facts): admit(facts)
"""
    assert sorted(misused([ast.parse(wrong)])) == [
        "line 5: a guard performs {'admit'}", "line 6: the result of {'admit'} is dropped"]
