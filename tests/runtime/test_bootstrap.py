"""The bootstrap, which runs before any Python package is installed."""

import subprocess
import sys

from runtime.places import REPOSITORY


def test_bootstrap_needs_no_installed_package() -> None:
    without_packages = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); import runtime.bootstrap"]
    subprocess.run(without_packages, check=True, capture_output=True, timeout=600)


def test_two_steps_at_once_are_both_announced_and_both_end() -> None:
    script = (
        f"import sys; sys.path.insert(0, {str(REPOSITORY)!r})\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from runtime.progress import run_shown, step\n"
        "def work(title):\n"
        "    with step(title) as running:\n"
        "        return run_shown(running, ('echo', 'done'))\n"
        "with ThreadPoolExecutor(2) as threads:\n"
        "    assert list(threads.map(work, ('one', 'two'))) == [(0, 'done\\n')] * 2\n")
    shown = subprocess.run([sys.executable, "-I", "-S", "-c", script], check=True, capture_output=True, text=True, timeout=600).stdout
    for title in ("one", "two"):
        assert f"  {title} ..." in shown
        assert f"✓ {title} (" in shown
