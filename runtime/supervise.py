"""supervisord for one instance: its configuration, and its answers over a Unix socket."""

import http.client
import os
import resource
import shlex
import subprocess
import sys
import xmlrpc.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from supervisor.xmlrpc import SupervisorTransport

from runtime.failure import RuntimeFailure
from runtime.process import Process

SOCKET_LIMIT = 90       # a Unix socket's path may have 107 bytes, and supervisord adds its process id while it starts
FILES_WANTED = 65536
MARK = "CENTRALKA_SUPERVISED"   # in the environment of supervisord and so of its processes: the instance's directory


@dataclass(frozen=True, slots=True)
class Files:
    """supervisord's files: a directory of root's alone, because what is in it decides what root runs."""

    directory: Path

    @property
    def configuration(self) -> Path:
        return self.directory / "supervisor.conf"

    @property
    def socket(self) -> Path:
        return self.directory / "socket"

    @property
    def pid(self) -> Path:
        return self.directory / "pid"

    def log(self, name: str) -> Path:
        return self.directory / f"{name}.log"


def files_limit() -> int:
    """How many files Asterisk may open: what we want, or all that this machine allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return FILES_WANTED if hard == resource.RLIM_INFINITY else min(FILES_WANTED, hard)


def configuration(files: Files, home: Path, commands: Mapping[Process, Sequence[str]], open_files: int) -> str:
    """The text of supervisor.conf. Processes start when they are told to, and start again when they end by themselves."""
    lines = [
        "[unix_http_server]",
        f"file={plain(files.socket)}",
        "chmod=0700",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
        "[supervisord]",
        f"directory={plain(home)}",
        f"logfile={plain(files.log('supervisord'))}",
        "logfile_maxbytes=1MB",
        "logfile_backups=1",
        f"pidfile={plain(files.pid)}",
        f"childlogdir={plain(files.directory)}",
        f"minfds={open_files}",
        "umask=027",
        "user=root",
    ]
    for priority, (name, command) in enumerate(commands.items(), start=1):
        lines += [
            f"[program:{name}]",
            f"command={plain(shlex.join(command))}",
            f"priority={priority * 10}",
            "autostart=false",
            "autorestart=true",
            "startsecs=1",
            "startretries=1000000",
            "stopwaitsecs=10",
            "stopasgroup=false",
            "killasgroup=true",
            "redirect_stderr=true",
            f"stdout_logfile={plain(files.log(name))}",
            "stdout_logfile_maxbytes=10MB",
            "stdout_logfile_backups=3",
        ]
    return "".join(f"{line}\n" for line in lines)


def plain(value: object) -> str:
    """Raises RuntimeFailure for what supervisor's files cannot hold: it expands % once in some places and twice in others."""
    text = str(value)
    if any(character in text for character in "\n\r;%"):
        raise RuntimeFailure(f"found {text!r}, expected a path or command without %, semicolons and new lines")
    return text


def launch(files: Files, home: Path) -> str:
    """Starts supervisord, which goes to the background; '' or why it did not start."""
    program = str(Path(sys.executable).parent / "supervisord")
    done = subprocess.run(
        [program, "-c", str(files.configuration)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30,
        env=os.environ | {MARK: str(home)},
    )
    return "" if done.returncode == 0 else f"supervisord ended with {done.returncode}: {(done.stderr + done.stdout).strip()}"


class Supervisor:
    """Asks a running supervisord. Raises OSError when none answers."""

    def __init__(self, files: Files) -> None:
        transport = SupervisorTransport(None, None, f"unix://{files.socket}")
        self.proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)

    def call(self, method: str, *arguments: object) -> object:
        """One of supervisor's XML-RPC methods."""
        try:
            return getattr(self.proxy.supervisor, method)(*arguments)
        except http.client.HTTPException as error:
            raise OSError(f"supervisord went away during {method}") from error

    def states(self) -> dict[str, tuple[str, int]]:
        """State name and process id (0: none) of each process."""
        answer = cast("list[dict[str, object]]", self.call("getAllProcessInfo"))
        return {str(one["name"]): (str(one["statename"]), int(str(one["pid"]))) for one in answer}
