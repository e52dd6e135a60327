"""The systemd units start the processes as the users of the instance's files, and restart each that ends."""

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from confgen.publish.ownership import GROUPS, IDS, RULES, Id
from runtime.instance import account_of
from runtime.places import REPOSITORY
from runtime.process import Process

UNITS = REPOSITORY / "runtime" / "systemd"
HOME = "/srv/centralka"


def unit(name: Process) -> configparser.ConfigParser:
    read = configparser.ConfigParser(interpolation=None, strict=True)
    read.optionxform = str  # type: ignore[assignment,method-assign]
    read.read_string((UNITS / f"centralka-{name}.service").read_text())
    return read


@pytest.mark.parametrize("name", list(Process))
def test_process_runs_as_the_user_of_its_files_and_is_started_again(name: Process) -> None:
    service, user = unit(name)["Service"], Id[name.name]
    assert service["User"] == service["Group"] == account_of(user)
    assert service["SupplementaryGroups"].split() == [account_of(group) for group in GROUPS[user]]
    assert (service["Restart"], service["CapabilityBoundingSet"], service["NoNewPrivileges"]) == ("always", "", "yes")
    assert service["ProtectSystem"] == "strict"
    assert unit(name)["Unit"]["StartLimitIntervalSec"] == "0", "systemd never gives up"


@pytest.mark.parametrize("name", list(Process))
def test_process_may_write_its_own_folders(name: Process) -> None:
    writable = set(unit(name)["Service"].get("ReadWritePaths", "").replace("+", "").split())
    own = {f"{HOME}/{path}" for path, rule in RULES.items() if rule.owner is Id[name.name]}
    assert own <= writable
    shared = {f"{HOME}/log", f"{HOME}/heard"}
    assert writable - own <= shared


def test_accounts_have_the_numbers_of_the_files_owners() -> None:
    lines = [line.split() for line in (UNITS / "sysusers.conf").read_text().splitlines() if not line.startswith("#")]
    assert {line[1]: int(line[2]) for line in lines} == {account_of(number): number for number in IDS}


def test_units_are_correct(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd is not installed")
    for file in UNITS.glob("centralka*"):
        lines = [f"ExecStart={shutil.which('true')}" if line.startswith("ExecStart=") else line
                 for line in file.read_text().splitlines()]      # the programs are not where production has them
        kept = [line for line in lines if not line.startswith(("Documentation=", "RootDirectory="))]
        (tmp_path / file.name).write_text("\n".join(kept))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, tmp_path.iterdir())], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
