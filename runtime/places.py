"""Paths of the runtime's files in the repository."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE_LISTS = REPOSITORY / "docker" / "packages"
TENANTS = REPOSITORY / "tenants"
RUNTIME = REPOSITORY / ".runtime"
ROOT = RUNTIME / "root"                 # the Debian root that Asterisk and Redis run in
DOCKER = RUNTIME / "docker"             # images' inputs, instances that run in containers, our own dockerd
