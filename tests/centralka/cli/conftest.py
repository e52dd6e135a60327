"""Instances without a running Asterisk, for the command line."""

from pathlib import Path

import pytest

from tests.command_line import centralka
from tests.tenants_for_tests import ACME


def make_instance(folder: Path) -> Path:
    """Its home, with Acme's file in the folder of tenants beside it."""
    home, tenants = folder / "home", folder / "tenants"
    home.mkdir()
    tenants.mkdir()
    (tenants / "acme.yaml").write_text(ACME)
    (home / "settings.env").write_text(f"CENTRALKA_TENANTS={tenants}\nCENTRALKA_AMI_ADDRESS=127.77.255.254\n")
    assert centralka(home, "init").returncode == 0
    return home


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An instance where nothing is published yet."""
    return make_instance(tmp_path)


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance with Acme published, for questions only."""
    home = make_instance(tmp_path_factory.mktemp("published"))
    assert centralka(home, "apply").returncode == 0
    return home
