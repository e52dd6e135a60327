"""`make up`, `make down` and `make test-docker`: from a fresh clone to an answered call, and back."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path, PurePosixPath

from centralka.settings import Settings
from runtime import packages, root
from runtime.choose import Choice, Kind, choose, open_runtime
from runtime.docker import DockerRuntime
from runtime.engine import Engine, NoEngine, engine_for_tests, find_engine
from runtime.failure import RuntimeFailure
from runtime.instance import Instance, centralka_command
from runtime.local import LocalRuntime
from runtime.places import REPOSITORY, ROOT
from runtime.process import Process, Runtime
from runtime.progress import say, step, warn
from runtime.signals import undisturbed
from runtime.testcall import NUMBER, MeasuredCall, place_test_call, what_prevents

DEMO = "demo"
TEST_RUNTIME = "CENTRALKA_TEST_RUNTIME"     # read by the live tests: docker or local
NO_TESTS = 5                                # pytest's exit code when it found none


def up(wanted: str) -> None:
    """Everything that `make up` does. May be run again: what exists is left as it is."""
    began = time.monotonic()
    choice = choose(wanted, find_engine())
    say(f"Runtime: {choice.kind} ({choice.why}; RUNTIME=docker or RUNTIME=local decides otherwise)")
    prepare_host()
    stop_others(choice)
    runtime = open_runtime(choice.kind, DEMO)
    was_running = runtime.is_running()
    with step("Instance and tenants"):
        runtime.prepare({})
        settings = Settings.load(runtime.home)
        if not was_running:
            complain_of_taken(settings)
        tenants = REPOSITORY / settings.tenants
        said = runtime.apply(tenants)
    say(" ".join(said.split()))
    try:
        with step("Asterisk, Redis, agi, ami, provision"):
            runtime.start()
    except SystemExit:              # interrupted: all of it or nothing
        if not was_running:
            with undisturbed():
                runtime.stop()
        raise
    outcome = None
    if obstacle := what_prevents(tenants):
        say(f"No test call: {obstacle}")
    else:
        with step(f"Test call to {NUMBER}"):
            outcome = place_test_call(runtime.home)
    print_result(runtime, settings, outcome, time.monotonic() - began)


def prepare_host() -> None:
    """The host's packages and the Debian root, as the package lists say."""
    packages.install("host")
    recipe = root.asterisk_recipe()
    if root.is_current(ROOT, recipe):
        return
    for name in local_instances():
        if LocalRuntime(name).is_running():
            say(f"The Debian root is made anew: stopping {name}")
            LocalRuntime(name).stop()
    root.build(ROOT, recipe)


def make_instance(home: Path) -> None:
    """Makes or completes the directory of an instance whose processes systemd starts (docs/systemd.md)."""
    instance = Instance(home, PurePosixPath(home))
    instance.prepare({}, is_running=False)
    instance.permit()
    say(f"The instance is in {home}; next: centralka --home {home} apply TENANTS")


def local_instances() -> list[str]:
    """The instances in the local root."""
    return sorted(path.name for path in (ROOT / "srv").glob("*") if (path / "settings.env").exists())


def stop_others(choice: Choice) -> None:
    """Stops a demo that runs in the other runtime: both would use the same addresses."""
    other = Kind.LOCAL if choice.kind is Kind.DOCKER else Kind.DOCKER
    for kind, runtime in running_demos():
        if kind is other:
            say(f"The demo runs in {kind}: stopping it first")
            runtime.stop()


def running_demos() -> list[tuple[Kind, Runtime]]:
    """The demo, in either runtime."""
    found: list[tuple[Kind, Runtime]] = []
    if not (ROOT / "etc" / "passwd").exists():
        return found
    found.append((Kind.LOCAL, LocalRuntime(DEMO)))
    engine = find_engine()
    if isinstance(engine, Engine):
        found.append((Kind.DOCKER, DockerRuntime(DEMO, engine)))
    return [(kind, runtime) for kind, runtime in found if runtime.is_running()]


def complain_of_taken(settings: Settings) -> None:
    """Raises RuntimeFailure when something else listens where this instance should."""
    for what, kind, address, port in (
        ("SIP", socket.SOCK_DGRAM, settings.sip_address, settings.sip_port),
        ("AGI", socket.SOCK_STREAM, settings.agi_address, settings.agi_port),
        ("AMI", socket.SOCK_STREAM, settings.ami_address, settings.ami_port),
        ("PROVISION", socket.SOCK_STREAM, settings.provision_address, settings.provision_port),
    ):
        with socket.socket(socket.AF_INET, kind) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(kind is socket.SOCK_STREAM))
            try:
                tried.bind((address, port))
            except OSError as error:
                raise RuntimeFailure(
                    f"{what} cannot listen at {address}:{port}: {error.strerror}. Stop what is there, or have Centralka use "
                    f"another address: CENTRALKA_{what}_ADDRESS=127.0.1.1 in {settings.home / 'settings.env'}"
                ) from error


def print_result(runtime: Runtime, settings: Settings, outcome: MeasuredCall | None, seconds: float) -> None:
    """The text printed at the end."""
    home = runtime.home.relative_to(REPOSITORY) if runtime.home.is_relative_to(REPOSITORY) else runtime.home
    say("")
    if outcome:
        answered = f"answered by {outcome.answered_by} (menu after {outcome.setup_ms:.0f} ms)"
        say(f"A call from the trunk to {NUMBER} was {answered}, both sides heard each other, and its record says:")
        for line in outcome.path:
            say(f"  {line}")
        say("")
    say(runtime_output(runtime.home, "accounts"))
    say(f"SIP server  {settings.sip_address}:{settings.sip_port} (UDP)      instance  {home}")
    say("Next: register two phones with accounts of acme and call one from the other; edit tenants/acme.yaml, then")
    say(f"  .venv/bin/centralka --home {home} plan")
    say(f"  .venv/bin/centralka --home {home} apply")
    say(f"  .venv/bin/centralka --home {home} status      (of the demo's trunks it says that nobody is behind them)")
    say(f"Up after {seconds:.0f} s. `make down` stops it.")


def runtime_output(home: Path, command: str) -> str:
    done = subprocess.run([*centralka_command(home), command], capture_output=True, text=True, cwd=REPOSITORY, timeout=300)
    return done.stdout.rstrip() if done.returncode == 0 else done.stderr.rstrip()


def down() -> None:
    """Stops the demo, in either runtime, and nothing else."""
    demos = running_demos()
    for kind, runtime in demos:
        with step(f"Stopping the demo ({kind})"):
            runtime.stop()
    if not demos:
        say("Nothing was running.")


def status() -> None:
    """Prints which processes of the demo run, and in which runtime."""
    demos = running_demos()
    for kind, runtime in demos:
        processes = ", ".join(f"{name} {runtime.pid_of(name) or 'down'}" for name in Process)
        say(f"{kind}: {processes} in {runtime.home}")
        if not runtime.is_supervised():
            warn("No supervisor runs: what ends is not started again. `make up` starts one and leaves running what runs.")
    if not demos:
        say("Nothing is running. `make up` starts it.")


def test_docker(arguments: list[str]) -> int:
    """Plays the live tests marked `docker` in containers. Where no engine can be had, says so; that is no failure."""
    with engine_for_tests() as engine:
        if isinstance(engine, NoEngine):
            say(f"Containers are not tested here: {engine.why}")
            return 0
        say(f"Docker {engine.version}, {' '.join(engine.compose)}")
        prepare_host()
        env = os.environ | {TEST_RUNTIME: Kind.DOCKER.value}
        code = subprocess.run([sys.executable, "-m", "pytest", "-m", "docker", *arguments], cwd=REPOSITORY, env=env).returncode
    if code == NO_TESTS:
        say("No test is marked docker.")
    return code
