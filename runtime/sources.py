"""Our own code as one hash, which shows if the running code is that of the repository."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from runtime.places import REPOSITORY

SOURCES = (
    "agi", "ami", "asterisk-conf", "centralka", "confgen", "provision", "routing", "runtime", "services", "simulator", "sipp",
    "store", "templates", "yaml_models",
)


def source_files() -> list[Path]:
    """Every file that the services may read at run time."""
    found = (path for source in SOURCES for path in (REPOSITORY / source).rglob("*"))
    return sorted(path for path in found if path.is_file() and "__pycache__" not in path.parts)


def digest(parts: Iterable[bytes]) -> str:
    """Changes with any of the parts, and with where one ends."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part).digest())
    return whole.hexdigest()


def source_digest() -> str:
    """The hash of the code and of the locked dependencies."""
    files = (*source_files(), REPOSITORY / "requirements.lock")
    return digest(item for path in files for item in (str(path.relative_to(REPOSITORY)).encode(), path.read_bytes()))
