"""`python -m runtime up|down|status|...`, as the Makefile calls it. Exit code 2: the system is at fault."""

import os
import sys
from pathlib import Path

from runtime import up
from runtime.failure import RuntimeFailure
from runtime.progress import fail, say
from runtime.signals import exit_on_signals


def main(arguments: list[str]) -> int:
    match arguments:
        case ["up"]:
            up.up(os.environ.get("RUNTIME", ""))
        case ["down"]:
            up.down()
        case ["status"]:
            up.status()
        case ["instance", home]:
            up.make_instance(Path(home))
        case ["prepare"]:
            up.prepare_host()
        case ["test-docker", *rest]:
            return up.test_docker(rest)
        case _:
            say("usage: python -m runtime up|down|status|prepare|instance DIRECTORY|test-docker [pytest arguments]")
            return 1
    return 0


if __name__ == "__main__":
    exit_on_signals()
    try:
        sys.exit(main(sys.argv[1:]))
    except RuntimeFailure as failure:
        fail(f"{type(failure).__name__}: {failure}")
        sys.exit(2)
