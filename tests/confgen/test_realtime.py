"""The database that Asterisk looks into: what it holds, who may read it, and that nobody waits for a writer."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from confgen.realtime import FILE, added, can_be_added, make_database, write_added, write_mailboxes
from confgen.sip_objects import Section

PHONE = [
    Section("endpoint", "acme-204-desk", "[acme-204-desk]\ntype = endpoint\ndisallow = all\nallow = alaw,ulaw\ncallerid = Ola <204>\n"),
    Section("auth", "acme-204-desk", "[acme-204-desk]\ntype = auth\npassword = a-b = c\n"),
    Section("aor", "acme-204-desk", "[acme-204-desk]\ntype = aor\nmax_contacts = 1\n"),
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "db").mkdir()
    make_database(tmp_path)
    return tmp_path


def rows(home: Path, table: str) -> list[dict[str, str]]:
    with closing(sqlite3.connect(home / FILE)) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute(f"SELECT * FROM {table}")]  # noqa: S608


def mailboxes(*names: str, pin: str = "123456") -> dict[str, str]:
    return {"voicemail/acme.conf": "; Acme\n[acme]\n" + "".join(f"{201 + i} => {pin},{name}\n" for i, name in enumerate(names))}


def test_nobody_else_reads_it(home: Path) -> None:
    write_added(home, PHONE)
    assert all(file.stat().st_mode & 0o007 == 0 for file in (home / "db").iterdir())


def test_mailboxes_are_those_of_the_tenants(home: Path) -> None:
    write_mailboxes(home, mailboxes("Anna O'Neill", "Piotr"))
    write_mailboxes(home, mailboxes("Anna Nowa"))
    assert rows(home, "voicemail") == [{"context": "acme", "mailbox": "201", "password": "123456", "fullname": "Anna Nowa"}]


def test_change_of_one_tenant_leaves_the_mailboxes_of_others(home: Path) -> None:
    files = {**mailboxes("Anna", "Piotr"), "voicemail/rossi.conf": "[rossi]\n201 => 123456,Carla\n"}
    write_mailboxes(home, files)
    write_mailboxes(home, {**mailboxes("Anna"), "voicemail/rossi.conf": ""}, ["voicemail/acme.conf"])
    assert [(row["context"], row["fullname"]) for row in rows(home, "voicemail")] == [("acme", "Anna"), ("rossi", "Carla")]
    write_mailboxes(home, {}, ["voicemail/acme.conf"])
    assert [row["context"] for row in rows(home, "voicemail")] == ["rossi"]


def test_pin_that_its_owner_changed_stays(home: Path) -> None:
    write_mailboxes(home, mailboxes("Anna", "Piotr"))
    with closing(sqlite3.connect(home / FILE)) as database, database:
        database.execute("UPDATE voicemail SET password = '777777' WHERE mailbox = '201'")
    write_mailboxes(home, mailboxes("Anna Nowa", "Piotr"))
    assert [row["password"] for row in rows(home, "voicemail")] == ["777777", "123456"]


def test_to_make_it_again_takes_nothing_away(home: Path) -> None:
    write_mailboxes(home, mailboxes("Anna"))
    write_added(home, PHONE)
    make_database(home)
    assert len(rows(home, "voicemail")) == len(rows(home, "ps_endpoints")) == 1


def test_added_objects_are_rows_with_their_options_in_order(home: Path) -> None:
    write_added(home, PHONE)
    assert added(home) == {"acme-204-desk"}
    (endpoint,) = rows(home, "ps_endpoints")
    assert list(endpoint.items()) == [
        ("id", "acme-204-desk"), ("disallow", "all"), ("allow", "alaw,ulaw"), ("callerid", "Ola <204>")]
    assert rows(home, "ps_auths") == [{"id": "acme-204-desk", "password": "a-b = c"}]
    write_added(home, ())
    assert added(home) == set()
    assert rows(home, "ps_aors") == []


@pytest.mark.parametrize("text", ["password = a^5Eb", "password = a;b", "set_var = A=1\nset_var = B=2"])
def test_what_asterisk_could_read_otherwise_is_left_to_the_files(text: str) -> None:
    assert not can_be_added(Section("auth", "acme-trunk-x", f"[acme-trunk-x]\ntype = auth\n{text}\n"))
    assert not can_be_added(Section("identify", "acme-trunk-x", "[acme-trunk-x]\ntype = identify\n"))


def test_reader_sees_the_old_state_until_the_new_one_is_whole(home: Path) -> None:
    write_added(home, PHONE)
    with closing(sqlite3.connect(home / FILE)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM ps_endpoints").fetchone() == (1,)
        write_added(home, ())
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
