"""A real redis-server for tests: that of the Debian root, with its socket in a directory there."""

import asyncio
import shutil
import subprocess
import tempfile
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from runtime.places import ROOT
from store.live import connect

START_LIMIT_S = 60


class RedisServer:
    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="redis-", dir=ROOT / "srv"))
        self.url = f"unix://{self._folder}/redis.sock"
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Runs it, empty, if it does not run yet."""
        if self._process is None:
            inside = f"/srv/{self._folder.name}"
            self._process = subprocess.Popen(  # noqa: ASYNC220 - it outlives the event loop of one test
                ["chroot", str(ROOT), "redis-server", "--port", "0", "--unixsocket", f"{inside}/redis.sock", "--save", "",
                 "--dir", inside], stdout=subprocess.DEVNULL)
        async with asyncio.timeout(START_LIMIT_S):
            while not await self._answers():  # noqa: ASYNC110 - it waits for another process
                await asyncio.sleep(0.01)

    async def clear(self) -> None:
        async with self.client() as redis:
            await redis.flushall()

    async def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            (self._folder / "redis.sock").unlink(missing_ok=True)

    async def remove(self) -> None:
        await self.stop()
        shutil.rmtree(self._folder)

    async def _answers(self) -> bool:
        try:
            async with self.client() as redis:
                return bool(await redis.ping())
        except (RedisError, OSError):
            return False

    def client(self) -> Redis:
        return connect(self.url)
