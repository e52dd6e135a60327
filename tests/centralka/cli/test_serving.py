"""`centralka serve` starts with no more imports than a running service needs."""

import subprocess
import sys
from pathlib import Path

import pytest

UNUSED = {
    "simulator", "routing.check.check", "routing.call.english", "centralka.cli.terminal", "centralka.cli.instance", "yaml", "ruamel.yaml",
    "rich", "pygments", "click", "jinja2", "alembic", "icalendar", "numpy", "pocketsphinx"}
STARTS = """
import sys, uvloop
def run(service):
    service.close()
    print(*(name for name, module in sys.modules.items() if module))
uvloop.run = run
from centralka.cli.app import main
main()
"""


@pytest.mark.parametrize(("service", "unused"), [("agi", UNUSED | {"sqlalchemy"}), ("ami", UNUSED)])
def test_service_imports_no_simulator_parser_or_command_line(tmp_path: Path, service: str, unused: set[str]) -> None:
    (tmp_path / "published").mkdir()
    done = subprocess.run([sys.executable, "-c", STARTS, "--home", str(tmp_path), "serve", service], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    imported = set(done.stdout.split())
    assert "services.published_tenants" in imported
    assert imported & unused == set()


def test_service_of_no_instance_says_so(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", STARTS, "--home", str(tmp_path), "serve", "agi"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert "there is no instance in" in done.stderr
