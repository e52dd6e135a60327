"""Monitoring of call records for `centralka status`, metrics and mail: waiting records, losses, disk space for the CEL file.

Disk space is reserved ahead, so that no event is lost between a full disk and the operator's clean-up. Blocks are allocated
beyond the end of the file (fallocate(2), FALLOC_FL_KEEP_SIZE): Asterisk's next lines use them, and no other writer can.
"""

import asyncio
import ctypes
import errno
import os
import smtplib
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Final

import structlog
from redis.asyncio import Redis

from ami.notices import send
from ami.periodic_task import take_turns
from ami.records.follower import CelFollower
from ami.records.losses import Losses
from routing.platform.platform import Notices
from services import metrics
from services.asterisk_text import AgiError
from services.published_tenants import PublishedTenants
from store import record_health
from store.record_health import RecordHealth

RESERVE: Final = 16 << 20        # bytes: some 5,000 calls
LEAST: Final = 64 << 10
_KEEP_SIZE: Final = 1            # <linux/falloc.h>
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Space:
    """Space in the file system of the CEL file, in bytes. `problem`: the reason why less than wanted is reserved, or ''."""

    free: int
    wanted_free: int
    reserved: int
    problem: str

    @property
    def is_short(self) -> bool:
        return self.free < self.wanted_free


def reserve(file: Path, wanted: int = RESERVE) -> Space:
    """Reserves free space behind the file's end, up to `wanted` and a quarter of the file system. Does not create the file:
    Asterisk does. Raises OSError if the folder cannot be read."""
    system = os.statvfs(file.parent)
    free, total = system.f_bavail * system.f_frsize, system.f_blocks * system.f_frsize
    wanted = min(wanted, total // 4)
    reserved, problem = 0, ""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        pass
    except OSError as error:
        problem = f"{file}: {error.strerror}"
    else:
        try:
            reserved, problem = _reserve(descriptor, wanted)
        finally:
            os.close(descriptor)
    return Space(free, min(4 * RESERVE, total // 8), reserved, problem)


def _reserve(descriptor: int, wanted: int) -> tuple[int, str]:
    """The number of bytes reserved now, and the reason why there are not more."""
    size = os.fstat(descriptor).st_size
    if (has := _beyond_end(descriptor)) >= wanted // 2:
        return has, ""
    more = wanted
    while more >= LEAST:
        if not _libc.fallocate(descriptor, _KEEP_SIZE, ctypes.c_longlong(size), ctypes.c_longlong(more)):
            return _beyond_end(descriptor), ""
        if (number := ctypes.get_errno()) != errno.ENOSPC:
            return _beyond_end(descriptor), os.strerror(number)
        more //= 2
    return _beyond_end(descriptor), os.strerror(errno.ENOSPC)


def _beyond_end(descriptor: int) -> int:
    status = os.fstat(descriptor)
    return max(0, status.st_blocks * 512 - status.st_size)


log = structlog.get_logger()

LOOK_S: Final = 0.25
PUT_EVERY_S: Final = 2.0
NOTICED: Final = "centralka:space_noticed"       # a mail was sent to the operator; expires
NOTICED_S: Final = 86_400
AGAIN_S: Final = 60.0                            # until a mail that failed is tried again


class RecordWatch:
    """`notices` has the sender and the recipients of mail; None for no mail."""

    def __init__(self, redis: Redis, file: Path, follower: CelFollower, losses: Losses,
                 notices: Callable[[], Notices | None]) -> None:
        self._redis, self._file, self._follower, self._losses, self._notices = redis, file, follower, losses, notices
        self._space: Space | None = None
        self._put_at = self._mail_at = 0.0

    async def run(self) -> None:
        """Never returns."""
        await take_turns(self.look, every_s=LOOK_S, failed="records_not_watched")

    async def look(self) -> None:
        """Raises OSError and what store.live.AWAY lists."""
        space, before = reserve(self._file), self._space
        self._space = space
        metrics.CEL_FREE_BYTES.set(space.free)
        metrics.CEL_RESERVED_BYTES.set(space.reserved)
        if space.is_short and not (before and before.is_short):
            log.error("disk_almost_full", folder=str(self._file.parent), free=space.free, reserved=space.reserved)
        elif before and before.is_short and not space.is_short:
            log.info("disk_has_space", folder=str(self._file.parent), free=space.free)
        if space.problem and space.problem != (before.problem if before else ""):
            log.warning("cel_space_not_reserved", problem=space.problem, reserved=space.reserved)
        now = time.monotonic()
        if now - self._put_at >= PUT_EVERY_S:
            self._put_at = now
            await record_health.put(self._redis, RecordHealth(
                losses=self._losses.count, losses_file=str(self._losses.file), waiting=self._follower.waiting,
                database=self._follower.problem, missed=self._follower.missed, missed_at=self._follower.missed_at,
                folder=str(self._file.parent), free=space.free, wanted_free=space.wanted_free, reserved=space.reserved,
                reserve_problem=space.problem))
        if space.is_short and now >= self._mail_at:
            self._mail_at = now + AGAIN_S
            await self._mail(space)

    async def _mail(self, space: Space) -> None:
        """Send a mail, once a day at most, also across restarts."""
        notices = self._notices()
        if notices is None or not await self._redis.set(NOTICED, "1", nx=True, ex=NOTICED_S):
            return
        try:
            await asyncio.to_thread(send, notices, mail_of(notices, self._file.parent, space))
        except (OSError, smtplib.SMTPException) as error:
            await self._redis.delete(NOTICED)
            log.warning("mail_not_sent", subject="disk almost full", to=notices.to, problem=str(error))


def mail_of(notices: Notices, folder: Path, space: Space) -> EmailMessage:
    """The mail to the operator."""
    mail = EmailMessage()
    mail["From"], mail["To"] = notices.sender, ", ".join(notices.to)
    mail["Subject"] = f"Centralka: the disk that holds {folder} is almost full"
    mail.set_content(
        f"{space.free >> 20} MB are left in the file system of {folder}, {space.reserved >> 20} MB more are reserved for "
        "events of calls.\n\nOnce both are used up, call records are lost. Calls go on. Make space, then look at\n\n"
        "    centralka status\n")
    return mail


def operator_notices(published: PublishedTenants) -> Notices | None:
    """The platform's notices; they are the same in each published tenant."""
    try:
        slugs = published.slugs(published.revision())
        return published.tenant(slugs[0]).tenant.platform.notices if slugs else None
    except AgiError:
        return None
