import os
import subprocess
from pathlib import Path

import pytest

from runtime.confinement import closed_above, confined, with_reachable
from runtime.failure import RuntimeFailure
from runtime.process import Process

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A directory that only its owner enters, with an open one that is needed, and another one."""
    for name in ("needed", "other"):
        (tmp_path / "closed" / name).mkdir(parents=True)
        (tmp_path / "closed" / name / "file").write_text(f"{name} content")
        (tmp_path / "closed" / name).chmod(0o755)
        (tmp_path / "closed" / name / "file").chmod(0o644)
    (tmp_path / "closed").chmod(0o700)
    return tmp_path / "closed"


def output(*command: str) -> str:
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60).stdout


@needs_root
def test_process_reaches_what_it_needs_in_a_closed_directory_and_nothing_else_there(closed: Path, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    cat = confined(Process.AGI, ("/bin/cat", str(closed / "needed" / "file"), str(closed / "other" / "file")))
    assert output(*cat) == ""
    assert output(*with_reachable([closed / "needed"], cat, scratch)) == "needed content"
    assert (closed / "other" / "file").read_text() == "other content"          # here nothing has changed


@needs_root
def test_process_has_its_own_user_and_no_way_to_another(tmp_path: Path) -> None:
    status = output(*confined(Process.PROVISION, ("/bin/cat", "/proc/self/status")))
    lines = {name: rest.split() for name, _, rest in (line.partition(":") for line in status.splitlines())}
    assert lines["Uid"] == lines["Gid"] == ["65524"] * 4
    assert {lines[name][0] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert lines["NoNewPrivs"] == ["1"]


def test_what_everybody_can_reach_needs_no_namespace() -> None:
    assert with_reachable([Path("/usr")], ("true",), Path("/")) == ("true",)


def test_clone_that_the_services_cannot_read_is_named(closed: Path) -> None:
    (closed / "needed").chmod(0o700)
    with pytest.raises(RuntimeFailure, match=f"chmod -R go.rX {closed}/needed"):
        closed_above([closed / "needed"])
