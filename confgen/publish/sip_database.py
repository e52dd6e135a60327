"""The database into which Asterisk looks when it needs a row (extconfig.conf, sorcery.conf), so that a change of one needs no
reload: mailboxes, and the SIP objects of telephones and trunks. Asterisk keeps a SIP object that it has used until a command
expires it (confgen/publish/asterisk_reload.py).

Reading ten thousand of them from files takes seconds. When a user changes a PIN, Asterisk writes it here, and it is kept.
"""

import os
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from contextlib import closing
from pathlib import Path, PurePosixPath

from confgen.render.mailboxes import mailboxes_in
from confgen.render.sip_objects import Key, SipObject, objects_in, option_names, options_of

FILE = "db/realtime.sqlite"
BUSY_S = 10
TABLES = {"endpoint": "ps_endpoints", "auth": "ps_auths", "aor": "ps_aors"}
COLUMNS = {table: ("id", *option_names(kind)) for kind, table in TABLES.items()}
"""In the order in which Asterisk applies them. A row has all of them: in a list of all objects NULL would be the empty text."""


def make_database(home: Path, files: Mapping[str, str]) -> None:
    """Makes it where there is none, for Asterisk's user and nobody else, with all of a revision. In WAL mode nobody waits for a
    writer, and one who is killed leaves nothing that a reader would have to repair."""
    if is_complete(home):
        return
    file = home / FILE
    file.touch(0o660)
    if os.geteuid() == 0:
        folder = file.parent.stat()
        os.chown(file, folder.st_uid, folder.st_gid, follow_symlinks=False)
    with closing(_open(home)) as database, database:
        database.execute("BEGIN IMMEDIATE")          # all at once: sqlite3 begins nothing by itself for tables
        database.execute(
            "CREATE TABLE IF NOT EXISTS voicemail (context TEXT NOT NULL, mailbox TEXT NOT NULL, password TEXT NOT NULL, "
            "fullname TEXT NOT NULL, PRIMARY KEY (context, mailbox))")
        for table in TABLES.values():
            database.execute(f"DROP TABLE IF EXISTS {table}")
            columns = "".join(f"{name} TEXT NOT NULL, " for name in COLUMNS[table])
            # Downwards: Asterisk makes a sorted list of all, and looks for the place of the next one from its beginning on.
            database.execute(f"CREATE TABLE {table} ({columns}PRIMARY KEY (id DESC)) WITHOUT ROWID")
        _put(database, objects_in(files, TABLES))
        _put_mailboxes(database, files, None)


def is_complete(home: Path) -> bool:
    """True for a database that exists and has all the columns that this code writes."""
    if not (home / FILE).exists():
        return False
    with closing(_open(home)) as database:
        there = {table: [row[1] for row in database.execute(f"PRAGMA table_info({table})")] for table in TABLES.values()}
    return there == {table: list(names) for table, names in COLUMNS.items()}


def write_mailboxes(home: Path, files: Mapping[str, str], changed: Collection[str] | None = None) -> None:
    """Has the database hold the mailboxes of the rendered `voicemail/<tenant>.json` and no others, all at once. `changed`: the
    paths of those where it may differ; None where any may."""
    with closing(_open(home)) as database, database:
        _put_mailboxes(database, files, changed)


def _put_mailboxes(database: sqlite3.Connection, files: Mapping[str, str], changed: Collection[str] | None) -> None:
    paths = [path for path in files if path.startswith("voicemail/")] if changed is None else changed
    wanted = [(row.tenant, row.extension, row.pin, row.owner) for row in mailboxes_in(files, paths)]
    database.execute("CREATE TEMP TABLE wanted (context, mailbox, password, fullname, PRIMARY KEY (context, mailbox))")
    database.execute("CREATE TEMP TABLE touched AS SELECT DISTINCT context FROM voicemail WHERE ?", [changed is None])
    database.executemany("INSERT INTO wanted VALUES (?, ?, ?, ?)", wanted)
    database.executemany("INSERT INTO touched VALUES (?)", [[PurePosixPath(path).stem] for path in changed or ()])
    database.execute(
        "DELETE FROM voicemail WHERE context IN touched "
        "AND (context, mailbox) NOT IN (SELECT context, mailbox FROM wanted)")
    database.execute(
        "INSERT INTO voicemail SELECT * FROM wanted WHERE true ON CONFLICT (context, mailbox) "
        "DO UPDATE SET fullname = excluded.fullname WHERE fullname != excluded.fullname")


def write_objects(home: Path, rows: Iterable[SipObject], gone: Iterable[Key]) -> None:
    """Puts SIP objects in the place of those that have their names, and takes others away, all at once."""
    with closing(_open(home)) as database, database:
        for kind, name in gone:
            database.execute(f"DELETE FROM {TABLES[kind]} WHERE id = ?", [name])  # noqa: S608
        _put(database, rows)


def write_all_objects(home: Path, files: Mapping[str, str]) -> None:
    """Has the database hold the SIP objects of the rendered `pjsip/<tenant>.json` and no others, all at once."""
    with closing(_open(home)) as database, database:
        for table in TABLES.values():
            database.execute(f"DELETE FROM {table}")  # noqa: S608
        _put(database, objects_in(files, TABLES))


def _put(database: sqlite3.Connection, rows: Iterable[SipObject]) -> None:
    values: dict[str, list[list[str]]] = {kind: [] for kind in TABLES}
    for row in rows:
        values[row.kind].append([row.name, *options_of(row).values()])
    for kind, table in TABLES.items():
        places = ", ".join("?" * len(COLUMNS[table]))
        database.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({places})", values[kind])  # noqa: S608


def _open(home: Path) -> sqlite3.Connection:
    database = sqlite3.connect(home / FILE, timeout=BUSY_S)
    database.execute("PRAGMA journal_mode = WAL")
    return database

