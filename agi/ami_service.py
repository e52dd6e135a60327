"""The AMI service: keeps the live view in Redis and the call records in the database."""

import asyncio
import signal
from contextlib import suppress
from pathlib import Path

import structlog

from agi.ami_client import AmiClient, AmiError
from agi.cel_file import CelFile
from agi.cel_follower import LOST_AFTER_S, CelFollower
from agi.live_view import LiveView
from agi.live_writer import LiveWriter
from store import database, live
from store.calls import CallStore

log = structlog.get_logger()

UPGRADE_DELAY_S = 5.0


async def serve(*, ami_address: str, ami_port: int, ami_user: str, ami_secret: str, redis_url: str, database_url: str,
                cel_file: Path) -> None:
    """Run until SIGTERM or SIGINT. Asterisk, Redis and the database may each be away, at the start too."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    engine = database.connect(database_url)
    redis = live.connect(redis_url)
    upgraded = asyncio.Event()
    try:
        async with AmiClient(ami_address, ami_port, ami_user, ami_secret) as ami:
            writer = LiveWriter(redis, lambda: ami.connected.is_set() and upgraded.is_set())
            view = LiveView(ami, writer)
            follower = CelFollower(CelFile(cel_file), CallStore(engine), lambda calls: _still_up(view, calls))
            async with asyncio.TaskGroup() as tasks:
                running = [
                    tasks.create_task(view.run(), name="live view"),
                    tasks.create_task(writer.run(view.everything), name="live view to Redis"),
                    tasks.create_task(_keep_records(database_url, upgraded, follower), name="call records"),
                ]
                log.info("ami service started", ami=ami.where, cel=str(cel_file))
                await stop.wait()
                for task in running:
                    task.cancel()
    finally:
        with suppress(*live.AWAY):
            await redis.delete(live.READY)
            await redis.aclose()
        await engine.dispose()
        log.info("ami service stopped")


async def _keep_records(url: str, upgraded: asyncio.Event, follower: CelFollower) -> None:
    while not upgraded.is_set():
        try:
            await database.upgrade(url)
            upgraded.set()
        except Exception as error:  # whatever it is, calls go on and their records wait in the CEL file
            log.error("the database can't be upgraded; call records wait in the CEL file", problem=str(error))
            await asyncio.sleep(UPGRADE_DELAY_S)
    await follower.run()


async def _still_up(view: LiveView, calls: frozenset[str]) -> frozenset[str] | None:
    """Those of the calls which Asterisk still has; None while it can't be asked."""
    if not view.current.is_set():
        return None
    if calls <= view.linkedids():
        return calls
    try:
        return calls & await view.linkedids_now()
    except AmiError as error:
        log.warning("interrupted calls can't be told from silent ones", problem=str(error), again_s=LOST_AFTER_S)
        return None
