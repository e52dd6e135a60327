"""A container's health check: `python -m runtime.health agi|ami|provision` ends with 0 when the service does its work."""

import os
import sys
from pathlib import Path

from centralka.settings import Settings
from runtime.process import Process
from runtime.ready import accepts, ami_is_ready


def is_healthy(name: Process, home: Path) -> bool:
    """Raises ValueError for a process that has no check of this kind."""
    settings = Settings.load(home)
    match name:
        case Process.AGI:
            return accepts(settings.agi_address, settings.agi_port)
        case Process.AMI:
            return ami_is_ready(settings.redis_url)
        case Process.PROVISION:
            return accepts(settings.provision_address, settings.provision_port)
        case _:
            raise ValueError(f"found {name}, expected agi, ami or provision")


if __name__ == "__main__":
    sys.exit(0 if is_healthy(Process(sys.argv[1]), Path(os.environ["CENTRALKA_HOME"])) else 1)
