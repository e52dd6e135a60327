"""The tutorial, played: the files that it writes, and the output of the commands that it shows."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.centralka.test_documents import DOCUMENTS

TUTORIAL = DOCUMENTS / "tutorial.md"
BLOCK = re.compile(r"^```(yaml|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECTION = re.compile(r"^[a-z_]+:.*?(?=^[a-z_]+:|\Z)", re.MULTILINE | re.DOTALL)
LIMIT_S = 600


def merged(text: str, block: str) -> str:
    """The file after a reader has replaced the sections that the block names and added the others."""
    sections = {part.partition(":")[0]: part for part in (*SECTION.findall(text), *SECTION.findall(block))}
    return "".join(sections.values())


def printed(command: str, folder: Path) -> str:
    """The command's output, without trailing spaces. `centralka` is the one of this environment."""
    words = shlex.split(command)
    if words[0] == "centralka":
        words = [str(Path(sys.executable).parent / "centralka"), "--home", str(folder / "home"), *words[1:]]
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    else:
        done = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, timeout=LIMIT_S, check=True)  # noqa: S602
    shown = [line.rstrip() for line in (done.stdout + done.stderr).splitlines()]
    return "\n".join(line for line in shown if not line.startswith("assumed:"))


def test_reader_who_follows_the_tutorial_sees_what_it_shows(tmp_path: Path) -> None:
    (tmp_path / "tenants").mkdir()
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "settings.env").write_text(f"CENTRALKA_TENANTS={tmp_path / 'tenants'}\n")
    played = 0
    for kind, block in BLOCK.findall(TUTORIAL.read_text()):
        if kind == "yaml":
            name = "kowal.scenarios.yaml" if "scenarios:" in block else "kowal.yaml"
            file = tmp_path / "tenants" / name
            file.write_text(merged(file.read_text() if file.exists() else "", block))
            continue
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, expected = part.partition("\n")
            assert printed(command, tmp_path) == expected.rstrip(), command
            played += 1
    assert played >= 7
    assert (tmp_path / "kowal.svg").read_text().startswith("<?xml")


@pytest.mark.parametrize("document", sorted(DOCUMENTS.glob("*.md")), ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text()):
        assert (document.parent / target).exists(), target
