"""The same decisions by pyst2's `asterisk.agi` in a threaded server, the usual way to write one: the baseline."""

import asyncio
import sys
from functools import partial
from pathlib import Path, PurePosixPath
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any, cast

from asterisk.agi import AGI

from agi.call_servers import CallServers
from agi.decision_service import DecisionService
from agi.fastagi import Query, read_arguments
from agi.slow_answers import SlowAnswers
from agi.speech import Speech
from agi.understanding import Understanding
from centralka.log import configure_log
from centralka.serve_agi import make_speech
from services.published_tenants import PublishedTenants
from store import live
from store.answers import RedisAnswers
from store.follower import Live


class Silent:
    def write(self, text: str) -> None:
        """pyst2 logs every line it reads."""


class Replies:
    """pyst2 writes text, a socket takes bytes."""

    def __init__(self, handler: StreamRequestHandler) -> None:
        self._file = handler.wfile

    def write(self, text: str) -> None:
        self._file.write(text.encode())

    def flush(self) -> None:
        self._file.flush()


class ThreadedAgi(AGI):  # type: ignore[misc]
    """Without the signal handler that pyst2 sets, which Python allows in the main thread only."""

    def __init__(self, handler: StreamRequestHandler) -> None:
        self.stdin, self.stdout, self.stderr = handler.rfile, Replies(handler), Silent()
        self._got_sighup = False
        self.env: dict[str, str] = {}
        self._get_agi_env()


class Handler(StreamRequestHandler):
    def __init__(self, service: DecisionService, loop: asyncio.AbstractEventLoop, *arguments: Any) -> None:
        self._service, self._loop = service, loop
        super().__init__(*arguments)

    def handle(self) -> None:
        agi = ThreadedAgi(self)
        arguments = read_arguments(agi.env["agi_network_script"].partition("?")[2])
        deciding = self._service.answer(Query(agi.env["agi_uniqueid"], arguments), no_time)
        answer = asyncio.run_coroutine_threadsafe(deciding, self._loop).result()
        agi.appexec("CELGenUserEvent", answer.event)
        agi.set_variable("STATE", answer.state)
        agi.set_variable("STEP", answer.step)


def no_time(_: int) -> None:
    raise RuntimeError("the decision takes longer than any that is measured")


class Server(ThreadingTCPServer):
    request_queue_size = 4096
    allow_reuse_address = True
    daemon_threads = True


async def main(home: Path, asterisk_home: PurePosixPath, host: str, port: int) -> None:
    """The threads read and write; the decisions, which may ask Redis, are made on this event loop."""
    configure_log()
    outside = SlowAnswers(CallServers(), Speech(make_speech, home / "said"), Understanding(home / "heard"))
    answers = RedisAnswers(live.connect(f"unix://{home}/run/redis.sock"))
    service = DecisionService(PublishedTenants(home), Live(), answers, outside, asterisk_home)
    with Server((host, port), cast("Any", partial(Handler, service, asyncio.get_running_loop()))) as server:
        await asyncio.to_thread(server.serve_forever)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), PurePosixPath(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
