"""The AMI service: keeps the live view and fetched calendars in Redis, and the call records in the database."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path, PurePosixPath

import structlog

from ami.calendar_addresses import CalendarAddresses, PublishedCalendars, ReadCalendar
from ami.client import AmiClient
from ami.notices import StopNotices
from ami.periodic_task import kept_running
from ami.records.cel_file import CelFile
from ami.records.ended_calls import LoadCounter, RecordWriter
from ami.records.follower import CelFollower
from ami.records.lines import LineKeeper
from ami.records.losses import Losses
from ami.records.record_watch import RecordWatch, operator_notices
from ami.records.second_path import SecondPath
from ami.records.vanished_calls import VanishedCalls
from ami.security.asterisk_log import AsteriskLog
from ami.security.log_keeper import LogKeeper
from ami.security.sip_guard import SipGuard
from ami.view.gauges import Gauges
from ami.view.in_step import InStep
from ami.view.live_view import LiveView
from ami.view.live_writer import LiveWriter
from ami.view.registrations import Registrations
from ami.wake_ups import WakeUps
from confgen.secrets import log_token
from services.published_tenants import PublishedTenants
from services.web_request import Reach
from store import database, live
from store.calls import CallStore
from store.follower import LiveFollower
from store.lines import Lines

log = structlog.get_logger()

UPGRADE_DELAY_S = 5.0


async def serve(*, ami_address: str, ami_port: int, ami_user: str, ami_cel_user: str, ami_secret: str, redis_url: str,
                database_url: str, home: Path, asterisk_home: PurePosixPath, cel_file: Path, reach: Reach,
                read_calendar: ReadCalendar) -> None:
    """Run until SIGTERM or SIGINT. Asterisk, Redis and the database may each be unavailable, at the start too."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    engine = database.connect(database_url)
    redis = live.connect(redis_url)
    upgraded = asyncio.Event()
    try:
        async with (
            LiveFollower(redis_url) as known,
            AmiClient(ami_address, ami_port, ami_user, ami_secret) as ami,
            AmiClient(ami_address, ami_port, ami_cel_user, ami_secret) as ami_of_cel,
        ):
            writer = LiveWriter(redis, lambda: ami.connected.is_set() and upgraded.is_set())
            view = LiveView(ami, writer.devices)
            published = PublishedTenants(home)
            counter = LoadCounter(redis, published.zone_of)
            addresses = CalendarAddresses(redis, reach, PublishedCalendars(published).wanted, read_calendar)
            losses = Losses(cel_file.with_name("losses.csv"))
            follower = CelFollower(
                CelFile(cel_file), RecordWriter(CallStore(engine), counter, losses), writer.calls,
                lambda: view.booted_at, losses)
            SecondPath(ami_of_cel, follower)
            watch = RecordWatch(redis, cel_file, follower, losses, lambda: operator_notices(published))
            registrations = Registrations(ami, redis)
            guard = SipGuard(ami, redis, home / "banned" / "addresses.conf", lambda: registrations.addresses)
            asterisk_log = AsteriskLog(home / "log" / "asterisk.log", log_token(ami_secret))
            keeper = LineKeeper(Lines(redis), follower.legs)
            wake_ups = WakeUps(ami, redis, known, published, asterisk_home)
            async with asyncio.TaskGroup() as tasks:
                runs: dict[str, Callable[[], Awaitable[None]]] = {
                    "live view": view.run,
                    "live state to Redis": writer.run,
                    "what users talked": counter.run,
                    "calendars at addresses": addresses.run,
                    "lines of calls in progress": keeper.run,
                    "notices of stops": StopNotices(redis, published).run,
                    "lamps and agents of queues": InStep(ami, published, known).run,
                    "wake-up calls": wake_ups.run,
                    "registrations": registrations.run,
                    "logs": LogKeeper(asterisk_log, home / "log", ami, guard.note).run,
                    "SIP guard": guard.run,
                    "gauges": Gauges(ami, cel_file.parent).run,
                    "watch over records": watch.run,
                    "vanished calls": VanishedCalls(ami, follower).run,
                    "call records": partial(_keep_records, database_url, upgraded, follower),
                }
                running = [tasks.create_task(kept_running(run, name=name), name=name) for name, run in runs.items()]
                log.info("ami_service_started", ami=ami.where, cel=str(cel_file))
                await stop.wait()
                for task in running:
                    task.cancel()
    finally:
        with suppress(*live.AWAY):
            await redis.delete(live.READY)
            await redis.aclose()
        await engine.dispose()
        log.info("ami_service_stopped")


async def _keep_records(url: str, upgraded: asyncio.Event, follower: CelFollower) -> None:
    problem = ""
    while not upgraded.is_set():
        try:
            await database.upgrade(url)
            upgraded.set()
        except Exception as error:  # whatever it is, calls go on and their records wait in the CEL file
            if str(error) != problem:
                log.error("database_not_upgraded", problem=str(error))
            problem = str(error)
            await asyncio.sleep(UPGRADE_DELAY_S)
    await follower.run()
