"""A real redis-server of a test's own: that of the Debian root, with its socket in a directory there."""

import asyncio
import shutil
import tempfile
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from runtime.places import ROOT
from store.live import connect


class RedisServer:
    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="redis-", dir=ROOT / "srv"))
        self.url = f"unix://{self._folder}/redis.sock"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Always begins empty."""
        inside = f"/srv/{self._folder.name}"
        self._process = await asyncio.create_subprocess_exec(
            "chroot", str(ROOT), "redis-server", "--port", "0", "--unixsocket", f"{inside}/redis.sock", "--save", "",
            "--dir", inside, stdout=asyncio.subprocess.DEVNULL)
        async with asyncio.timeout(10):
            while not await self._answers():  # noqa: ASYNC110 - it waits for another process
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
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
