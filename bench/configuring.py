"""Time to read, check and render the files of many tenants."""

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.tenants import write_small_tenants
from centralka.cli import configuration
from centralka.settings import Settings
from runtime.instance import centralka_command


@dataclass(frozen=True, slots=True)
class Configured:
    """In process, and as the command does it with Python's start."""

    tenants: int
    check_s: float
    render_s: float
    check_command_s: float


def measure_configuration(count: int) -> Configured:
    with TemporaryDirectory() as name:
        home, folder = Path(name), Path(name) / "tenants"
        write_small_tenants(folder, count)
        settings = Settings(home=home)
        began = time.perf_counter()
        read = configuration.read_all([folder], settings)
        checked = time.perf_counter()
        configuration.render_read(read, settings)
        rendered = time.perf_counter()
        subprocess.run([*centralka_command(home), "check", str(folder)], check=True, capture_output=True)
        return Configured(count, checked - began, rendered - checked, time.perf_counter() - rendered)
