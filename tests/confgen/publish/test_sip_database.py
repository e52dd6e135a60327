"""The database that Asterisk looks into: what it holds, who may read it, and that nobody waits for a writer."""

import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from centralka.cli.configuration import load_tenants, tenant_files
from confgen.publish.sip_database import (
    FILE,
    is_complete,
    make_database,
    write_all_objects,
    write_mailboxes,
    write_objects,
)
from confgen.render.carrier_password import UnsafeValue
from confgen.render.mailboxes import MailboxRow, dump_mailboxes
from confgen.render.sip_objects import Aor, Auth, Endpoint, SipObject, dump, key_of, objects_in
from confgen.render.tenant_files import render_tenant
from confgen.secrets import Secrets, with_missing
from routing.numbering.endpoint import TrunkEndpoint

TESTS = Path(__file__).parents[2]

PHONE = [
    Endpoint(name="acme-204-desk", context="acme-phone", identify_by="username", disallow="all", allow=("alaw", "ulaw"),
             callerid="Ola <204>", trust_id_inbound=False),
    Auth(name="acme-204-desk", auth_type="digest", username="acme-204-desk", password="a-b = c"),
    Aor(name="acme-204-desk", max_contacts=1),
]
ASTERISKS = {
    "context": "", "identify_by": "", "transport": "", "media_encryption": "no", "disallow": "", "allow": "",
    "media_address": "", "bind_rtp_to_media_address": "no", "incoming_call_offer_pref": "local", "rtp_timeout": "0", "rtp_timeout_hold": "0", "device_state_busy_at": "0", "t38_udptl": "no", "t38_udptl_ec": "none", "t38_udptl_nat": "no",
    "t38_bind_udptl_to_media_address": "no", "direct_media": "yes", "rtp_symmetric": "no", "force_rport": "yes",
    "rewrite_contact": "no", "dtmf_mode": "rfc4733", "auth": "", "outbound_auth": "", "aors": "", "callerid": "",
    "from_user": "", "from_domain": "",
    "trust_id_inbound": "no", "accountcode": "", "tenantid": "", "language": "", "send_pai": "no", "subscribe_context": "", "message_context": "",
    "named_call_group": "", "named_pickup_group": "", "moh_suggest": "default", "set_var": "", "mailboxes": "",
    "allow_transfer": "yes", "allow_subscribe": "yes"}
"""What Asterisk takes for an option that an endpoint does not have, in the order in which it applies them."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "db").mkdir()
    make_database(tmp_path, {})
    return tmp_path


def rows(home: Path, table: str) -> list[dict[str, str]]:
    with closing(sqlite3.connect(home / FILE)) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute(f"SELECT * FROM {table}")]  # noqa: S608


def mailboxes(*names: str, pin: str = "123456") -> dict[str, str]:
    return {"voicemail/acme.json": dump_mailboxes(MailboxRow("acme", str(201 + i), pin, name) for i, name in enumerate(names))}


def names(home: Path) -> list[list[str]]:
    """Of the endpoints, passwords and AORs."""
    return [[row["id"] for row in rows(home, table)] for table in ("ps_endpoints", "ps_auths", "ps_aors")]


def files(*rows: SipObject) -> dict[str, str]:
    return {"pjsip/acme.json": dump(rows)}


def test_nobody_else_reads_it(home: Path) -> None:
    write_objects(home, PHONE, [])
    assert all(file.stat().st_mode & 0o007 == 0 for file in (home / "db").iterdir())


def test_mailboxes_are_those_of_the_tenants(home: Path) -> None:
    write_mailboxes(home, mailboxes("Anna O'Neill", "Piotr"))
    write_mailboxes(home, mailboxes("Anna Nowa"))
    assert rows(home, "voicemail") == [{"context": "acme", "mailbox": "201", "password": "123456", "fullname": "Anna Nowa"}]


def test_change_of_one_tenant_leaves_the_mailboxes_of_others(home: Path) -> None:
    files = {**mailboxes("Anna", "Piotr"), "voicemail/rossi.json": dump_mailboxes([MailboxRow("rossi", "201", "123456", "Carla")])}
    write_mailboxes(home, files)
    write_mailboxes(home, {**mailboxes("Anna"), "voicemail/rossi.json": "[]"}, ["voicemail/acme.json"])
    assert [(row["context"], row["fullname"]) for row in rows(home, "voicemail")] == [("acme", "Anna"), ("rossi", "Carla")]
    write_mailboxes(home, {}, ["voicemail/acme.json"])
    assert [row["context"] for row in rows(home, "voicemail")] == ["rossi"]


def test_pin_that_its_owner_changed_stays(home: Path) -> None:
    write_mailboxes(home, mailboxes("Anna", "Piotr"))
    with closing(sqlite3.connect(home / FILE)) as database, database:
        database.execute("UPDATE voicemail SET password = '777777' WHERE mailbox = '201'")
    write_mailboxes(home, mailboxes("Anna Nowa", "Piotr"))
    assert [row["password"] for row in rows(home, "voicemail")] == ["777777", "123456"]


def test_to_make_it_again_takes_nothing_away(home: Path) -> None:
    write_mailboxes(home, mailboxes("Anna"))
    write_objects(home, PHONE, [])
    make_database(home, {})
    assert len(rows(home, "voicemail")) == len(rows(home, "ps_endpoints")) == 1


def test_database_that_is_lost_or_of_another_form_is_made_anew_from_the_revision(home: Path) -> None:
    revision = {**files(*PHONE), **mailboxes("Anna")}
    for harm in ("lost", "DROP TABLE ps_aors", "ALTER TABLE ps_auths ADD COLUMN another"):
        if harm == "lost":
            (home / FILE).unlink()
        else:
            with closing(sqlite3.connect(home / FILE)) as database, database:
                database.execute(harm)
        assert not is_complete(home)
        make_database(home, revision)
        assert is_complete(home)
        assert names(home) == [["acme-204-desk"]] * 3
        assert len(rows(home, "voicemail")) == 1


def test_object_has_its_options_in_the_order_of_asterisks_and_for_all_others_what_asterisk_takes(home: Path) -> None:
    write_objects(home, PHONE, [])
    (endpoint,) = rows(home, "ps_endpoints")
    assert list(endpoint) == ["id", *ASTERISKS]
    assert list(endpoint).index("disallow") < list(endpoint).index("allow")
    assert endpoint == {
        **ASTERISKS, "id": "acme-204-desk", "context": "acme-phone", "identify_by": "username", "disallow": "all", "allow": "alaw,ulaw", "callerid": "Ola <204>"}
    assert rows(home, "ps_auths") == [
        {"id": "acme-204-desk", "auth_type": "digest", "username": "acme-204-desk", "password": "a-b = c"}]


def test_written_object_takes_the_place_of_the_one_before_and_those_gone_go_with_it(home: Path) -> None:
    other = [replace(each, name="acme-205-desk") for each in PHONE]
    write_objects(home, [*PHONE, *other], [])
    new = Auth(name="acme-204-desk", auth_type="digest", username="acme-204-desk", password="new")
    write_objects(home, [new], [key_of(each) for each in other])
    assert names(home) == [["acme-204-desk"]] * 3
    assert rows(home, "ps_auths")[0]["password"] == "new"
    write_all_objects(home, files(*other))
    assert names(home) == [["acme-205-desk"]] * 3


def test_list_of_all_goes_downwards_as_asterisk_sorts_it_fastest(home: Path) -> None:
    write_objects(home, [Aor(name=name) for name in ("b", "c", "a", "B")], [])
    with closing(sqlite3.connect(home / FILE)) as database:
        listed = [name for (name,) in database.execute("SELECT id FROM ps_aors WHERE id LIKE '%'")]
    assert listed == ["c", "b", "a", "B"]


def test_every_rendered_object_has_a_place(home: Path) -> None:
    tenants = load_tenants(tenant_files([TESTS / "live" / "tenants", TESTS / "flows"]))
    trunks = {str(TrunkEndpoint(tenant.tenant, name)): "pw" for tenant in tenants for name in tenant.trunks}
    secrets = with_missing(Secrets(trunks=trunks), tenants)
    endpoint = next(iter(secrets.sip))
    rendered: dict[str, str] = {}
    for tenant in tenants:
        rendered |= render_tenant(
            tenant, secrets.with_next_sip(endpoint), dict.fromkeys(tenant.all_prompts(), "x"), PurePosixPath("/srv/x"), tls=True)
    write_all_objects(home, rendered)
    assert [len(each) for each in names(home)] == [
        sum(row.kind == kind for row in objects_in(rendered)) for kind in ("endpoint", "auth", "aor")]


def test_revision_with_an_option_that_the_database_has_no_place_for_is_an_error() -> None:
    with pytest.raises(TypeError, match="colour"):
        objects_in({"pjsip/acme.json": '[{"kind": "aor", "name": "acme-204-desk", "colour": "red"}]'})


@pytest.mark.parametrize("row", [
    replace(PHONE[0], callerid="Ola\n[general]"), replace(PHONE[0], allow=("alaw,ulaw",)), replace(PHONE[0], set_var={"A": "1,B"}),
    replace(PHONE[1], password="a;b"), replace(PHONE[2], name="a]b")])
def test_value_that_no_file_can_hold_enters_no_database(home: Path, row: SipObject) -> None:
    with pytest.raises(UnsafeValue):
        write_objects(home, [row], [])
    assert names(home) == [[], [], []]


def test_reader_sees_the_old_state_until_the_new_one_is_whole(home: Path) -> None:
    write_objects(home, PHONE, [])
    with closing(sqlite3.connect(home / FILE)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM ps_endpoints").fetchone() == (1,)
        write_all_objects(home, {})
        assert reader.execute("SELECT count(*) FROM ps_endpoints").fetchone() == (1,)
        reader.execute("COMMIT")
        assert reader.execute("SELECT count(*) FROM ps_endpoints").fetchone() == (0,)


def test_writer_who_is_killed_leaves_nothing_half_done(home: Path) -> None:
    write_mailboxes(home, mailboxes("Anna"))
    if (child := os.fork()) == 0:
        database = sqlite3.connect(home / FILE)
        database.execute("DELETE FROM voicemail")
        os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    assert len(rows(home, "voicemail")) == 1


def test_database_that_was_not_made_to_its_end_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "db").mkdir()
    with pytest.raises(TypeError):
        make_database(tmp_path, {**files(*PHONE), "pjsip/broken.json": '[{"kind": "aor"}]'})
    make_database(tmp_path, {**files(*PHONE), **mailboxes("Ola")})
    assert names(tmp_path) == [["acme-204-desk"]] * 3
    assert [row["fullname"] for row in rows(tmp_path, "voicemail")] == ["Ola"]
