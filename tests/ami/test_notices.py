"""Whoever has to know that calls outside were stopped is told once, by mail."""

from pathlib import Path

import pytest

from ami.notices import StopNotices
from routing.check.check import read_platform
from services.published_tenants import PublishedTenants
from store import live
from store.lines import Lines
from tests.ami.mail_server import mail_server
from tests.services.test_published_tenants import write_revision
from tests.store.redis_server import RedisServer
from tests.tenants_for_tests import acme
from yaml_models.errors import ConfigError

NOTICES = """notices: {{server: 127.0.0.1, port: {port}, sender: pbx@example.com, to: [noc@example.com]}}"""
OWNER = ("failover:", "notices_to: [owner@acme.example, noc@example.com]\nfailover:")


def publish(home: Path, port: int) -> PublishedTenants:
    platform = read_platform(NOTICES.format(port=port), "platform.yaml")
    write_revision(home, "1", acme=acme(OWNER).model_copy(update={"platform": platform}))
    return PublishedTenants(home)


async def test_operator_and_tenant_are_told_of_each_stop_once_whoever_restarts(redis_server: RedisServer, tmp_path: Path) -> None:
    async with live.connect(redis_server.url) as redis, mail_server() as server:
        published, lines = publish(tmp_path, server.port), Lines(redis)
        await lines.stop("acme", "201", "201 has called outside for 600 minutes today and is stopped")
        for _ in range(2):
            assert await StopNotices(redis, published).send_due()
        (mail,) = server.mails
        assert server.recipients == [["noc@example.com", "owner@acme.example"]]
        assert mail["Subject"] == "Acme: calls outside of 201 (Anna) are stopped"
        text = mail.get_content()
        assert "600 minutes" in text
        assert "    centralka release acme 201" in text.splitlines()
        await lines.stop("acme", "", "calls outside took 6000 minutes today and are stopped")
        assert await StopNotices(redis, published).send_due()
        assert [mail["Subject"] for mail in server.mails][1:] == ["Acme: calls outside of all users are stopped"]


async def test_stop_after_a_release_is_told_anew(redis_server: RedisServer, tmp_path: Path) -> None:
    async with live.connect(redis_server.url) as redis, mail_server() as server:
        notices, lines = StopNotices(redis, publish(tmp_path, server.port)), Lines(redis)
        for _ in range(2):
            await lines.stop("acme", "201", "test")
            assert await notices.send_due()
            await lines.release("acme", "201", "2026-11-25")
            assert await notices.send_due()
        assert len(server.mails) == 2


async def test_mail_that_could_not_be_sent_is_sent_later(redis_server: RedisServer, tmp_path: Path) -> None:
    async with live.connect(redis_server.url) as redis, mail_server() as server:
        notices = StopNotices(redis, publish(tmp_path, server.port))
        await Lines(redis).stop("acme", "201", "test")
        server.refuses = True
        assert not await notices.send_due()
        server.refuses = False
        assert await notices.send_due()
        assert len(server.mails) == 1


async def test_stop_of_who_is_not_published_or_names_nobody_stops_no_other_notice(
    redis_server: RedisServer, tmp_path: Path,
) -> None:
    async with live.connect(redis_server.url) as redis, mail_server() as server:
        notices = StopNotices(redis, publish(tmp_path, server.port))
        for tenant in ("gone", "acme"):
            await Lines(redis).stop(tenant, "", "test")
        assert await notices.send_due()
        assert len(server.mails) == 1


@pytest.mark.parametrize("address", ["noc", "a@b c", "a@b\\nTo: x@y", "<a@b.pl>", "a,b@c.pl", "@b.pl"])
def test_what_is_no_mail_address_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="expected a mail address such as anna@"):
        read_platform(f'notices: {{sender: a@b.pl, to: ["{address}"]}}', "platform.yaml")
