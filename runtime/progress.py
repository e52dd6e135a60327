"""What a person watching `make up` sees: one line a step, with a moving last line where there is a terminal."""

import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape

console = Console(highlight=False)


def say(text: str) -> None:
    """One plain line."""
    console.print(escape(text), soft_wrap=True)


def warn(text: str) -> None:
    """One line that should not be overlooked."""
    console.print(f"[yellow]warning:[/] {escape(text)}", soft_wrap=True)


class Step:
    """A step that is under way; `show` replaces what it is doing at the moment."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.status = console.status(escape(title))

    def show(self, detail: str) -> None:
        width = max(20, console.width - len(self.title) - 8)
        self.status.update(f"{escape(self.title)} [dim]{escape(detail[:width])}[/]")


@contextmanager
def step(title: str) -> Iterator[Step]:
    """Announces `title`, and afterwards how long it took."""
    began = time.monotonic()
    if not console.is_terminal:
        console.print(escape(f"  {title} ..."))
    running = Step(title)
    with running.status:
        yield running
    console.print(f"[green]✓[/] {escape(title)} [dim]({time.monotonic() - began:.1f} s)[/]")


def run_shown(
    running: Step, command: Sequence[str], *, env: Mapping[str, str] | None = None, timeout_s: float = 900
) -> tuple[int, str]:
    """Runs `command`, showing its newest line; returns its exit code and all it printed."""
    lines: list[str] = []
    deadline = time.monotonic() + timeout_s
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", env=env,
    ) as process:
        assert process.stdout is not None  # noqa: S101 - PIPE was asked for
        for line in process.stdout:
            lines.append(line)
            running.show(line.strip())
            if time.monotonic() > deadline:
                process.kill()
                lines.append(f"killed after {timeout_s:.0f} s\n")
                break
        return process.wait(), "".join(lines)
