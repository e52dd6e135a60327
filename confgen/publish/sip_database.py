"""What Asterisk looks up in a database when it is used (extconfig.conf, sorcery.conf), so that a change of it needs no reload:
mailboxes, and the SIP objects by which telephones and trunks are known. It keeps a SIP object that it has used until it is told
to forget it (confgen/publish/asterisk_reload.py).

To read ten thousand of them from files takes seconds. A PIN that its owner changes is written here by Asterisk, and stays.
"""

import os
import re
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from contextlib import closing
from pathlib import Path, PurePosixPath

from confgen.render.sip_objects import Key, Section, sections_of

FILE = "db/realtime.sqlite"
BUSY_S = 10
TABLES = {"endpoint": "ps_endpoints", "auth": "ps_auths", "aor": "ps_aors"}
OPTIONS: dict[str, dict[str, str]] = {
    "endpoint": {
        "context": "", "identify_by": "", "transport": "", "media_encryption": "no", "disallow": "", "allow": "",
        "device_state_busy_at": "0", "t38_udptl": "no", "t38_udptl_ec": "none", "t38_udptl_nat": "no",
        "t38_bind_udptl_to_media_address": "no", "direct_media": "yes", "rtp_symmetric": "no", "force_rport": "yes",
        "rewrite_contact": "no", "dtmf_mode": "rfc4733", "auth": "", "outbound_auth": "", "aors": "", "callerid": "",
        "trust_id_inbound": "no", "accountcode": "", "tenantid": "", "language": "", "send_pai": "no", "subscribe_context": "",
        "named_call_group": "", "named_pickup_group": "", "moh_suggest": "default", "set_var": "", "mailboxes": "",
        "allow_transfer": "yes", "allow_subscribe": "yes"},
    "auth": {"auth_type": "", "username": "", "password": ""},
    "aor": {
        "contact": "", "max_contacts": "0", "remove_existing": "no", "minimum_expiration": "60", "default_expiration": "3600",
        "maximum_expiration": "7200", "qualify_frequency": "0"},
}
"""The columns, in the order in which Asterisk applies them, and what it takes for an option that an object does not have: in a
list of all objects each of them has all columns."""
_OPTION = re.compile(r"^([a-z0-9_]+) = (.*)$", re.MULTILINE)
_LINE = re.compile(r"^(?:\[(?P<context>[^\]]+)\]|(?P<mailbox>[0-9]+) => (?P<pin>[^,\n]+),(?P<name>[^\n]*))$", re.MULTILINE)


def make_database(home: Path, files: Mapping[str, str]) -> None:
    """Makes it where there is none, for Asterisk's user and nobody else, with all of a revision. In WAL mode nobody waits for a
    writer, and one who is killed leaves nothing that a reader would have to mend."""
    if is_complete(home):
        return
    file = home / FILE
    file.touch(0o660)
    if os.geteuid() == 0:
        folder = file.parent.stat()
        os.chown(file, folder.st_uid, folder.st_gid)
    with closing(_open(home)) as database, database:
        database.execute("BEGIN IMMEDIATE")          # all at once: sqlite3 begins nothing by itself for tables
        database.execute(
            "CREATE TABLE IF NOT EXISTS voicemail (context TEXT NOT NULL, mailbox TEXT NOT NULL, password TEXT NOT NULL, "
            "fullname TEXT NOT NULL, PRIMARY KEY (context, mailbox))")
        for kind, table in TABLES.items():
            database.execute(f"DROP TABLE IF EXISTS {table}")
            columns = "".join(f"{name} TEXT NOT NULL, " for name in ("id", *OPTIONS[kind]))
            # Downwards: Asterisk makes a sorted list of all, and looks for the place of the next one from its beginning on.
            database.execute(f"CREATE TABLE {table} ({columns}PRIMARY KEY (id DESC)) WITHOUT ROWID")
        _put(database, sections_of(files))
        _put_mailboxes(database, files, None)


def is_complete(home: Path) -> bool:
    """Whether it is there, with all that this code writes."""
    if not (home / FILE).exists():
        return False
    with closing(_open(home)) as database:
        there = {table: [row[1] for row in database.execute(f"PRAGMA table_info({table})")] for table in TABLES.values()}
    return there == {table: ["id", *OPTIONS[kind]] for kind, table in TABLES.items()}


def write_mailboxes(home: Path, files: Mapping[str, str], changed: Collection[str] | None = None) -> None:
    """Has the database hold the mailboxes of the rendered `voicemail/<tenant>.conf` and no others, all at once. `changed`: the
    paths of those where it may differ; None where any may."""
    with closing(_open(home)) as database, database:
        _put_mailboxes(database, files, changed)


def _put_mailboxes(database: sqlite3.Connection, files: Mapping[str, str], changed: Collection[str] | None) -> None:
    paths = [path for path in files if path.startswith("voicemail/")] if changed is None else changed
    wanted = [row for path in paths if path in files for row in _mailboxes(files[path])]
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


def write_objects(home: Path, sections: Iterable[Section], gone: Iterable[Key]) -> None:
    """Puts SIP objects in the place of those that have their names, and takes others away, all at once."""
    with closing(_open(home)) as database, database:
        for kind, name in gone:
            database.execute(f"DELETE FROM {TABLES[kind]} WHERE id = ?", [name])  # noqa: S608
        _put(database, sections)


def write_all_objects(home: Path, files: Mapping[str, str]) -> None:
    """Has the database hold the SIP objects of the rendered `pjsip/<tenant>.conf` and no others, all at once."""
    with closing(_open(home)) as database, database:
        for table in TABLES.values():
            database.execute(f"DELETE FROM {table}")  # noqa: S608
        _put(database, sections_of(files))


def _put(database: sqlite3.Connection, sections: Iterable[Section]) -> None:
    rows: dict[str, list[list[str]]] = {kind: [] for kind in TABLES}
    for section in sections:
        if section.kind in TABLES:
            rows[section.kind].append(_row(section))
    for kind, table in TABLES.items():
        values = ", ".join("?" * (1 + len(OPTIONS[kind])))
        database.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({values})", rows[kind])  # noqa: S608


def _row(section: Section) -> list[str]:
    options = [(name, value) for name, value in _OPTION.findall(section.text) if name != "type"]
    names, known = [name for name, _ in options], OPTIONS[section.kind]
    if len(names) > len(set(names)) or not known.keys() >= set(names):
        raise ValueError(f"{section.kind} {section.name} has the options {', '.join(names)}, expected of {', '.join(known)}")
    return [section.name, *{**known, **dict(options)}.values()]


def _open(home: Path) -> sqlite3.Connection:
    database = sqlite3.connect(home / FILE, timeout=BUSY_S)
    database.execute("PRAGMA journal_mode = WAL")
    return database


def _mailboxes(text: str) -> list[tuple[str, str, str, str]]:
    """Context, mailbox, PIN and owner's name of each."""
    context, found = "", []
    for line in _LINE.finditer(text):
        if line["context"]:
            context = line["context"]
        else:
            found.append((context, line["mailbox"], line["pin"], line["name"]))
    return found
