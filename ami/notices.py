"""Mail notices of stopped external calls: each stop once to each recipient, however often a service is restarted.

    centralka:noticed     hash: "<tenant>/<user>", or "<tenant>/" for all -> the stop that was reported, as in store/lines.py
"""

import asyncio
import smtplib
from email.message import EmailMessage

import structlog
from redis.asyncio import Redis

from routing.platform.platform import Notices
from routing.tenant.tenant import Tenant
from services.asterisk_text import AgiError
from services.published_tenants import PublishedTenants
from store.lines import Lines
from store.live import AWAY, stop_if_cancelled

log = structlog.get_logger()

NOTICED = "centralka:noticed"
LOOK_S = 5.0
SMTP_LIMIT_S = 10.0          # for each exchange with the mail server
AWAY_S = 60.0                # until a mail is tried again


class StopNotices:
    def __init__(self, redis: Redis, published: PublishedTenants) -> None:
        self._redis, self._lines, self._published = redis, Lines(redis), published

    async def run(self) -> None:
        """Never returns."""
        while True:
            try:
                all_sent = await self.send_due()
            except AWAY as error:
                log.warning("stop_notices_delayed", problem=str(error))
                all_sent = True
            except Exception:  # the outermost loop: the next stop must still be reported
                log.exception("stop_notice_failed")
                all_sent = False
            stop_if_cancelled()
            await asyncio.sleep(LOOK_S if all_sent else AWAY_S)

    async def send_due(self) -> bool:
        """False if a mail is still to be sent. A notice that Redis could not store is sent again."""
        stopped, noticed = await self._lines.stopped(), await self._redis.hgetall(NOTICED)
        if over := [field for field in noticed if field not in stopped]:
            await self._redis.hdel(NOTICED, *over)
        new = {field: why for field, why in stopped.items() if noticed.get(field) != why}
        sent = [await self._send(field, why) for field, why in new.items()]
        return all(sent)

    async def _send(self, field: str, why: str) -> bool:
        slug, _, extension = field.partition("/")
        try:
            tenant = self._published.tenant(slug).tenant
        except AgiError as error:
            log.warning("stop_of_unpublished_tenant", tenant=slug, problem=str(error))
            return True
        notices = tenant.platform.notices
        if notices is not None:
            mail = mail_of(tenant, notices, extension, why)
            try:
                await asyncio.to_thread(send, notices, mail)
            except (OSError, smtplib.SMTPException) as error:
                log.warning("stop_notice_failed", tenant=slug, extension=extension, to=mail["To"], server=notices.server,
                            port=notices.port, problem=str(error))
                return False
            log.info("stop_notice_sent", tenant=slug, extension=extension, to=mail["To"])
        await self._redis.hset(NOTICED, field, why)
        return True


def mail_of(tenant: Tenant, notices: Notices, extension: str, why: str) -> EmailMessage:
    """The mail to the operator and to the addresses that the tenant names."""
    whose = f"{extension} ({tenant.users[extension].name})" if extension in tenant.users else extension or "all users"
    release = f"centralka release {tenant.tenant} {extension}".rstrip()
    mail = EmailMessage()
    mail["From"] = notices.sender
    mail["To"] = ", ".join(dict.fromkeys((*notices.to, *tenant.notices_to)))
    mail["Subject"] = f"{tenant.name}: calls outside of {whose} are stopped"
    mail.set_content(
        f"{tenant.name} ({tenant.tenant}): calls outside of {whose} are stopped since {why}.\n\n"
        "Emergency calls and calls inside go on. If these calls were wanted, let more go outside with\n\n"
        f"    {release}\n\nIf not, look for a stolen SIP password: centralka phones {tenant.tenant}\n")
    return mail


def send(notices: Notices, mail: EmailMessage) -> None:
    """Waits for the mail server; raises OSError and SMTPException."""
    with smtplib.SMTP(notices.server, notices.port, timeout=SMTP_LIMIT_S) as server:
        server.send_message(mail)
