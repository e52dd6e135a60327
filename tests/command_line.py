"""The command line as a shell runs it: each command is a process of its own, with its own streams, environment and exit code.

`centralka` forks it from a server that has imported the modules of the command line: importing them takes each new interpreter
a second, and longer where the machine is busy. `installed` runs the script that a person runs.
"""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import select
import socket
import subprocess
import sys
import tempfile
import traceback
from functools import cache
from pathlib import Path
from typing import NoReturn

from pydantic import BaseModel

LIMIT_S = 300
MAX_REQUEST_BYTES = 1_000_000
STREAMS = 3


def installed(home: Path, *arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
    """`said` is its standard input."""
    return subprocess.run(
        [Path(sys.executable).parent / "centralka", "--home", home, *arguments], capture_output=True, text=True, timeout=LIMIT_S,
        input=said, check=False)


def centralka(home: Path, *arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
    """`said` is its standard input."""
    command = ["centralka", "--home", str(home), *arguments]
    request = json.dumps({"arguments": command, "environment": dict(os.environ), "folder": str(Path.cwd())})
    with (
        tempfile.TemporaryFile("w+") as stdin, tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr,
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection,
    ):
        stdin.write(said)
        stdin.seek(0)
        connection.settimeout(LIMIT_S)
        connection.connect(server_address())
        socket.send_fds(connection, [request.encode()], [stream.fileno() for stream in (stdin, stdout, stderr)])
        code = connection.recv(1)
        for stream in (stdout, stderr):
            stream.seek(0)
        done = subprocess.CompletedProcess(command, code[0] if code else -1, stdout.read(), stderr.read())
    assert code, f"the command was killed: {command} said {done.stderr}"
    return done


@cache
def server_address() -> bytes:
    """The server's abstract address; it runs until this process ends, which closes its standard input."""
    address = f"\0centralka-commands-{os.getpid()}-{os.urandom(4).hex()}"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(address)
    listener.listen(64)
    with listener:
        server = subprocess.Popen(
            [sys.executable, "-m", __name__, str(listener.fileno())], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            pass_fds=[listener.fileno()], cwd=Path(__file__).parents[1])

    def end() -> None:
        assert server.stdin
        server.stdin.close()
        server.wait()

    atexit.register(end)
    return address.encode()


def serve(listener: socket.socket) -> None:
    package = importlib.import_module("centralka.cli")
    for module in pkgutil.iter_modules(package.__path__, "centralka.cli."):
        importlib.import_module(module.name)
    build_models()
    running: list[int] = []
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in ready:
            return
        connection, _ = listener.accept()
        process = os.fork()
        if process == 0:
            listener.close()
            run(connection)
        connection.close()
        running = [each for each in (*running, process) if os.waitpid(each, os.WNOHANG)[0] == 0]


def build_models() -> None:
    """Pydantic builds a model at its first use, which each command would do again."""
    models: list[type[BaseModel]] = [BaseModel]
    for model in models:
        models += model.__subclasses__()
    for model in models[1:]:
        model.model_rebuild()
    gc.freeze()      # a collection in a forked process would write to every page


def run(connection: socket.socket) -> NoReturn:
    request, streams, _, _ = socket.recv_fds(connection, MAX_REQUEST_BYTES, STREAMS)
    for target, stream in enumerate(streams):
        os.dup2(stream, target)
        os.close(stream)
    wanted = json.loads(request)
    os.environ.clear()
    os.environ.update(wanted["environment"])
    os.chdir(wanted["folder"])
    sys.argv = wanted["arguments"]
    os.nice = lambda increment: 0      # a command gives way to calls; here are none
    code: object = 0
    try:
        importlib.import_module("centralka.cli.app").main()
    except SystemExit as ended:
        code = ended.code or 0
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    connection.send(bytes([code if isinstance(code, int) else 1]))
    os._exit(0)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
