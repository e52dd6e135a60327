"""The instance that is measured: its own directory and addresses, production's configuration, removed at the end."""

import json
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.machine import cpu_s
from centralka.settings import Settings
from confgen.secrets import load_secrets
from runtime.local import LocalRuntime
from runtime.process import Process
from runtime.signals import undisturbed
from sipp import Account, Address

HERE = Path(__file__).parent
ADDRESS = "127.76.0.1"
TRUNK = "127.76.0.20"
PHONES = "127.76.1"          # each run has a phone at a new address there, which no message of an earlier run can reach
SETTINGS = {
    "CENTRALKA_SIP_ADDRESS": ADDRESS,
    "CENTRALKA_AGI_ADDRESS": ADDRESS,
    "CENTRALKA_AMI_ADDRESS": ADDRESS,
    "CENTRALKA_PROVISION_ADDRESS": ADDRESS,
    "CENTRALKA_RTP_END": "29999",       # the default range is for some 250 calls at once
}
IDLE_SHARE = 0.1                        # of one core, all processes together
QUIET_LIMIT_S = 8.0


class BenchInstance:
    def __init__(self, runtime: LocalRuntime) -> None:
        self.runtime = runtime
        self.server = Address(ADDRESS)
        self.settings = Settings.load(runtime.home)
        self.account = Account("bench-201-phone", load_secrets(runtime.home / "secrets.json").sip["bench-201-phone"])

    def cpu_s(self) -> dict[str, float]:
        """Processor time that each process has used since it started."""
        pids = {str(name): self.runtime.pid_of(name) for name in Process}
        return {name: cpu_s(pid) for name, pid in pids.items() if pid}

    def wait_quiet(self) -> float:
        """Until no channel is up and the services have caught up with the calls; how many seconds that took."""
        began = time.monotonic()
        while time.monotonic() - began < QUIET_LIMIT_S:
            before = sum(self.cpu_s().values())
            time.sleep(0.3)
            is_idle = sum(self.cpu_s().values()) - before < IDLE_SHARE * 0.3
            if is_idle and self.runtime.asterisk_cli("core show channels count").startswith("0 active channels"):
                break
        return time.monotonic() - began


@contextmanager
def running_instance(beside: Mapping[str, str]) -> Iterator[BenchInstance]:
    """Starts it as production does; the static dialplan is one more file of the published revision. `beside` are the files of
    other tenants, by name."""
    runtime = LocalRuntime("bench")
    runtime.remove()
    try:
        runtime.prepare(SETTINGS)
        with TemporaryDirectory() as tenants:
            shutil.copy(HERE / "tenant.yaml", Path(tenants) / "bench.yaml")
            for name, text in beside.items():
                (Path(tenants) / f"{name}.yaml").write_text(text)
            runtime.apply(Path(tenants))
        add_static_dialplan(runtime)
        runtime.start()
        yield BenchInstance(runtime)
    finally:
        with undisturbed():
            runtime.remove()


def add_static_dialplan(runtime: LocalRuntime) -> None:
    current = runtime.home / "published" / "current"
    sounds = json.loads((current / "tenants" / "bench.json").read_text())["sounds"]
    prompt = f"{runtime.instance.asterisk_home}/sounds/bench/{sounds['welcome']}"
    text = (HERE / "static.conf.j2").read_text().replace("{{ prompt }}", prompt)
    (current / "extensions" / "static.conf").write_text(text)
    runtime.instance.permit()
