"""The processes of an instance and the operations on them, the same in containers and in the local root."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class Process(StrEnum):
    """In the order in which they start."""

    REDIS = "redis"
    ASTERISK = "asterisk"
    AGI = "agi"
    AMI = "ami"
    PROVISION = "provision"


def console_answer(printed: str) -> str:
    """The output of `asterisk -rx`, without the line that it prints first on a machine or in a namespace without Ethernet."""
    return "".join(line for line in printed.splitlines(keepends=True) if not line.startswith("No ethernet interface found"))


class Runtime(Protocol):
    """One instance that runs in the local root or in containers. A method returns when it is done or raises RuntimeFailure."""

    @property
    def home(self) -> Path:
        """The instance's directory, as the host sees it."""

    def prepare(self, settings: Mapping[str, str]) -> None:
        """Makes or completes the instance's directory; `settings` are CENTRALKA_... values such as addresses."""

    def apply(self, tenants: Path) -> str:
        """Publishes a directory of tenants."""

    def start(self) -> None:
        """Starts what does not run yet; all five processes are ready afterwards."""

    def stop(self) -> None:
        """Stops all, as the operator would; no process is left."""

    def remove(self) -> None:
        """Stops all and forgets the instance's directory."""

    def is_running(self) -> bool:
        """True if the instance has been started, even in part."""

    def is_supervised(self) -> bool:
        """True if a process that ends is started again."""

    def start_process(self, name: Process) -> None:
        """Starts one process that was stopped; it is ready afterwards."""

    def stop_process(self, name: Process, *, kill: bool = False) -> None:
        """Stops one process, which stays down until `start_process`. `kill`: with SIGKILL, without a chance to tidy up."""

    def pid_of(self, name: Process) -> int | None:
        """Its process id on the host; None when it does not run. A process killed by that id is started again by itself."""

    def wait_ready(self, name: Process) -> None:
        """Returns when the process does its work."""

    def asterisk_cli(self, command: str) -> str:
        """The answer of Asterisk's console."""

    def log_of(self, name: Process) -> str:
        """The end of what the process printed."""
