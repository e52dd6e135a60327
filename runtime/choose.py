"""Choice between containers and the local root, with the reason."""

from dataclasses import dataclass
from enum import StrEnum

from runtime.docker import DockerRuntime
from runtime.engine import Engine, NoEngine, find_engine
from runtime.failure import RuntimeFailure
from runtime.local import LocalRuntime
from runtime.process import Runtime


class Kind(StrEnum):
    DOCKER = "docker"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Choice:
    kind: Kind
    why: str


def choose(wanted: str, engine: Engine | NoEngine) -> Choice:
    """`wanted` is the RUNTIME of the command line, '' where it is left to us. Raises RuntimeFailure."""
    match wanted, engine:
        case "local", _:
            return Choice(Kind.LOCAL, "RUNTIME=local says so")
        case "docker", Engine():
            return Choice(Kind.DOCKER, "RUNTIME=docker says so")
        case "docker", NoEngine(why):
            raise RuntimeFailure(f"RUNTIME=docker, but {why}. Start Docker, or use RUNTIME=local")
        case "" | "auto", Engine(version):
            return Choice(Kind.DOCKER, f"Docker {version} answers")
        case "" | "auto", NoEngine(why):
            return Choice(Kind.LOCAL, why)
        case _:
            raise RuntimeFailure(f"found RUNTIME={wanted}, expected docker, local or nothing")


def open_runtime(kind: str, name: str) -> Runtime:
    """The instance `name`, run by containers or in the local root. The Debian root must have been built."""
    match kind:
        case Kind.LOCAL:
            return LocalRuntime(name)
        case Kind.DOCKER:
            engine = find_engine()
            if isinstance(engine, NoEngine):
                raise RuntimeFailure(engine.why)
            return DockerRuntime(name, engine)
        case _:
            raise RuntimeFailure(f"found runtime {kind!r}, expected docker or local")
