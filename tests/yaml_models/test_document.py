"""Two parsers, one meaning: the fast one never reads a tenant's file otherwise than the careful one."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tests.examples import examples
from yaml_models import document
from yaml_models.document import read_document
from yaml_models.errors import ConfigError

ACME = (Path(__file__).parents[2] / "tenants" / "acme.yaml").read_text()
PIECES = (*" \n\t:-{}[],#\"'|>?&*!%@`\\~0", ": ", "- ", "\n  ", "---\n", "...\n", "# c\n", "\\x41", "null", "!!str ", "&a ", "*a", "<<: ",
          "|2\n", ">+\n", ">-\n  x\n  y\n", "%YAML 1.1\n---\n", "\u00a0", "\u2028", "\u0085", "\ufeff", "é")


def read(text: str) -> object:
    try:
        found = read_document(text, "acme.yaml")
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return found.values, found.lines


@settings(max_examples=examples(300), deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(ACME)), st.sampled_from(PIECES), st.integers(0, 3)), max_size=4))
def test_fast_parser_gives_the_same_values_lines_and_problems(changes: list[tuple[int, str, int]]) -> None:
    text = ACME
    for place, piece, dropped in changes:
        text = text[:place] + piece + text[place + dropped:]
    fast = read(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(document, "_plain_tree", lambda text: None)
        assert read(text) == fast


def test_usual_file_is_read_by_the_fast_parser() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(YAML, "compose")
        assert read_document(ACME, "acme.yaml").values["tenant"] == "acme"


def test_folded_text_is_what_the_person_wrote() -> None:
    assert read_document("a: >-\n  one\n  two\n", "acme.yaml").values == {"a": "one two"}


def test_file_nested_without_end_is_refused() -> None:
    with pytest.raises(ConfigError):
        read_document("a: " + "[" * 5000, "acme.yaml")
