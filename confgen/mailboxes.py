"""The mailboxes, in a database that Asterisk looks into when one is used: to read ten thousand of them from a file takes
it seconds. A PIN that its owner changes is written there by Asterisk, and stays.
"""

import os
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

FILE = "db/mailboxes.sqlite"
BUSY_S = 10
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
        database.execute(
            "CREATE TABLE IF NOT EXISTS voicemail (context TEXT NOT NULL, mailbox TEXT NOT NULL, password TEXT NOT NULL, "
            "fullname TEXT NOT NULL, PRIMARY KEY (context, mailbox))")


def write_mailboxes(home: Path, files: Mapping[str, str]) -> None:
    """Has the database hold the mailboxes of the rendered `voicemail/<tenant>.conf` and no others, all at once."""
    make_database(home)
    wanted = [row for path, text in files.items() if path.startswith("voicemail/") for row in _mailboxes(text)]
    with closing(_open(home)) as database, database:
        database.execute("CREATE TEMP TABLE wanted (context, mailbox, password, fullname, PRIMARY KEY (context, mailbox))")
        database.executemany("INSERT INTO wanted VALUES (?, ?, ?, ?)", wanted)
        database.execute("DELETE FROM voicemail WHERE (context, mailbox) NOT IN (SELECT context, mailbox FROM wanted)")
        database.execute(
            "INSERT INTO voicemail SELECT * FROM wanted WHERE true ON CONFLICT (context, mailbox) "
            "DO UPDATE SET fullname = excluded.fullname WHERE fullname != excluded.fullname")


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
