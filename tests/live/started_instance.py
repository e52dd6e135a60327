"""An instance of a test's own: its own directory and loopback address, started, and removed at the end."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from runtime.choose import open_runtime
from tests.live.pbx import Pbx


def settings_at(address: str) -> dict[str, str]:
    """All services listen there."""
    return {f"CENTRALKA_{service}_ADDRESS": address for service in ("SIP", "AGI", "AMI", "PROVISION")}


@contextmanager
def started_instance(name: str, settings: Mapping[str, str], tenants: Path) -> Iterator[Pbx]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    runtime = open_runtime(os.environ.get("CENTRALKA_TEST_RUNTIME", "local"), f"{name}{worker}")
    runtime.remove()
    runtime.prepare(settings)
    runtime.apply(tenants)
    try:
        runtime.start()
        yield Pbx(runtime, tenants)
    finally:
        runtime.remove()
