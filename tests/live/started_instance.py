"""An instance of a test's own: its own directory and loopback address, started, and removed at the end."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from runtime.choose import open_runtime
from tests.live.pbx import Pbx


def settings_at(address: str) -> dict[str, str]:
    """All services listen there."""
    return {f"CENTRALKA_{service}_ADDRESS": address for service in ("SIP", "AGI", "AMI", "PROVISION")}


@contextmanager
def started_instance(
    name: str, settings: Mapping[str, str], tenants: Path, passwords: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Pbx]:
    """`passwords`: of the trunks that register, by endpoint."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    runtime = open_runtime(os.environ.get("CENTRALKA_TEST_RUNTIME", "local"), f"{name}{worker}")
    runtime.remove()
    runtime.prepare(settings)
    pbx = Pbx(runtime, tenants)
    for endpoint, password in passwords.items():
        pbx.centralka("secret", endpoint, answer=password)
    runtime.apply(tenants)
    try:
        runtime.start()
        yield pbx
    finally:
        runtime.remove()
