"""A real redis-server of a test's own, on a socket in its directory."""

import asyncio
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from store.live import connect


class RedisServer:
    def __init__(self, folder: Path) -> None:
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Always begins empty."""
        self._process = await asyncio.create_subprocess_exec(
            "redis-server", "--port", "0", "--unixsocket", str(self.socket), "--save", "", "--dir", str(self.socket.parent),
            stdout=asyncio.subprocess.DEVNULL)
        async with asyncio.timeout(10):
            while not await self._answers():  # noqa: ASYNC110 - it waits for another process
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
            self._process = None
            self.socket.unlink(missing_ok=True)

    async def _answers(self) -> bool:
        try:
            async with self.client() as redis:
                return bool(await redis.ping())
        except (RedisError, OSError):
            return False

    def client(self) -> Redis:
        return connect(self.url)
