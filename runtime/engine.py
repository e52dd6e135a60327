"""The Docker engine: a check that one answers, its compose command, and a dockerd of our own if none runs."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runtime import packages
from runtime.failure import RuntimeFailure
from runtime.places import DOCKER
from runtime.progress import say, step
from runtime.waiting import gone

START_LIMIT_S = 40.0


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine that answers, and its compose command."""

    version: str
    compose: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NoEngine:
    """The reason that containers cannot be used."""

    why: str


def find_engine() -> Engine | NoEngine:
    """Asks the engine that the docker command would use (DOCKER_HOST)."""
    if not shutil.which("docker"):
        return NoEngine("there is no docker command")
    version = answer_of("docker", "info", "--format", "{{.ServerVersion}}")
    if not version:
        return NoEngine("no Docker engine answers")
    for compose in (("docker", "compose"), ("docker-compose",)):
        if shutil.which(compose[0]) and answer_of(*compose, "version"):
            return Engine(version, compose)
    return NoEngine("the Docker engine has no compose")


def answer_of(*command: str) -> str:
    """The output of a command; '' when it failed or took too long."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def docker(arguments: Sequence[str], *, timeout_s: float = 120, both: bool = False) -> str:
    """Runs `docker ...`; its output (`both`: and its errors). Raises RuntimeFailure."""
    done = subprocess.run(
        ["docker", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=timeout_s,
    )
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise RuntimeFailure(f"docker {' '.join(arguments)} ended with {done.returncode}: {said}")
    return done.stdout + (done.stderr if both else "")


@contextmanager
def engine_for_tests(directory: Path = DOCKER) -> Iterator[Engine | NoEngine]:
    """The engine that answers; else one that we start as root, and stop at the end. DOCKER_HOST is set meanwhile."""
    found = find_engine()
    if isinstance(found, Engine):
        yield found
        return
    say(f"{found.why}: trying to start one")
    try:
        packages.install("engine")
    except RuntimeFailure as failure:
        yield NoEngine(str(failure))
        return
    found = find_engine()                   # installing it may have started it
    if isinstance(found, Engine):
        yield found
        return
    if os.geteuid() != 0 or not shutil.which("dockerd"):
        yield NoEngine("dockerd is not here, or we are not root")
        return
    with own_dockerd(directory) as why_not:
        yield NoEngine(why_not) if why_not else find_engine()


@contextmanager
def own_dockerd(directory: Path) -> Iterator[str]:
    """Runs dockerd with all its files in `directory` and without touching the network: our containers use the host's.
    Yields the reason that it does not work; '' when it works."""
    directory.mkdir(parents=True, exist_ok=True)
    end_left_over(directory)
    address = f"unix://{directory}/docker.sock"
    log = directory / "dockerd.log"
    before = os.environ.get("DOCKER_HOST")
    with step("dockerd"), log.open("wb") as output:
        dockerd = subprocess.Popen(
            ["dockerd", "--host", address, "--data-root", str(directory / "data"), "--exec-root", str(directory / "exec"),
             "--pidfile", str(directory / "dockerd.pid"), "--bridge=none", "--iptables=false", "--ip6tables=false"],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
        )
        os.environ["DOCKER_HOST"] = address
        deadline = time.monotonic() + START_LIMIT_S
        while not answer_of("docker", "info", "--format", "{{.ServerVersion}}"):
            if dockerd.poll() is not None or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        else:
            deadline = float("inf")
    try:
        yield "" if deadline == float("inf") else f"dockerd does not start here:\n{log.read_text(errors='replace')[-1500:]}"
    finally:
        if before is None:
            del os.environ["DOCKER_HOST"]
        else:
            os.environ["DOCKER_HOST"] = before
        dockerd.send_signal(signal.SIGTERM)
        try:
            dockerd.wait(timeout=30)
        except subprocess.TimeoutExpired:
            dockerd.kill()
            dockerd.wait()
        unmount(directory)


def end_left_over(directory: Path) -> None:
    """Ends a dockerd of ours that an interrupted run left running."""
    try:
        pid = int((directory / "dockerd.pid").read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return
    if os.fsencode(directory / "data") in command:
        os.kill(pid, signal.SIGTERM)
        if not gone(pid, 30):
            raise RuntimeFailure(f"an earlier dockerd of ours, process {pid}, does not end")
        unmount(directory)


def unmount(directory: Path) -> None:
    """Takes off what dockerd leaves mounted in its directory, which could not be removed otherwise."""
    for line in reversed(Path("/proc/mounts").read_text().splitlines()):
        point = Path(line.split()[1])
        if point.is_relative_to(directory):
            subprocess.run(["umount", str(point)], check=False, timeout=30)
