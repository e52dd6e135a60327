"""Unchanged tenant files: an apply need not read them again, because they were checked and published as they are.

Everything that may make a difference is compared. In any other unusual case no file counts as known and all are read.
"""

import hashlib
import os
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pydantic
from pydantic import BaseModel, ConfigDict, ValidationError

from centralka.settings import Settings
from confgen.publish.revision import current_name
from routing.check.clashes import avoided, claims
from routing.tenant.tenant import Tenant

REPOSITORY = Path(__file__).resolve().parents[2]
CODE = ("centralka", "confgen", "routing", "simulator", "templates", "yaml_models")
PACKAGES = Path(pydantic.__file__).parent.parent
SCENARIOS = ".scenarios.yaml"      # how the name of a file of scenarios ends; no tenant is read from it
PLATFORM = "platform.yaml"         # the operator's own file, in the directory of the tenants' files
_NAME = re.compile(r"[\w.-]+")


def this_year() -> int:
    return datetime.now(UTC).year


class KnownTenant(BaseModel):
    """The values of one tenant that the checks across all tenants need when its file is not read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tenant: str
    claims: tuple[str, ...]
    avoided: tuple[str, ...]

    @classmethod
    def of(cls, tenant: Tenant) -> "KnownTenant":
        return cls(
            tenant=tenant.tenant, claims=tuple(claim for _, claim in claims(tenant)),
            avoided=tuple(claim for _, claim in avoided(tenant)))


Known = Mapping[str, KnownTenant]        # by the keys of their files


class _Kept(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    revision: str                        # that they are published in
    basis: str
    tenants: dict[str, KnownTenant]


def load_known(settings: Settings) -> Known:
    """The tenants of the current revision, if all that they were made with is as it was; none otherwise."""
    try:
        kept = _Kept.model_validate_json(_file(settings).read_bytes())
    except (OSError, ValidationError):
        return {}
    is_current = kept.revision == current_name(settings.home) and kept.basis == _basis(settings)
    return kept.tenants if is_current else {}


def save_known(settings: Settings, revision: str, known: Known) -> None:
    """`known` are all tenants of that revision, or none."""
    kept = _Kept(revision=revision, basis=_basis(settings), tenants=dict(known))
    new = _file(settings).with_suffix(".new")
    new.touch(0o600)            # only commands read it
    new.write_text(kept.model_dump_json())
    new.replace(_file(settings))


def keys(texts: Mapping[str, str], files: Mapping[str, Path]) -> dict[str, str]:
    """A digest for each tenant's file: of its text, and of the attributes that change with every write of its scenarios, of the
    operator's file and of the files that the text names."""
    beside = {folder: _beside(folder) for folder in {path.parent for path in files.values()}}
    found: dict[str, str] = {}
    for name, text in texts.items():
        folder = beside[files[name].parent]
        named = ({PLATFORM, files[name].with_suffix(SCENARIOS).name, *_NAME.findall(text)} & folder.keys()) if folder else set()
        found[name] = _digest(text, *(f"{each} {folder[each]}" for each in sorted(named)))
    return found


def _beside(folder: Path) -> dict[str, str]:
    """All files that are not a tenant's."""
    ours = (SCENARIOS, PLATFORM)
    entries = [entry for entry in os.scandir(folder) if not entry.name.endswith(".yaml") or entry.name.endswith(ours)]
    stats = {entry.name: entry.stat() for entry in entries if entry.is_file()}
    return {name: f"{stat.st_ino} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}" for name, stat in stats.items()}


def _basis(settings: Settings) -> str:
    """The inputs common to all tenants: our code, the packages, the instance's settings and secrets, and the year from which
    calendars are expanded."""
    code = [path for part in CODE for path in sorted((REPOSITORY / part).rglob("*")) if path.suffix in (".py", ".j2")]
    packages = sorted(name for name in os.listdir(PACKAGES) if name.endswith(".dist-info"))
    secrets = (settings.home / "secrets.json").read_text()
    texts = (path.read_text() for path in code)
    return _digest(sys.version, *packages, *texts, settings.model_dump_json(), secrets, str(this_year()))


def _file(settings: Settings) -> Path:
    return settings.home / "published" / "known.json"


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()
