"""What a person is told of telephones, and who asks wrongly about them, PINs and passwords."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from store import live
from store.equipment import ConfigurationFetch, EquipmentStore
from tests.command_line import centralka, installed
from tests.store.redis_server import RedisServer

ANNA = 'phones: {anna: {model: yealink_t46u, mac: "805ec0000001", lines: [201-desk]}}\n'


@pytest.mark.parametrize(("asked", "code", "told"), [
    (("phones", "nosuch"), 1, "no tenant 'nosuch' is published"),
    (("phones", "acme"), 0, "acme has no telephones: its file names none in phones, dect or gateways"),
    (("phones", "acme", "--open", "anna"), 1, "acme has no telephone 'anna', expected one of none"),
    (("rotate", "nosuch", "201-desk"), 1, "no tenant 'nosuch' is published"),
    (("rotate", "acme", "201"), 1, "acme has no device '201', expected one such as 201-desk"),
    (("rotate", "acme", "201-desk"), 2, "no Asterisk runs here"),
    (("pin", "acme", "201"), 1, "found nothing, expected a PIN of 4 to 10 digits"),
])
def test_wrong_question_is_answered_in_words(home: Path, asked: tuple[str, ...], code: int, told: str) -> None:
    assert centralka(home, "apply").returncode == 0
    done = centralka(home, *asked)
    assert (done.returncode, told in " ".join((done.stdout + done.stderr).split())) == (code, True), done
    assert "Traceback" not in done.stderr


def test_telephones_are_not_listed_while_redis_is_away(home: Path) -> None:
    tenant = home.parent / "tenants" / "acme.yaml"
    tenant.write_text(tenant.read_text() + ANNA)
    assert centralka(home, "apply").returncode == 0
    for more in ((), ("--open", "anna")):
        done = centralka(home, "phones", "acme", *more)
        assert (done.returncode, "gives no answer" in done.stderr, "Traceback" in done.stderr) == (2, True, False), done


async def test_what_is_to_be_copied_stands_whole_on_one_line_in_any_window(
    home: Path, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch,
) -> None:
    tenant = home.parent / "tenants" / "acme.yaml"
    tenant.write_text(tenant.read_text() + ANNA)
    with (home / "settings.env").open("a") as settings:
        settings.write(f"CENTRALKA_REDIS_URL={redis_server.url}\n")
    assert centralka(home, "apply").returncode == 0
    async with live.connect(redis_server.url) as redis:
        at = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
        await EquipmentStore(redis).note("acme/anna", ConfigurationFetch(at, "192.0.2.7", "Yealink", "805ec0000001.cfg"))
    shown = {}
    for columns in ("40", "80", "200"):
        monkeypatch.setenv("COLUMNS", columns)
        shown[columns] = installed(home, "phones", "acme").stdout
    (row,) = json.loads(centralka(home, "phones", "acme", "--json").stdout)
    assert shown["40"] == shown["80"] == shown["200"]
    assert shown["80"].splitlines() == [
        "anna: Yealink SIP-T46U",
        "  MAC address          805ec0000001",
        f"  provisioning server  {row['address']}",
        f"  admin password       {row['password']}",
        "  line                 acme-201-desk, unknown",
        "  last fetched         2026-11-23 12:00 CET from 192.0.2.7",
        "",
    ]
