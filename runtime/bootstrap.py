"""`python3 -m runtime.bootstrap LOCK`: installs the Python packages of a lock file into .venv and, at the same time, what the
host lacks: Debian packages and the Debian root that Asterisk runs in. Standard library only.

Exit code 2 where something cannot be installed; what is complete stays, so that the next run goes on from there.
"""

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from runtime import packages, root
from runtime.failure import RuntimeFailure
from runtime.places import REPOSITORY, ROOT
from runtime.progress import fail, run_shown, say, step

VENV = REPOSITORY / ".venv"
PYTHON = (3, 11)


def require_python() -> None:
    """Installs python3-venv where it is missing. Raises RuntimeFailure for a Python that is too old."""
    if sys.version_info < PYTHON:
        found = ".".join(map(str, sys.version_info[:2]))
        raise RuntimeFailure(f"found Python {found} ({sys.executable}), expected 3.11 or newer; name another with PYTHON=...")
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        packages.install_named(("python3-venv",))


def install_python_packages(lock: Path) -> None:
    """Makes .venv and installs exactly the versions of `lock`, each checked by its hash."""
    pip = (str(VENV / "bin" / "pip"), "--disable-pip-version-check", "--no-input")
    with step(f"Python packages of {lock.name} (once)") as running:
        for command in (
            (sys.executable, "-m", "venv", str(VENV)),
            (*pip, "install", "--progress-bar", "off", "--no-compile", "--require-hashes", "-r", str(lock)),
            (*pip, "install", "--no-deps", "--no-compile", "-e", str(REPOSITORY)),
        ):
            code, output = run_shown(running, command)
            if code != 0:
                raise RuntimeFailure(f"{' '.join(command)} ended with {code}:\n{output[-3000:]}")


def install_debian_packages() -> None:
    """The host's Debian packages and the first Debian root. An outdated root may have calls: `make up` replaces it."""
    packages.install("host")
    if not ROOT.exists():
        root.build(ROOT, root.asterisk_recipe())


def main(lock: Path) -> int:
    try:
        require_python()
        with ThreadPoolExecutor(2) as threads:
            tasks: list[Callable[[], None]] = [partial(install_python_packages, lock)]
            if os.geteuid() == 0:
                tasks.append(install_debian_packages)
            for done in [threads.submit(task) for task in tasks]:
                done.result()
    except RuntimeFailure as failure:
        fail(str(failure))
        return 2
    say("Installed.")
    return 0


if __name__ == "__main__":
    sys.exit(main(REPOSITORY / sys.argv[1]))
