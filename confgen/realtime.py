"""What Asterisk looks up in a database when it is used (extconfig.conf, sorcery.conf), so that a change of it needs no reload:
all mailboxes, and the SIP objects that were added since Asterisk last read the files of these.

To read ten thousand mailboxes from a file takes seconds, and to go through ten thousand endpoints too. A PIN that its owner
changes is written here by Asterisk, and stays.
"""

import os
import re
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from pathlib import Path, PurePosixPath

from confgen.sip_objects import Section

FILE = "db/realtime.sqlite"
BUSY_S = 10
ADDED = {"endpoint": "ps_endpoints", "auth": "ps_auths", "aor": "ps_aors"}
_OPTION = re.compile(r"^([a-z_]+) = (.*)$", re.MULTILINE)
_LINE = re.compile(r"^(?:\[(?P<context>[^\]]+)\]|(?P<mailbox>[0-9]+) => (?P<pin>[^,\n]+),(?P<name>[^\n]*))$", re.MULTILINE)


def make_database(home: Path) -> None:
    """Makes it where there is none, for Asterisk's user and nobody else. In WAL mode nobody waits for a writer, and one who is
    killed leaves nothing that a reader would have to mend."""
    file = home / FILE
    file.touch(0o660)
    if os.geteuid() == 0:
        folder = file.parent.stat()
        os.chown(file, folder.st_uid, folder.st_gid)
    with closing(_open(home)) as database, database:
        for table in ADDED.values():
            database.execute(f"CREATE TABLE IF NOT EXISTS {table} (id TEXT PRIMARY KEY)")
        database.execute(
            "CREATE TABLE IF NOT EXISTS voicemail (context TEXT NOT NULL, mailbox TEXT NOT NULL, password TEXT NOT NULL, "
            "fullname TEXT NOT NULL, PRIMARY KEY (context, mailbox))")


def write_mailboxes(home: Path, files: Mapping[str, str], changed: Collection[str] | None = None) -> None:
    """Has the database hold the mailboxes of the rendered `voicemail/<tenant>.conf` and no others, all at once. `changed`: the
    paths of those where it may differ; None where any may."""
    make_database(home)
    paths = [path for path in files if path.startswith("voicemail/")] if changed is None else changed
    wanted = [row for path in paths if path in files for row in _mailboxes(files[path])]
    with closing(_open(home)) as database, database:
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


def can_be_added(section: Section) -> bool:
    """Whether the database can hold it: some kinds, each option once, and without what Asterisk may take for a separator or an
    escape there."""
    options = [name for name, _ in _OPTION.findall(section.text)]
    return section.kind in ADDED and len(options) == len(set(options)) and not set("^;") & set(section.text)


def added(home: Path) -> set[str]:
    """The names of the SIP objects in the database."""
    with closing(_open(home)) as database:
        return {name for table in ADDED.values() for (name,) in database.execute(f"SELECT id FROM {table}")}  # noqa: S608


def write_added(home: Path, sections: Sequence[Section]) -> None:
    """Has the database hold these SIP objects and no others, all at once."""
    make_database(home)
    with closing(_open(home)) as database, database:
        for kind, table in ADDED.items():
            rows = [dict(_OPTION.findall(section.text)) | {"id": section.name} for section in sections if section.kind == kind]
            # In the order of the template: Asterisk applies them as they come.
            columns = list(dict.fromkeys(("id", *(column for row in rows for column in row if column != "type"))))
            database.execute(f"DROP TABLE {table}")
            database.execute(f"CREATE TABLE {table} ({', '.join(columns)}, PRIMARY KEY (id))")
            database.executemany(
                f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})",  # noqa: S608 - columns are the templates' own
                [[row.get(column) for column in columns] for row in rows])


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
