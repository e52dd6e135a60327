"""An instance in containers: docker/compose.yaml, on the host's network, with the instance's directory mounted."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from runtime import ready
from runtime.engine import Engine, docker
from runtime.failure import RuntimeFailure
from runtime.images import Images, ensure_images
from runtime.instance import Instance
from runtime.places import DOCKER, REPOSITORY
from runtime.process import Process, console_answer

COMPOSE_FILE = REPOSITORY / "docker" / "compose.yaml"
INSIDE = PurePosixPath("/srv/centralka")


class DockerRuntime:
    """The instance `name`, which is <directory>/srv/<name> and the compose project centralka-<name>."""

    def __init__(self, name: str, engine: Engine, directory: Path = DOCKER) -> None:
        if os.geteuid() != 0:
            raise RuntimeFailure("giving the instance's files to the containers' users needs root; run it with sudo")
        self.engine = engine
        self.project = f"centralka-{name}"
        self.instance = Instance(directory / "srv" / name, INSIDE)

    @property
    def home(self) -> Path:
        return self.instance.home

    def prepare(self, settings: Mapping[str, str]) -> None:
        self.instance.prepare(settings, is_running=self.is_running())

    def apply(self, tenants: Path) -> str:
        return self.instance.apply(tenants)

    def is_running(self) -> bool:
        return any(self._container(name, running=True) for name in Process)

    def is_supervised(self) -> bool:
        return self.is_running()        # dockerd restarts containers

    def start(self) -> None:
        self._write_environment(ensure_images())
        self.instance.permit()
        self._compose("up", "-d", "--no-build", Process.REDIS.value)
        self.wait_ready(Process.REDIS)
        if not self._container(Process.AMI, running=True):
            ready.forget_ami(self.home)
        self._compose("up", "-d", "--no-build")
        for name in Process:
            self.wait_ready(name)

    def stop(self) -> None:
        if any(self._container(name) for name in Process):
            ready.forget_ami(self.home)
            self._compose("down")

    def remove(self) -> None:
        self.stop()
        self.instance.remove()

    def start_process(self, name: Process) -> None:
        if name is Process.AMI:
            ready.forget_ami(self.home)
        docker(["start", self._existing(name)])
        self.wait_ready(name)

    def stop_process(self, name: Process, *, kill: bool = False) -> None:
        if container := self._container(name, running=True):
            docker(["kill", container] if kill else ["stop", container])
        if name is Process.AMI:
            ready.forget_ami(self.home)

    def pid_of(self, name: Process) -> int | None:
        container = self._container(name, running=True)
        return int(docker(["inspect", "--format", "{{.State.Pid}}", container])) or None if container else None

    def wait_ready(self, name: Process) -> None:
        ready.wait_ready(self, name)

    def asterisk_cli(self, command: str) -> str:
        conf = str(INSIDE / "asterisk" / "asterisk.conf")
        asterisk = self._existing(Process.ASTERISK)
        return console_answer(docker(["exec", asterisk, "asterisk", "-C", conf, "-rx", command], timeout_s=60))

    def log_of(self, name: Process) -> str:
        container = self._container(name)
        return docker(["logs", "--tail", "200", container], both=True) if container else ""

    def _container(self, name: Process, *, running: bool = False) -> str:
        """The id of the process's container; '' when it has none."""
        labels = (f"project={self.project}", f"service={name}")
        filters = [word for label in labels for word in ("--filter", f"label=com.docker.compose.{label}")]
        return docker(["ps", "--quiet", *([] if running else ["--all"]), *filters]).strip()

    def _existing(self, name: Process) -> str:
        if container := self._container(name):
            return container
        raise RuntimeFailure(f"{name} of {self.project} has no container; start the instance first")

    def _environment_file(self) -> Path:
        return self.home / "compose.env"

    def _write_environment(self, images: Images) -> None:
        self._environment_file().write_text(
            f"INSTANCE={self.home}\nASTERISK_IMAGE={images.asterisk}\nSERVICES_IMAGE={images.services}\n"
        )

    def _compose(self, *arguments: str) -> None:
        command = (
            *self.engine.compose, "--env-file", str(self._environment_file()), "--file", str(COMPOSE_FILE),
            "--project-name", self.project, *arguments,
        )
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=300)
        if done.returncode != 0:
            raise RuntimeFailure(f"{' '.join(command)} ended with {done.returncode}:\n{(done.stderr + done.stdout)[-3000:]}")
